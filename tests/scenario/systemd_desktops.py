# SPDX-License-Identifier: GPL-3.0-or-later
"""Xfce and MATE in a session under systemd. Runs in the machine that systemd.sh boots."""
import glob
import os
import subprocess

import pytest

from harness import procs, users
from harness.desktop import Desktop, tell
from harness.world import wait_for
from systemd_story import Installed, leaders, say, systemctl

SETS = ("desktops",)
XFCE = Desktop("xfce", "XFCE", "exec startxfce4", "xfce4-session", "xfce4-panel", ("xfce4-terminal --disable-server", "xfce4-terminal"))
MATE = Desktop("mate", "MATE", "exec mate-session", "mate-session", "mate-panel", ("mate-terminal --disable-factory", "mate-terminal"))


@pytest.fixture
def fresh(request):
    """A user who has never logged in. After the story nothing is left of the session, then of the user."""
    systemctl("start", "oriel.target")
    oriel = Installed()
    oriel.wait_listening()
    users.run("groupadd", "-f", "oriel-users")
    name = request.node.name.replace("test_", "")[:12].rstrip("_")
    user = users.user(name)
    yield oriel, user
    if oriel.session_of(name):
        oriel.logoff(name, 20)
    subprocess.run(["loginctl", "terminate-user", name])


def ends_whole(oriel, user):
    scopes = [s for s in glob.glob("/sys/fs/cgroup/user.slice/user-%d.slice/session-*.scope" % user.uid)]
    oriel.logoff(user.name, 20)
    for scope in scopes:
        wait_for(lambda s=scope: not os.path.exists(s), 10, "the end of " + scope)
    wait_for(lambda: not leaders(), 10, "the leaders' end")
    wait_for(lambda: not procs.of_user(user.name), 40, "no process of the user; there are %r" % procs.of_user(user.name))
    wait_for(lambda: user.name not in say("loginctl", "list-sessions", "--no-legend"), 10, "logind's list without the user")
    wait_for(lambda: not os.path.exists("/run/user/%d" % user.uid), 10, "the end of the runtime folder, which is logind's")


class TestDesktops:
    LIMIT_S = 900

    @pytest.mark.parametrize("desktop", [XFCE, MATE], ids=lambda d: d.name)
    def test_it_starts_and_ends_whole_and_starts_again(self, fresh, connect, desktop):
        oriel, user = fresh
        tell(desktop, oriel, connect, user)
        oriel.logoff(user.name, 20)
        tell(desktop, oriel, connect, user)     # at once after the first: nothing of that is in the way
        ends_whole(oriel, user)
