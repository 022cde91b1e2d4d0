# SPDX-License-Identifier: GPL-3.0-or-later
"""Detach, reattach, take-over: a session is not its client."""
import time

import pytest

from harness import procs
from harness.client import FREERDP2, FREERDP3
from harness.world import SANITIZED, stays, wait_for

pytestmark = pytest.mark.core


def shell_of(user):
    return wait_for(lambda: user.read("shell-pid").strip(), 8, "the terminal's shell")


def test_a_session_outlives_its_client_and_comes_back_as_it_was(oriel, connect, person):
    anna = person("anna")
    first = connect(oriel, anna)
    first.wait_stamp(anna.stamp)
    shell = shell_of(anna)
    first.wait_text("$")
    first.type("echo before the cut\n")
    first.wait_text("before the cut")
    first.kill()
    oriel.wait_state("anna", "detached")
    assert procs.alive(int(shell))
    second = connect(oriel, anna)
    second.wait_stamp(anna.stamp)
    second.wait_text("before the cut")
    second.type("echo after $((40+2))\n")
    second.wait_text("after 42")
    assert anna.read("shell-pid").strip() == shell
    assert anna.read("started").count("started-") == 1


@pytest.mark.takes(13)
def test_a_minimised_client_gets_nothing_and_then_everything(make_oriel, connect, person, wire):
    oriel = make_oriel(server__heartbeat=0)
    anna = person("anna", stream="film")
    w = wire(oriel)
    client = connect(oriel, anna, port=w.port, size=(1280, 960))
    client.wait_stamp(anna.stamp)
    peer = oriel.children("oriel-peer")[0]

    def flows(seconds=1.0):
        before = w.down
        time.sleep(seconds)
        return w.down > before
    wait_for(flows, 10, "the film")
    window, busy = client.window().id, procs.pss(peer.pid)
    client.screen.xdotool("windowminimize", str(window))
    wait_for(lambda: not flows(), 10, "silence")
    stays(lambda: not flows(0.1), 3, "pictures that nobody sees are sent")
    if not SANITIZED:   # the second picture, and the film's encoder
        wait_for(lambda: busy - procs.pss(peer.pid) > 3000, 10, "memory of %d kB given back" % busy)
    client.screen.xdotool("windowactivate", str(window))
    wait_for(flows, 10, "the film after the pause")
    client.wait_stamp(anna.stamp)
    client.wait_text("$")


def test_a_cut_client_comes_back_by_itself_without_a_password(oriel, connect, person, wire):
    anna = person("anna")
    w = wire(oriel)
    client = connect(oriel, anna, port=w.port, options=("/auto-reconnect", "/auto-reconnect-max-retries:10"))
    client.wait_stamp(anna.stamp)
    shell = shell_of(anna)
    mark = len(oriel.log())
    w.cut()
    # The old picture stays on the client's screen meanwhile, and what is typed before the client is in again is lost: so the log decides.
    wait_for(lambda: "graphics channel open" in oriel.log()[mark:], 30, "the graphics channel of the client's second connection")
    oriel.wait_state("anna", "active", 10)
    assert w.connections >= 2
    wait_for(lambda: w.open and client.shows(anna.stamp), 10, "the session's picture again")
    client.type("echo back again\n")
    client.wait_text("back again")
    assert anna.read("shell-pid").strip() == shell
    assert "cookie" in oriel.log()[mark:].lower()


def test_a_network_that_goes_silent_detaches_after_the_tcp_timeout(make_oriel, connect, person, wire):
    oriel = make_oriel(server__tcp_user_timeout=5, server__heartbeat=2)
    anna = person("anna")
    w = wire(oriel)
    client = connect(oriel, anna, port=w.port, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    shell = shell_of(anna)
    w.cut(reset=False)
    oriel.wait_state("anna", "detached", 15)
    assert procs.alive(int(shell))


def test_a_second_client_of_the_same_user_takes_over(oriel, connect, person):
    anna = person("anna")
    first = connect(oriel, anna, options=("-auto-reconnect",))
    first.wait_stamp(anna.stamp)
    shell = shell_of(anna)
    second = connect(oriel, anna, options=("-auto-reconnect",))
    second.wait_stamp(anna.stamp)
    assert first.wait_end() == 5    # ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION
    assert second.running()
    assert anna.read("shell-pid").strip() == shell
    assert len(oriel.session_of("anna")["clients"]) == 1


def test_two_users_work_at_once_and_see_only_their_own(oriel, connect, person):
    anna = person("anna")
    ben = person("ben", person.another_stamp())
    a, b = connect(oriel, anna), connect(oriel, ben)
    a.wait_stamp(anna.stamp)
    b.wait_stamp(ben.stamp)
    a.wait_text("$")
    b.wait_text("$")
    a.type("echo for anna\n")
    b.type("echo for ben\n")
    a.wait_text("for anna")
    b.wait_text("for ben")
    assert not a.has_text("for ben") and not b.has_text("for anna")
    sa, sb = oriel.session_of("anna"), oriel.session_of("ben")
    assert sa["display"] != sb["display"] and sa["id"] != sb["id"]


@pytest.mark.parametrize("first,second", [((800, 600), (1024, 768)), ((1024, 768), (640, 480)), ((801, 603), (1000, 700))])
def test_a_reattach_at_another_size_resizes_the_session(oriel, connect, person, first, second):
    anna = person("anna")
    c = connect(oriel, anna, size=first)
    c.wait_stamp(anna.stamp)
    c.kill()
    oriel.wait_state("anna", "detached")
    c = connect(oriel, anna, size=second)
    c.wait_stamp(anna.stamp)
    # GFX and clients of MS-RDPBCGR alike ask for even widths: the session is within one pixel of what was asked for.
    wait_for(lambda: abs(size_of(oriel, "anna")[0] - second[0]) <= 1 and abs(size_of(oriel, "anna")[1] - second[1]) <= 1, 8, "the new size")


def size_of(oriel, user):
    clients = oriel.session_of(user)["clients"]
    return (clients[0]["width"], clients[0]["height"]) if clients else (0, 0)


@pytest.mark.parametrize("how", ["disconnect", "logoff"])
def test_the_administrator_can_end_a_connection_or_a_session(oriel, connect, person, how):
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    oriel.ctl(how, oriel.session_of("anna")["id"])
    code = client.wait_end()
    if how == "disconnect":
        # ERRINFO_RPC_INITIATED_DISCONNECT; xfreerdp3 makes a 2 of it when the MCS ultimatum says "user requested"
        assert code in (1, 2)
        oriel.wait_state("anna", "detached")
    else:
        assert code == 2     # ERRINFO_RPC_INITIATED_LOGOFF
        oriel.wait_no_session("anna")


def test_leaving_the_desktop_logs_off_and_tells_the_client(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, options=("-auto-reconnect",))
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    # a desktop that ends within its first seconds counts as one that failed: see test_sessions_that_fail
    since = oriel.session_of("anna")["since"]
    wait_for(lambda: time.time() > since + 5, 8, "a session of five seconds")
    client.type("exit\n")
    assert client.wait_end() == 12   # ERRINFO_LOGOFF_BY_USER
    oriel.wait_no_session("anna", 5)
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")


def test_the_administrators_message_is_shown(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    before = client.pixels().copy()
    oriel.ctl("message", oriel.session_of("anna")["id"], "The machine restarts at noon")

    def changed():
        now = client.pixels()
        return now.shape == before.shape and (now != before).any(axis=2).sum() > 2000
    wait_for(changed, 6, "a notice on the screen")
    client.save("message")


@pytest.mark.parametrize("program", [FREERDP3, FREERDP2])
def test_resizing_the_clients_window_resizes_the_session(oriel, connect, person, program):
    anna = person("anna")
    client = connect(oriel, anna, size=(800, 600), program=program, options=("/dynamic-resolution",), screen_size=(1300, 1000))
    client.wait_stamp(anna.stamp)
    w = client.window()
    w.configure(width=1000, height=720)
    client.screen.dpy.sync()
    wait_for(lambda: abs(size_of(oriel, "anna")[0] - 1000) <= 2 and abs(size_of(oriel, "anna")[1] - 720) <= 30, 8, "the session's new size")
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    client.type("echo resized\n")
    client.wait_text("resized")


def test_resizing_many_times_in_a_row_ends_at_the_last_size(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, options=("/dynamic-resolution",), screen_size=(1300, 1000))
    client.wait_stamp(anna.stamp)
    w = client.window()
    for width in range(700, 1100, 40):
        w.configure(width=width, height=500 + width // 8)
        client.screen.dpy.sync()
        time.sleep(0.05)
    wait_for(lambda: abs(size_of(oriel, "anna")[0] - 1060) <= 2, 10, "the last size")
    client.wait_stamp(anna.stamp)
