# SPDX-License-Identifier: GPL-3.0-or-later
"""Oriel without a package: by the very lines of docs/PACKAGING.md, which install it from source and take it back."""
import glob

from harness.document import commands, follow, run
from harness.world import TREE, wait_for
from systemd_story import Installed, Login, PERSON, all_green, of_oriel, say

MACHINE = "packages"


class TestFromSource:
    LIMIT_S = 1200

    def test_it_is_installed_and_serves(self, connect, person):
        # a build that is there is used; without this line it would have to be made
        for line in commands("PACKAGING.md", "Without a package"):
            if not line.startswith("meson setup") or not glob.glob(TREE + "/build/build.ninja"):
                run(line)
        Installed().wait_listening()
        all_green()
        login = Login(connect, person).begin()
        assert login.same()
        login.oriel.logoff(PERSON, 15)

    def test_it_is_taken_back(self):
        follow("PACKAGING.md", "To take it back")
        wait_for(lambda: not of_oriel(), 10, "the daemons' end")
        assert not glob.glob("/etc/systemd/system/*/oriel*")
        say("systemctl", "daemon-reload")
        left = say("find", "/usr", "/etc", "-xdev", "-iname", "*oriel*", "-not", "-type", "d").splitlines()
        assert not [p for p in left if "backports" not in p], left
