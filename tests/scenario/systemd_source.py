# SPDX-License-Identifier: GPL-3.0-or-later
"""Oriel without a package: by the very lines of docs/PACKAGING.md, which install it from source and take it back."""
import glob
import subprocess

from harness.world import TREE, wait_for
from systemd_story import Installed, Login, PERSON, all_green, of_oriel, say

MACHINE = "packages"


def lines():
    """Those that install, and those that take back."""
    with open(TREE + "/docs/PACKAGING.md", encoding="utf-8") as f:
        chapter = f.read().split("## Without a package")[1]
    both = [[x[4:].replace("sudo ", "") for x in part.splitlines() if x.startswith("    ")] for part in chapter.split("To take it back")]
    assert len(both) == 2 and all(both), both
    return both


def follow(commands):
    r = subprocess.run(["bash", "-ex", "-c", "\n".join(commands)], cwd=TREE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=900, text=True)
    assert r.returncode == 0, r.stdout[-3000:]


class TestFromSource:
    LIMIT_S = 1200

    def test_it_is_installed_and_serves(self, connect, person):
        # a build that is there is used; without this line it would have to be made
        follow([x for x in lines()[0] if not x.startswith("meson setup") or not glob.glob(TREE + "/build/build.ninja")])
        Installed().wait_listening()
        all_green()
        login = Login(connect, person).begin()
        assert login.same()
        login.oriel.logoff(PERSON, 15)

    def test_it_is_taken_back(self):
        follow(lines()[1])
        wait_for(lambda: not of_oriel(), 10, "the daemons' end")
        assert not glob.glob("/etc/systemd/system/*/oriel*")
        say("systemctl", "daemon-reload")
        left = say("find", "/usr", "/etc", "-xdev", "-iname", "*oriel*", "-not", "-type", "d").splitlines()
        assert not [p for p in left if "backports" not in p], left
