# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of the session, from the monitor's policy to a channel of a real client: ECHO, which builds for tests have. The session's
program asks, the client answers, and the program counts."""
import os
import shutil
import signal

import pytest

from harness.world import PREFIX, find_program, wait_for


@pytest.fixture
def with_echo(make_oriel):
    """A service whose monitor, leaders and peers are the builds for tests."""
    folder = "/run/o/libexec-with-echo"
    if not os.path.exists(folder):
        shutil.copytree(os.path.dirname(find_program("oriel-monitor")), folder)
        for name in ("oriel-monitor", "oriel-leader", "oriel-peer"):
            os.unlink(os.path.join(folder, name))
        shutil.copytree(os.path.join(PREFIX, "services"), folder, dirs_exist_ok=True)
    return make_oriel(paths__libexec_dir=folder)


class Echoes:
    """What the program of a user's session counts."""

    def __init__(self, oriel, user):
        self.path = "/run/user/%d/oriel-%d/echo" % (user.uid, oriel.session_of(user.name)["id"])

    def now(self):
        """(pid of who asks, answers so far); (0, 0): nobody had one yet."""
        try:
            with open(self.path) as f:
                return tuple(int(x) for x in f.read().split())
        except FileNotFoundError:
            return 0, 0

    def wait(self, but=0, answers=5):
        """Until another process than `but` has so many answers. Returns its pid."""
        wait_for(lambda: self.now()[0] not in (0, but) and self.now()[1] >= answers, 10, "answers to the service")
        return self.now()[0]


@pytest.mark.core
def test_a_service_reaches_a_real_client_and_comes_back_when_it_is_killed(with_echo, connect, person):
    anna = person("anna")
    client = connect(with_echo, anna, options=("+echo",))
    client.wait_stamp(anna.stamp)
    echoes = Echoes(with_echo, anna)
    pid = echoes.wait()
    assert os.stat("/proc/%d" % pid).st_uid == anna.uid
    for _ in range(2):
        os.kill(pid, signal.SIGKILL)
        pid = echoes.wait(but=pid)
    client.wait_text("$")
    client.type("clear; echo the rest lives\n")     # nobody else noticed
    client.wait_text("the rest lives")
    again = connect(with_echo, anna, options=("+echo",))    # who takes over gets a process of its own
    again.wait_stamp(anna.stamp)
    echoes.wait(but=pid)


@pytest.mark.core
def test_a_service_goes_with_its_client_and_outlives_the_monitor(with_echo, connect, person):
    anna = person("anna")
    client = connect(with_echo, anna, options=("+echo",))
    client.wait_stamp(anna.stamp)
    echoes = Echoes(with_echo, anna)
    pid = echoes.wait()
    before = echoes.now()[1]
    os.kill(with_echo.pid_of("oriel-monitor"), signal.SIGKILL)
    wait_for(lambda: echoes.now() > (pid, before + 20), 10, "answers without a monitor")
    os.kill(pid, signal.SIGKILL)        # the next monitor brings it back, though it never granted it itself
    second = echoes.wait(but=pid)
    client.kill()
    with_echo.wait_state("anna", "detached")
    wait_for(lambda: not os.path.exists("/proc/%d" % second), 5, "the end of the service's process")


@pytest.mark.core
def test_a_client_without_the_channel_has_all_the_rest(with_echo, connect, person):
    anna = person("anna")
    client = connect(with_echo, anna)
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    client.type("clear; echo here anyway\n")
    client.wait_text("here anyway")
    wait_for(lambda: "echo channel closed by the client" in with_echo.log(), 5, "the client's refusal")
    assert Echoes(with_echo, anna).now() == (0, 0) and "service gone" not in with_echo.log()
