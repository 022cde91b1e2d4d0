# SPDX-License-Identifier: GPL-3.0-or-later
"""Granted services at the peer, by ECHO (MS-RDPEECO): the monitor and the session's process are ours."""
import random
import socket

import fake
import mstsc
import pytest
from fake import wait_for

NAME = "ECHO"


class Echoing(mstsc.Mstsc):
    """Has the channel, and sends back what comes on it, as long as `answers` is set."""
    answers = True

    def __init__(self, *args, **kw):
        super().__init__(*args, width=320, height=240, **kw)
        self.others = (NAME,)

    def on_other(self, name, data):
        if self.answers:
            self.tell(NAME, data)

    def echoed(self):
        return [data for name, data in self.told if name == NAME]


@pytest.fixture
def world(worlds):
    return worlds.make(peer="server/oriel-peer-test-services")


def logged_in(world, kind=Echoing, **kw):
    c = kind(world.port, **kw).login("alice", "secret")
    c.until(lambda: c.frames > 0 and c.control_caps, what="channels")
    return c, world.last()


def granted(world, **limits):
    c, m = logged_in(world)
    e = m.service(fake.Echo(), **limits)
    c.until(lambda: NAME in c.ids, what="channel of the service")
    return c, m, e


def still_serves(c, m):
    """The picture goes on, whatever became of the service."""
    n = c.frames
    m.drawer.repaint(n)
    c.until(lambda: c.frames > n, what="frame")


def test_what_the_session_asks_comes_back_whole_and_in_order(world):
    c, m, e = granted(world)
    asked = [(1000 + i, random.Random(i).randbytes(n)) for i, n in enumerate((1, 2, 1597, 1598, 1599, 1600, 5000, fake.PIECE_MAX))]
    for ident, data in asked:
        e.ask(ident, data)
    c.until(lambda: len(e.answers) == len(asked), what="answers")
    assert e.answers == asked
    assert c.echoed() == [data for _, data in asked]
    still_serves(c, m)


def test_what_is_not_granted_is_not_announced(world):
    c, m = logged_in(world)
    still_serves(c, m)
    assert sorted(c.ids) == sorted((mstsc.GRAPHICS, mstsc.CONTROL))


def test_a_grant_that_comes_before_the_client_is_active_waits_for_it(world):
    class Early(fake.Monitor):
        def grant(self, user="alice"):
            super().grant(user)
            self.echo = self.service(fake.Echo())
    world.make_monitor = Early
    c, m = logged_in(world)
    c.until(lambda: NAME in c.ids, what="channel of the service")
    m.echo.ask(1, b"early")
    c.until(lambda: m.echo.answers == [(1, b"early")], what="answer")


def test_before_the_verdict_nothing_can_be_granted(world):
    class Hasty(fake.Monitor):
        echo = None

        def judge(self, *args):
            self.echo = self.service(fake.Echo())
            self.send_verdict(fake.REFUSE, reason=1)
    world.make_monitor = Hasty
    c = Echoing(world.port).login("alice", "secret")
    c.until(lambda: c.updates(), what="logon screen")
    m = world.last()
    wait_for(m.echo.closed.is_set, what="end of the link")
    assert "service refused" in world.text() and "before the verdict" in world.text()
    m.grant("alice")
    c.until(lambda: c.frames > 0, what="frame")
    assert NAME not in c.ids


@pytest.mark.parametrize("service, limits, why", [
    (fake.SERVICE_DISPLAY, {}, "no such service in this build"), (200, {}, "no such service in this build"),
    (fake.SERVICE_ECHO, {"piece": 0}, "limits that allow nothing"), (fake.SERVICE_ECHO, {"directions": 0}, "limits that allow nothing")])
def test_a_senseless_grant_closes_its_link_and_no_more(world, service, limits, why):
    c, m = logged_in(world)
    e = m.service(fake.Echo(), service=service, **limits)
    wait_for(e.closed.is_set, what="end of the link")
    assert why in world.text()
    still_serves(c, m)
    assert NAME not in c.ids


def test_what_is_installed_knows_no_echo(worlds):
    world = worlds.make()
    c, m = logged_in(world)
    e = m.service(fake.Echo())
    wait_for(e.closed.is_set, what="end of the link")
    assert "no such service in this build" in world.text()
    still_serves(c, m)
    assert NAME not in c.ids


def fill(c, e, taken=0):
    """Ask until the link takes no more, though the client was asked `taken` questions already. Returns how many it took."""
    sent = 0
    while sent < 1000:
        try:
            e.ask(sent, bytes([sent & 255]) * 20000, socket.MSG_DONTWAIT)
            sent += 1
        except BlockingIOError:
            if len(c.echoed()) >= taken:    # else the peer is only not as quick as we are
                return sent
        c.run(0.02)
    raise AssertionError("somebody reads the link")


@pytest.mark.parametrize("later", [False, True])
def test_of_a_client_without_the_channel_the_link_stays_unread(world, later):
    """Closed, it would be brought back by the monitor, again and again."""
    c, m = logged_in(world, refuse=() if later else (NAME,))
    e = m.service(fake.Echo())
    if later:
        c.until(lambda: NAME in c.ids, what="channel of the service")
        c.drdynvc(bytes([0x40, c.ids[NAME]]))
    c.until(lambda: "echo channel closed by the client" in world.text(), what="refusal")
    assert fill(c, e) < 100
    still_serves(c, m)
    assert not c.echoed() and not e.closed.is_set()


def test_nothing_is_read_before_the_client_has_the_channel_nor_while_it_does_not_answer(world):
    """The socket is the back-pressure: what the client does not take stays with whoever sends it."""
    c, m, e = granted(world)
    c.answers = False
    sent = fill(c, e, 16)
    wait_for(lambda: c.run(0.1) and len(c.echoed()) == 16, what="as many as may wait")
    assert 16 < sent < 100
    still_serves(c, m)
    assert len(c.echoed()) == 16
    c.answers = True
    for data in c.echoed():
        c.tell(NAME, data)
    c.until(lambda: len(e.answers) == sent, what="the rest")
    assert e.answers == [(i, bytes([i & 255]) * 20000) for i in range(sent)]


def test_a_service_that_ends_is_taken_from_the_client_and_its_next_link_is_new(world):
    """Ten times, as often as a monitor does it."""
    c, m, e = granted(world)
    for i in range(10):
        c.answers = i % 2 == 0
        e.ask(i, b"%d" % i)
        c.until(lambda: c.echoed()[-1:] == [b"%d" % i], what="question")
        e.end()
        c.until(lambda: NAME not in c.ids, what="end of the channel")
        e = m.service(fake.Echo())
        c.until(lambda: NAME in c.ids, what="channel of the service")
    c.answers = True
    e.ask(99, b"new")   # answers to what the earlier ones asked are nobody's
    c.until(lambda: e.answers, what="answer")
    assert e.answers == [(99, b"new")]
    still_serves(c, m)


def test_a_second_link_takes_the_place_of_the_first(world):
    c, m, first = granted(world)
    c.answers = False
    first.ask(1, b"first")
    c.until(lambda: c.echoed() == [b"first"], what="question")
    second = m.service(fake.Echo())
    c.until(first.closed.is_set, what="end of the first link")
    c.answers = True
    second.ask(2, b"second")
    c.until(lambda: second.answers, what="answer")
    assert second.answers == [(2, b"second")] and not first.answers


@pytest.mark.parametrize("limits, size", [({"piece": 100}, 101), ({"transfer": 100}, 101), ({"directions": fake.TO_SESSION}, 1), ({}, 0)])
def test_a_service_that_goes_beyond_its_grant_is_ended(world, limits, size):
    c, m, e = granted(world, **limits)
    e.ask(1, bytes(size))
    c.until(e.closed.is_set, what="end of the link")
    c.until(lambda: NAME not in c.ids, what="end of the channel")
    assert not c.echoed() and "service stopped" in world.text()
    still_serves(c, m)


def test_a_direction_that_is_not_granted_carries_nothing(world):
    c, m, e = granted(world, directions=fake.TO_CLIENT)
    for i in range(40):     # more than may wait for an answer
        e.ask(i, b"one way")
    c.until(lambda: len(c.echoed()) == 40, what="questions")
    still_serves(c, m)
    assert not e.answers


@pytest.mark.parametrize("asked, size", [(False, 7), (True, fake.PIECE_MAX + 1)])
def test_an_answer_to_nothing_or_longer_than_any_question_ends_the_client(world, asked, size):
    c, m, e = granted(world)
    c.answers = False
    if asked:
        e.ask(1, b"question")
        c.until(lambda: c.echoed(), what="question")
    c.tell(NAME, bytes(size))
    assert c.run(10) is False
    wait_for(e.closed.is_set, what="end of the link")
    assert not e.answers


def test_services_end_with_their_client(world):
    c, m, e = granted(world)
    c.close()
    wait_for(e.closed.is_set, what="end of the link")
