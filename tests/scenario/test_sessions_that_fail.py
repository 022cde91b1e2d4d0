# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that does not start says so, with the end of its log; never a black screen."""
import os
import shutil

import numpy as np
import pytest

from harness import procs, users
from harness.screen import colours
from harness.world import wait_for


def not_black(client):
    p = client.pixels()
    return p.size and colours(p, 8) > 8 and (p.max(axis=2) > 40).mean() > 0.01


@pytest.mark.lived_in
@pytest.mark.core
def test_an_xsession_that_ends_at_once_shows_its_log(oriel, connect, person):
    anna = person("anna")
    anna.xsession("echo the-reason-why >&2\nexit 3\n")
    client = connect(oriel, anna)
    wait_for(lambda: not_black(client), 12, "a notice on the screen")
    client.save("failed-xsession")
    client.close()
    wait_for(lambda: not procs.of_user("anna"), 6, "no process of the user")


@pytest.mark.option("display.xorg")
def test_an_x_server_that_cannot_start_is_told(make_oriel, connect, person):
    oriel = make_oriel(display__xorg="/bin/false")
    anna = person("anna")
    client = connect(oriel, anna)
    wait_for(lambda: not_black(client), 12, "a notice on the screen")
    client.save("failed-xorg")
    client.close()
    wait_for(lambda: not procs.of_user("anna"), 6, "no process of the user")


@pytest.mark.lived_in
def test_a_keymap_that_somebody_else_put_in_the_way_keeps_no_session_from_starting(make_oriel, connect, person):
    """X servers get their keymap through /tmp/server-N.xkm, a name that any user can take first."""
    oriel = make_oriel(display__first=6000)
    anna, ben = person("anna"), users.user("ben")
    users.run("setpriv", "--reuid", "ben", "--regid", "ben", "--clear-groups", "sh", "-c",
              "umask 077; echo junk >/tmp/server-6000.xkm; mkdir /tmp/server-6001.xkm; touch /tmp/server-6001.xkm/x")
    assert os.stat("/tmp/server-6000.xkm").st_uid == ben.uid
    try:
        connect(oriel, anna).wait_stamp(anna.stamp)
        assert oriel.session_of("anna")["display"] == ":6000"
        cleo = person("cleo", person.another_stamp())
        connect(oriel, cleo).wait_stamp(cleo.stamp)
        assert oriel.session_of("cleo")["display"] == ":6002"
    finally:
        shutil.rmtree("/tmp/server-6001.xkm")
    oriel.logoff_all()
    assert not [n for n in os.listdir("/tmp") if n.endswith(".xkm")]


def test_a_session_that_says_too_much_does_not_fill_the_disk(oriel, connect, person):
    anna = person("anna", extra="(i=0; while [ $i -lt 140000 ]; do echo the same complaint over and over, number $i; i=$((i+1)); done; touch ~/typed) &")
    connect(oriel, anna).wait_stamp(anna.stamp)
    log = "%s/.local/state/oriel/%s-session-%d.log" % (anna.home, os.uname().nodename, oriel.session_of("anna")["id"])
    wait_for(lambda: os.path.exists(anna.home + "/typed"), 120, "seven megabytes of complaints")
    wait_for(lambda: os.stat(log).st_size <= 4 << 20, 20, "a log that is kept short")
    with open(log) as f:
        text = f.read()
    assert "[earlier lines were dropped here" in text and text.endswith("over, number 139999\n")


@pytest.mark.lived_in
def test_without_an_xsession_the_fallback_is_a_usable_desktop(oriel, connect, person):
    anna = person("anna")
    anna.remove(".xsession")
    client = connect(oriel, anna)
    wait_for(lambda: not_black(client), 12, "a desktop")
    oriel.wait_state("anna", "active")
    client.save("fallback")


@pytest.mark.option("session.start_command")
def test_a_start_command_of_the_configuration_is_used(make_oriel, connect, person):
    anna = person("anna")
    oriel = make_oriel(session__start_command=anna.stamp.command())
    anna.remove(".xsession")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)


@pytest.mark.option("session.max_sessions")
def test_a_full_host_refuses_with_a_reason(make_oriel, connect, person):
    oriel = make_oriel(session__max_sessions=1)
    anna, ben = person("anna"), person("ben", person.another_stamp())
    connect(oriel, anna).wait_stamp(anna.stamp)
    client = connect(oriel, ben)
    wait_for(lambda: not_black(client), 12, "the reason on the screen")
    assert not procs.of_user("ben")
    oriel.logoff("anna")


@pytest.mark.option("session.disconnected_limit")
def test_a_detached_session_ends_after_its_limit(make_oriel, connect, person):
    oriel = make_oriel(session__disconnected_limit=2)
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    client.kill()
    oriel.wait_no_session("anna", 10)
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")


@pytest.mark.option("session.idle_limit")
def test_an_idle_client_is_disconnected_after_its_limit(make_oriel, connect, person):
    oriel = make_oriel(session__idle_limit=3)
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    assert client.wait_end(12) == 3      # ERRINFO_IDLE_TIMEOUT
    oriel.wait_state("anna", "detached")
