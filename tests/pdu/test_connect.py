# SPDX-License-Identifier: GPL-3.0-or-later
"""A client with mstsc's profile: what it is offered, before and after the verdict."""
import random
import socket
import struct
import time

import fake
import mstsc
import pytest
from fake import wait_for
from harness.rdp import Rdp


def logged_in(world, width=320, height=240, kind=mstsc.Mstsc, **kw):
    """Small where nothing is said: this client is slow to unpack what it gets."""
    c = kind(world.port, width=width, height=height, **kw).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="first frame")
    return c, world.last()


def test_the_right_password_opens_graphics_and_control_and_a_frame_comes(world):
    c, m = logged_in(world, 1024, 768)
    assert c.selected == 1
    assert [s[0] for s in m.said][:2] == ["hello", "auth"]
    assert m.said[1] == ("auth", fake.PASSWORD, "alice", "", b"secret")
    assert c.confirmed[0][0] == mstsc.CAPS_107
    assert c.resets == [(1024, 768, 1)]
    first = [k for k, _ in c.commands]
    assert first.index(mstsc.CONFIRM) == 0 and first.index(mstsc.RESET) < first.index(mstsc.CREATE) < first.index(mstsc.MAP)
    c.until(lambda: c.control_caps, what="display control")
    assert c.control_caps[:3] == (5, 20, 15)
    assert world.hello[1].startswith("3.")


def test_before_the_verdict_there_is_a_picture_and_no_channel(world):
    c = mstsc.Mstsc(world.port).login("alice", "wrong")
    c.until(lambda: c.updates(), what="picture")
    c.drdynvc(b"\x50\0\x01\0")
    c.drdynvc(b"\x20\x01" + bytes(100))
    c.run(1)
    assert not c.channel_data() and not c.commands and not c.logon_info
    m = world.last()
    assert m.said[-1] == ("logon", "alice", 1) and m.drawer is None
    assert c.error_info is None


def test_without_credentials_the_screen_is_asked_at_once(world):
    c = mstsc.Mstsc(world.port).login("bob", "", flags=mstsc.INFO_FLAGS & ~8)
    c.until(lambda: c.updates(), what="picture")
    assert [s[0] for s in world.last().said] == ["hello", "logon"]
    assert world.last().said[1] == ("logon", "bob", 0)


def test_a_login_on_the_screen_opens_the_channels_then(world):
    c = mstsc.Mstsc(world.port).login("", "", flags=mstsc.INFO_FLAGS & ~8)
    c.until(lambda: c.updates(), what="picture")
    m = world.last()
    m.grant("alice")
    c.until(lambda: c.frames > 0, what="frame")
    assert c.logon_info


def test_a_client_without_graphics_gets_bitmaps_of_the_session(world):
    c = mstsc.Mstsc(world.port, refuse=(mstsc.GRAPHICS,)).login("alice", "secret")
    m = world.last()
    wait = lambda: m.drawer and m.drawer.done and c.updates()
    c.until(wait, what="bitmap update")
    assert not c.commands


def test_noise_fits_into_the_updates_of_a_client_without_fragments(world):
    """The scripted client announces no multifragment capability: 16,256 bytes is all that it takes at once."""
    world.make_monitor = lambda: painting(fake.Monitor(), lambda w, h, phase=0: random.Random(phase).randbytes(w * h * 4))
    c = mstsc.Mstsc(world.port, refuse=(mstsc.GRAPHICS,), width=640, height=480).login("alice", "secret")
    c.until(lambda: world.last().drawer and world.last().drawer.done and c.updates(), what="bitmap update")
    c.settle()
    assert "frame could not be sent" not in world.text()
    assert sum(len(p) for _, _, p in c.updates()) > 640 * 480 * 3


def painting(monitor, paint):
    class Painter(fake.Drawer):
        def __init__(self):
            super().__init__(paint=paint)
    monitor.session_drawer = Painter
    return monitor


def test_a_client_that_never_opens_graphics_gets_bitmaps_after_a_while(world):
    c = Rdp(world.port).login("alice", "secret")
    assert c.run(10, lambda: world.last().drawer and world.last().drawer.done and c.updates())
    assert c.updates()


class Offering(mstsc.Mstsc):
    """Offers its cache as soon as the graphics channel is open."""
    offers = ()

    def on_graphics(self, data):
        n = len(self.confirmed)
        super().on_graphics(data)
        for entries in self.offers if len(self.confirmed) > n else ():
            self.offer(entries)

    def offer(self, entries, announced=None):
        body = struct.pack("<H", len(entries) if announced is None else announced)
        self.gfx(mstsc.OFFER, body + b"".join(struct.pack("<QI", *e) for e in entries))

    def imported(self):
        replies = [b for k, b in self.commands if k == mstsc.IMPORTED]
        return [struct.unpack_from("<%dH" % struct.unpack_from("<H", b)[0], b, 2) for b in replies]


def offering(world, *offers):
    c = Offering(world.port, width=320, height=240)
    c.offers = offers
    c.login("alice", "secret")
    c.until(lambda: c.frames > 0 and len(c.imported()) == len(offers), what="answers to the offers")
    return c


def test_what_a_client_kept_is_taken_over_in_slots_of_its_own(world):
    c = offering(world, [(key, 64 * 64 * 4) for key in range(1000, 1300)])
    slots = c.imported()[0]
    assert len(slots) == 300 and len(set(slots)) == 300 and all(1 <= s <= 25600 for s in slots)


def test_an_offer_is_taken_until_its_first_lie(world):
    honest = (1, 16384)
    for lie in ((0, 16384), (2, 0), (2, 16385), (2, 1 << 30), (1, 16384)):
        c = offering(world, [honest, lie, (3, 16384)])
        assert len(c.imported()[0]) == 1, lie


def test_a_second_offer_ends_the_client(world):
    c = offering(world, [(5, 400), (6, 800)])
    assert len(c.imported()[0]) == 2
    c.offer([(7, 400)])
    assert c.run(5) is False


def test_an_offer_that_announces_more_than_it_has_ends_the_client(world):
    c, m = logged_in(world, kind=Offering)
    c.offer([(5, 400)], announced=5000)
    assert c.run(5) is False


def test_a_second_advertisement_starts_over(world):
    c, m = logged_in(world)
    creates, resets = c.count(mstsc.CREATE), len(c.resets)
    c.advertise()
    c.until(lambda: len(c.confirmed) == 2 and len(c.resets) > resets and c.count(mstsc.CREATE) > creates, what="new surface")


def test_the_session_says_logon_and_the_cookie_logs_in_again(world):
    c, m = logged_in(world)
    c.until(lambda: c.logon_info, what="logon notice")
    m.cookie(77, b"0123456789abcdef")
    c.until(lambda: c.cookie, what="cookie")
    assert c.cookie == (77, b"0123456789abcdef")
    c.close()
    verifier = b"v" * 16
    back = mstsc.Mstsc(world.port)
    wait_for(lambda: len(world.monitors) == 1)
    make = world.make_monitor
    world.make_monitor = lambda: with_cookie(make(), struct.pack("<I", 77) + verifier)
    back.login("alice", "", cookie=back.reconnect_cookie(77, verifier))
    back.until(lambda: back.frames > 0, what="frame after the cookie")
    assert [s[0] for s in world.last().said] == ["hello", "auth"]
    assert world.last().said[1][1] == fake.ARC


def with_cookie(monitor, secret):
    monitor.cookies[secret] = True
    return monitor


def test_a_bad_cookie_falls_back_to_the_password_then_to_the_screen(world):
    c = mstsc.Mstsc(world.port)
    c.login("alice", "secret", cookie=c.reconnect_cookie(1, b"x" * 16))
    c.until(lambda: c.frames > 0, what="frame")
    assert [s[1] for s in world.last().said if s[0] == "auth"] == [fake.ARC, fake.PASSWORD]
    d = mstsc.Mstsc(world.port)
    d.login("alice", "", flags=mstsc.INFO_FLAGS & ~8, cookie=d.reconnect_cookie(1, b"x" * 16))
    d.until(lambda: d.updates(), what="logon screen")
    assert world.last().said[-1] == ("logon", "alice", 9)


def test_several_monitors_reach_drawer_and_client(world):
    c, m = logged_in(world, width=3200, height=1200, monitors=[(0, 0, 1600, 1200), (1600, 0, 1600, 1200)])
    assert [x[:4] for x in m.drawer.opened] == [(0, 0, 1600, 1200), (1600, 0, 1600, 1200)]
    assert c.resets == [(3200, 1200, 2)]
    assert m.hello[1:4] == (3200, 1200, 2)


def test_a_monitor_left_of_the_primary_is_moved_to_the_origin(world):
    c, m = logged_in(world, width=2000, height=600, monitors=[(0, 0, 1000, 600), (-1000, 0, 1000, 600)])
    assert [x[:2] for x in m.drawer.opened] == [(1000, 0), (0, 0)]


def test_a_new_layout_resets_graphics_at_the_new_size(world):
    c, m = logged_in(world)
    c.until(lambda: c.control_caps, what="display control")
    c.ask_layout([(0, 0, 1280, 1024), (1280, 0, 800, 600)])
    c.until(lambda: len(c.resets) == 2, what="reset")
    assert c.resets[1] == (2080, 1024, 2)
    assert [x[:4] for x in m.drawer.layouts[0]] == [(0, 0, 1280, 1024), (1280, 0, 800, 600)]
    c.run(1)
    assert c.count(mstsc.CREATE) == 2 and ("status", 2080, 1024, 2) in m.said


def test_a_senseless_layout_changes_nothing(world):
    c, m = logged_in(world)
    c.until(lambda: c.control_caps, what="display control")
    c.ask_layout([(0, 0, 0, 0)])
    c.ask_layout([(0, 0, 300000, 300000)])
    c.ask_layout([(0, 0, 900, 700)])
    c.until(lambda: len(c.resets) == 2, what="reset")
    assert len(m.drawer.layouts) == 1


def test_without_display_control_a_new_size_reactivates(world):
    c = mstsc.Mstsc(world.port, refuse=(mstsc.GRAPHICS, mstsc.CONTROL)).login("alice", "secret")
    m = world.last()
    c.until(lambda: m.drawer and m.drawer.done and c.updates(), what="picture")
    with m.drawer.lock:
        m.drawer.new_buffer([(0, 0, 640, 480, 0, 0, 0, 0, 1)])
    before = [s[0] for s in c.seen].count("demand-active")
    c.until(lambda: [s[0] for s in c.seen].count("demand-active") > before, what="reactivation")
    n = len(c.updates())
    c.until(lambda: len(c.updates()) > n, what="picture at the new size")


def test_a_client_that_never_acknowledges_is_not_starved_and_not_flooded(world):
    c = mstsc.Mstsc(world.port, ack=False, width=320, height=240).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    m = world.last()
    for i in range(40):
        m.drawer.repaint(i * 6)
        c.run(0.05)
    c.run(6)
    assert c.frames >= 2
    assert m.drawer.frame == len(m.drawer.done) or m.drawer.frame == len(m.drawer.done) + 1


def test_a_client_whose_graphics_fall_silent_gets_a_new_channel(world):
    c = mstsc.Mstsc(world.port, width=320, height=240).login("alice", "secret")    # small: it takes its time to unpack
    m = world.last()
    c.until(lambda: c.frames > 0, what="frame")
    first = c.ids[mstsc.GRAPHICS]
    c.ack = False    # as a client that closed its end after an error: it says nothing, and shows nothing
    for i in range(80):
        m.drawer.repaint(i * 6)
        c.run(0.5)
        if c.count(mstsc.CONFIRM) == 2:
            break
    assert c.count(mstsc.CONFIRM) == 2 and len(c.resets) == 2
    c.ack, n = True, c.frames    # its first frame may have come with the confirmation
    wait_for(lambda: m.drawer.repaint(7), what="a drawer that may draw")
    c.until(lambda: c.frames > n, what="frame in the new channel")
    assert "graphics channel fell silent" in world.text()
    assert c.ids[mstsc.GRAPHICS] != first and first not in c.dynamic


def test_a_client_that_suspends_acknowledgement_gets_frames(world):
    c = mstsc.Mstsc(world.port, ack=False, width=320, height=240).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    c.acknowledge(1, depth=0xFFFFFFFF)
    m, n = world.last(), c.frames
    for i in range(20):
        m.drawer.repaint(i * 12)
        c.run(0.05)
    c.until(lambda: c.frames >= n + 10, seconds=5, what="ten frames")


def test_a_client_that_does_not_read_costs_no_memory_and_catches_up(world):
    noise = {i: random.Random(i).randbytes(1024 * 768 * 4) for i in range(3)}
    world.make_monitor = lambda: painting(fake.Monitor(), lambda w, h, phase=0: noise[phase % 3])
    c = mstsc.Mstsc(world.port)
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    c.login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    m, start = world.last(), c.frames
    c.acknowledge(1, depth=0xFFFFFFFF)
    for i in range(12):
        m.drawer.repaint(i)
        time.sleep(0.2)
    pid = list(world.peers.values())[0][0]
    resident = int(next(x for x in open("/proc/%d/status" % pid) if x.startswith("VmRSS")).split()[1])
    assert resident < 150000
    c.until(lambda: c.frames > start, seconds=20, what="frame")
    wait_for(lambda: m.drawer.frame == len(m.drawer.done) or c.run(0.2) is None, what="all frames given back")


def test_suppressed_output_sends_nothing_and_then_everything(world):
    c, m = logged_in(world)
    c.settle()
    c.data_pdu(35, struct.pack("<Bxxx", 0))
    wait_for(lambda: m.drawer.suppressed == [1], what="suppression")
    c.run(0.5)
    n = c.frames
    m.drawer.repaint(99)
    c.run(1)
    assert c.frames == n
    c.data_pdu(35, struct.pack("<BxxxHHHH", 1, 0, 0, 1023, 767))
    c.until(lambda: c.frames > n, what="frame")
    assert m.drawer.suppressed == [1, 0]


def test_refresh_rect_brings_unchanged_pixels_again(world):
    c, m = logged_in(world)
    c.settle()
    n = c.frames
    c.data_pdu(33, struct.pack("<BxxxHHHH", 1, 0, 0, 255, 255))
    c.until(lambda: c.frames > n, what="frame")


@pytest.mark.option("server.heartbeat")
def test_a_quiet_client_gets_a_heartbeat_and_nothing_else(worlds):
    world = worlds.make(server__heartbeat=1)
    c, m = logged_in(world)
    c.settle()
    n = len(c.seen)
    c.run(3)
    assert 2 <= len(c.seen) - n <= 4, c.seen[n:]
    quiet = worlds.make(server__heartbeat=0)
    c, m = logged_in(quiet)
    c.settle()
    n = len(c.seen)
    c.run(2)
    assert c.seen[n:] == []


def test_a_client_without_a_message_channel_gets_no_heartbeat_and_no_measurement(worlds):
    world = worlds.make(server__heartbeat=1)
    c, m = logged_in(world, messages=False)
    c.settle()
    n = len(c.seen)
    c.run(2.5)
    assert c.message_channel is None and c.seen[n:] == [] and c.measured == []


class Noise(fake.Drawer):
    """Pictures that need many bytes."""

    def __init__(self):
        super().__init__(paint=lambda w, h, phase=0: random.Random(phase).randbytes(w * h * 4))


def noisy(world):
    def make():
        m = fake.Monitor()
        m.session_drawer = Noise
        return m
    world.make_monitor = make


def test_a_large_frame_measures_the_way_to_the_client(world):
    noisy(world)
    c, m = logged_in(world)
    c.until(lambda: c.characteristics, what="network characteristics")
    rtt, kbit, average = c.characteristics[0]
    assert kbit == 320000 and rtt < 1000 and average == rtt
    assert c.measured[:3] == [0x0001, 0x0014, 0x0429]


def test_who_is_idle_is_not_measured(world):
    noisy(world)
    c, m = logged_in(world)
    c.settle(30)
    n = len(c.measured)
    c.run(6)
    assert len(c.measured) == n
    m.drawer.fill(0, 0, 8, 8, (1, 2, 3, 0))    # a small change is not worth it either
    c.run(1)
    assert len(c.measured) == n


def test_senseless_measurements_are_not_believed(world):
    noisy(world)
    c = mstsc.Mstsc(world.port, width=320, height=240)
    c.results = (1, 0xFFFFFFFF)
    c.login("alice", "secret")
    c.until(lambda: 0x0429 in c.measured, what="measurement")
    for sequence in (0, 1, 1, 77):    # twice, and what nobody asked for
        c.answer_measure(sequence, 0)
        c.answer_measure(sequence, 0x000B, struct.pack("<II", 0, 0xFFFFFFFF))
    assert c.run(1) and not c.characteristics
    assert c.frames


def test_the_pointer_goes_through_the_clients_cache(world):
    c, m = logged_in(world)
    n = len(c.updates())

    def codes():
        return [p[0] & 0x0F for _, _, p in c.updates()[n:]]
    shape = bytes([10, 20, 30, 255]) * (24 * 24)
    m.drawer.cursor(1, 24, 24, (3, 4), shape)
    m.drawer.cursor(2, 24, 24, (3, 4), shape)
    m.drawer.cursor(1, 24, 24, (3, 4), shape)
    m.drawer.cursor(3, 0, 0, (0, 0), b"")
    m.drawer.point(100, 120)
    c.until(lambda: len(codes()) >= 5, what="pointer updates")
    assert codes()[:5] == [11, 11, 10, 5, 8]


class Fragments(mstsc.Mstsc):
    """It takes updates in fragments, and large pointers (MS-RDPBCGR 2.2.7.2.6, 2.2.7.2.7)."""
    more_capabilities = ((26, struct.pack("<I", 1 << 20)), (27, struct.pack("<H", 1)))


def test_nothing_comes_between_the_fragments_of_a_pointer(world):
    world.make_monitor = lambda: painting(fake.Monitor(), lambda w, h, phase=0: random.Random(phase).randbytes(w * h * 4))
    c = Fragments(world.port, refuse=(mstsc.GRAPHICS,), width=640, height=480)
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    c.login("alice", "secret")
    c.until(lambda: c.updates(), what="picture")
    c.settle()
    m = world.last()
    for serial in range(1, 25):    # more than sockets hold: pointers and then pictures wait in the server
        m.drawer.cursor(serial, 96, 96, (3, 4), random.Random(serial).randbytes(96 * 96 * 4))
    m.drawer.repaint(1)
    wait_for(lambda: m.drawer.frame == m.drawer.done[-1], what="frame given back")
    last, first, following = 1, 2, 3
    c.until(lambda: sum(p[0] & 0x3F == 11 | last << 4 for _, _, p in c.updates()) == 24, what="large pointers")
    inside = None    # the update whose fragments are coming
    for code, fragment in [(p[0] & 0x0F, p[0] >> 4 & 3) for _, _, p in c.updates()]:
        assert inside == (code if fragment in (last, following) else None)
        inside = code if fragment in (first, following) else None


def test_lights_reach_the_keyboard(world):
    c, m = logged_in(world)
    m.drawer.leds(0x6)
    c.until(lambda: any(s[0] == "data-41" for s in c.seen), what="indicators")
    assert [s[2] for s in c.seen if s[0] == "data-41"][-1][2:4] == b"\x06\0"


def test_input_reaches_the_drawer(world):
    c, m = logged_in(world)
    c.scancode(0x1E)
    c.scancode(0x48, extended=True)
    c.type_unicode("ä")
    c.fastpath_input([struct.pack("<BH", 4 << 5, u) for u in (0xD83D, 0xDE00)])
    c.fastpath_input([struct.pack("<BHHH", 1 << 5, 0x0800, 7, 9)])                  # move
    c.fastpath_input([struct.pack("<BHHH", 1 << 5, 0x8000 | 0x2000, 7, 9)])         # right button down
    c.fastpath_input([struct.pack("<BHHH", 2 << 5, 0x8000 | 1, 7, 9)])              # back
    c.fastpath_input([struct.pack("<BHHH", 1 << 5, 0x0200 | (-3 & 0x1FF), 0, 0)])   # a fine step down
    c.fastpath_input([struct.pack("<BHHH", 1 << 5, 0x0400 | 120, 0, 0)])            # a notch to the right
    c.fastpath_input([struct.pack("<B", 3 << 5 | 0x6)])                             # locks
    wait_for(lambda: any(e[0] == 6 for e in m.drawer.events), what="input")
    e = m.drawer.events
    for wanted in ((1, 1, 0x1E, 0, 0, 0), (1, 0, 0x1E, 0, 0, 0), (1, 3, 0x48, 0, 0, 0), (2, 1, 0xE4, 0, 0, 0), (2, 1, 0x1F600, 0, 0, 0),
                   (3, 0, 0, 7, 9, 0), (4, 1, 3, 7, 9, 0), (4, 1, 8, 7, 9, 0), (5, 0, 0, 0, 0, -3), (5, 8, 0, 0, 0, 120), (6, 0, 6, 0, 0, 0)):
        assert wanted in e, (wanted, e)


def test_each_end_is_told_with_its_code(world):
    codes = {1: 5, 2: 3, 3: 4, 4: 7, 5: 1, 6: 2, 7: 12, 8: 11, 9: 17, 10: 1}
    for cause, code in codes.items():
        c, m = logged_in(world)
        m.end(cause)
        c.run(15)    # until it is closed
        assert c.error_info == code, (cause, c.error_info)


def test_an_unsealed_buffer_is_refused(world):
    class Unsealed(fake.Drawer):
        def __init__(self):
            super().__init__(sealed=False)

    def make():
        m = fake.Monitor()
        m.session_drawer = Unsealed
        return m
    world.make_monitor = make
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    wait_for(lambda: world.last().drawer and world.last().drawer.closed.is_set(), what="refusal")
    c.run(1)
    assert c.frames == 0 and "not sealed" in world.text()


# All that a drawer must not do: tests/unit/server/test_drawers.c
REFUSED = {
    "a rectangle that is not within the surface": lambda d: d.send_frame([(0, 0, d.size[0] + 1, 1)]),
    "too small": lambda d: d.lend_memory(missing=1),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_drawer_that_breaks_the_rules_is_refused(world, reason):
    c, m = logged_in(world)
    c.settle()
    REFUSED[reason](m.drawer)
    wait_for(m.drawer.closed.is_set, what="refusal")
    assert "reason=%s " % reason in world.text().replace('"', "")
    c.run(1)
    assert c.error_info is None    # who draws next is waited for


def bands(drawer, n):
    width, height = drawer.size
    return [(0, height * i // n, width, height * (i + 1) // n - height * i // n) for i in range(n)]


def test_what_is_told_before_a_frame_is_shown_with_it(world):
    c, m = logged_in(world)
    c.settle()
    n = c.frames
    m.drawer.memory[:] = m.drawer.paint(*m.drawer.size, 77)
    for band in bands(m.drawer, 3):
        m.drawer.tell_copied([band])
    m.drawer.send_frame([])
    c.until(lambda: c.frames > n, what="frame")
    assert m.drawer.done[-1] == m.drawer.frame
    c.settle()
    n = c.frames
    m.drawer.send_frame()    # all of it was taken: nothing is left to show
    c.run(1)
    assert c.frames == n


def test_parts_without_their_frame_are_shown_after_a_while(world):
    c, m = logged_in(world)
    c.settle()
    n = c.frames
    m.drawer.fill(0, 0, *m.drawer.size, (0, 0, 99, 0))
    c.until(lambda: c.frames > n, what="frame")
    c.settle()
    n = c.frames
    m.drawer.memory[:] = m.drawer.paint(*m.drawer.size, 55)
    m.drawer.tell_copied(bands(m.drawer, 1))
    c.until(lambda: c.frames > n, what="frame")


@pytest.mark.parametrize("parts, surface", [(9, 0), (1, 1)])
def test_more_parts_than_a_frame_has_and_parts_of_nothing_end_the_drawer(world, parts, surface):
    c, m = logged_in(world)
    c.settle()
    for band in bands(m.drawer, parts):
        m.drawer.tell_copied([band], surface)
    wait_for(m.drawer.closed.is_set, what="refusal")
    assert "display refused message=display_copied reason=\"%s\"" % ("too many parts" if parts == 9 else "unknown surface") in world.text()
    c.run(1)
    assert c.error_info is None    # who draws next is waited for


def test_the_monitor_may_restart_and_the_session_resumes(world):
    c, m = logged_in(world)
    world.link.shutdown(2)
    m.ours.shutdown(2)
    wait_for(lambda: world.last() is not m, what="fresh link")
    wait_for(lambda: world.last().said, what="words")
    wait_for(lambda: len(world.last().said) >= 2, what="resume")
    assert [s[0] for s in world.last().said] == ["hello", "resume"]
    assert world.last().said[1][1:] == (7, 1, b"t" * 16)
    n = c.frames
    m.drawer.repaint(50)
    c.until(lambda: c.frames > n, what="frame")


def test_a_killed_monitor_in_the_logon_screen_brings_it_back(world):
    c = mstsc.Mstsc(world.port).login("alice", "wrong")
    c.until(lambda: c.updates(), what="picture")
    m = world.last()
    world.link.shutdown(2)
    m.ours.shutdown(2)
    m.logon.close()
    wait_for(lambda: world.last() is not m and len(world.last().said) >= 2, what="logon again")
    assert [s[0] for s in world.last().said] == ["hello", "logon"]
    time.sleep(0.2)
    n = len(c.updates())
    world.last().logon.repaint(9)
    c.until(lambda: len(c.updates()) > n, what="picture")
