# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of each process in each state: no session is lost unless its own display or leader died, and nothing is left."""
import os
import signal
import subprocess
import time

import pytest

from harness import procs
from harness.rdp import Closed, Rdp
from harness.world import wait_for

STATES = ["idle", "streaming", "attaching", "detaching"]
SURVIVED = ["oriel-server", "oriel-peer", "oriel-keys", "oriel-monitor", "oriel-agent"]
FATAL = ["oriel-leader", "Xorg"]


def pids(service, what, session):
    if what == "oriel-leader":
        return [session["pids"]["leader"]]
    if what == "Xorg":
        return [session["pids"]["display"]]
    if what == "oriel-agent":
        return [session["pids"]["agent"]]
    return [p.pid for p in service.children(what)]


def kill(found):
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def bring_into(state, oriel, connect, anna):
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    session = oriel.wait_state("anna", "active")
    raw = None
    if state == "attaching":
        raw = Rdp(oriel.port)
        try:
            raw.login("anna", anna.password)
        except Closed:
            pass
    elif state == "detaching":
        client.kill()
    return session, raw


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", SURVIVED)
def test_a_session_survives_the_death_of(oriel, connect, person, what, state):
    anna = person("anna", stream=state == "streaming")
    session, raw = bring_into(state, oriel, connect, anna)
    shell = wait_for(lambda: anna.read("shell-pid").strip(), 8, "the shell")
    found = pids(oriel, what, session)
    if what != "oriel-peer":
        assert found, "no " + what
    kill(found)
    killed = time.monotonic()
    if raw:
        raw.close()
    assert procs.alive(int(shell))
    # a person tries again until it works, and it must within 3 s (5 s where a supervisor has to start something again)
    last = None
    while True:
        try:
            oriel.wait_listening(3)
            again = connect(oriel, anna, options=("-auto-reconnect",))
            again.wait_stamp(anna.stamp, 6)
            break
        except AssertionError as e:
            last = e
            if time.monotonic() - killed > 15:
                raise AssertionError("no way back into the session: %s" % last) from e
    assert procs.alive(int(shell)) and anna.read("shell-pid").strip() == shell
    assert anna.read("started").count("started-") == 1
    again.type("echo still the same\n")
    again.wait_text("still the same")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", FATAL)
def test_when_the_display_or_the_leader_dies_nothing_of_the_session_is_left(oriel, connect, person, what, state):
    anna = person("anna", stream=state == "streaming")
    session, raw = bring_into(state, oriel, connect, anna)
    number = session["display"]
    number = int(str(number).lstrip(":"))
    its_own = {p.pid for p in procs.of_user("anna")}
    kill(pids(oriel, what, session))
    wait_for(lambda: not its_own & {p.pid for p in procs.of_user("anna")}, 5, "no process of the session")
    wait_for(lambda: (oriel.session_of("anna") or {}).get("id") != session["id"], 5, "no session")
    if raw:
        raw.close()

    def at_rest():
        new = oriel.session_of("anna") if raw else None
        if new:    # whoever was attaching came a moment later
            oriel.ctl("logoff", new["id"], check=False)
        return not procs.of_user("anna") and not oriel.session_of("anna")
    wait_for(at_rest, 5, "no process of the user")
    wait_for(lambda: not os.path.exists("/tmp/.X11-unix/X%d" % number) and not os.path.exists("/tmp/.X%d-lock" % number), 5, "no X socket or lock")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)


def logged_in(user):
    return user in subprocess.run(["who", "/run/utmp"], capture_output=True, text=True).stdout


@pytest.mark.parametrize("warden", ["with-its-warden", "alone"])
def test_a_killed_leader_leaves_no_login_record_no_lock_and_no_socket(oriel, connect, person, warden):
    """With its warden dead, too, nobody but the monitor can clear up: not even the X server, which is killed with them."""
    anna = person("anna")
    connect(oriel, anna, options=("-auto-reconnect",)).wait_stamp(anna.stamp)
    session = oriel.wait_state("anna", "active")
    places = [p % session["display"].lstrip(":") for p in ("/tmp/.X%s-lock", "/tmp/.X11-unix/X%s")]
    leader = session["pids"]["leader"]
    parent = procs.Process(procs.Process(leader).ppid)
    assert parent.exe == "oriel-leader" and logged_in("anna") and all(os.path.exists(p) for p in places)
    kill(([parent.pid] if warden == "with-its-warden" else []) + [leader, session["pids"]["display"]])
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")
    wait_for(lambda: not logged_in("anna"), 5, "no login record")
    wait_for(lambda: not [p for p in places if os.path.exists(p)], 5, "neither lock nor socket")
    oriel.wait_no_session("anna")


@pytest.mark.core
def test_sessions_survive_the_whole_service(make_oriel, connect, person):
    """All daemons and their supervisor are killed at once; a new `oriel` finds the session again."""
    oriel = make_oriel()
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    shell = wait_for(lambda: anna.read("shell-pid").strip(), 8, "the shell")
    daemons = [p.pid for n in ("oriel-server", "oriel-monitor", "oriel-keys", "oriel-peer") for p in oriel.children(n)]
    os.kill(oriel.process.pid, signal.SIGKILL)
    kill(daemons)
    oriel.process.wait()
    client.wait_end()
    assert procs.alive(int(shell))
    oriel.start()
    oriel.wait_state("anna", "detached", 5)
    again = connect(oriel, anna)
    again.wait_stamp(anna.stamp)
    assert anna.read("shell-pid").strip() == shell


@pytest.mark.core
def test_an_orderly_restart_keeps_sessions(make_oriel, connect, person):
    oriel = make_oriel()
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    shell = wait_for(lambda: anna.read("shell-pid").strip(), 8, "the shell")
    oriel.stop()
    client.wait_end()
    assert procs.alive(int(shell))
    assert not [p for n in ("oriel-server", "oriel-monitor", "oriel-keys", "oriel-peer", "oriel") for p in procs.named(n) if "--config" in p.argv and oriel.config in p.argv]
    oriel.start()
    again = connect(oriel, anna)
    again.wait_stamp(anna.stamp)
    assert anna.read("shell-pid").strip() == shell


@pytest.mark.option("session.stop_with_service")
def test_with_stop_with_service_an_end_of_the_service_logs_everybody_off(make_oriel, connect, person):
    oriel = make_oriel(session__stop_with_service="true")
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    oriel.stop()
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")


def say(user, text):
    """A line in the user's terminal that nobody typed: whoever sees it sees live pictures."""
    with open("/proc/%s/fd/0" % user.read("shell-pid").strip(), "w") as tty:
        tty.write(text + "\r\n")


@pytest.mark.parametrize("what", ["oriel-monitor", "oriel-server"])
def test_a_client_stays_connected_or_comes_back_when_a_daemon_restarts(oriel, connect, person, wire, what):
    anna = person("anna")
    w = wire(oriel)
    client = connect(oriel, anna, port=w.port, options=("/auto-reconnect", "/auto-reconnect-max-retries:20"))
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    first = oriel.wait_state("anna", "active")["clients"][0]["id"]
    kill([p.pid for p in oriel.children(what)])
    wait_for(lambda: oriel.children(what), 5, "a new " + what)

    def back():
        s = oriel.session_of("anna")
        return s and s["state"] == "active" and s["clients"] and (what == "oriel-monitor" or s["clients"][0]["id"] != first)
    wait_for(back, 20, "the client in its session again", 0.1)
    # what is typed before the client shows live pictures goes into a connection that ends: a person waits for them, too
    say(anna, "pictures go on")
    client.wait_text("pictures go on", 12)
    client.type("echo and so do keys\n")
    client.wait_text("and so do keys", 12)
    assert w.connections == (1 if what == "oriel-monitor" else w.connections)
