# SPDX-License-Identifier: GPL-3.0-or-later
"""Static and dynamic channels: chunks and fragments, in order and out of it."""
import struct

import mstsc
import pytest
from fake import wait_for

FIRST, LAST, SHOW_PROTOCOL, SUSPEND, RESUME, COMPRESSED = 0x1, 0x2, 0x10, 0x20, 0x40, 0x200000
CEILING = 16384     # DYNAMIC_CEILING in rdp_channels.c
WIDE, SMALL = [(0, 0, 640, 480)], [(0, 0, 400, 300)]


class Cutting(mstsc.Mstsc):
    """Cuts what it says on drdynvc into small chunks, and does whatever `between` says after each of them."""
    cut = None
    flags = 0

    def between(self):
        pass

    def drdynvc(self, pdu):
        n = self.cut or len(pdu)
        for at in range(0, len(pdu), n):
            place = (FIRST if at == 0 else 0) | (LAST if at + n >= len(pdu) else 0)
            self.chunk("drdynvc", pdu[at:at + n], place | self.flags, len(pdu))
            if self.cut:
                self.between()


def ready(world, kind=Cutting, **kw):
    c = kind(world.port, width=320, height=240, **kw).login("alice", "secret")
    c.until(lambda: c.frames > 0 and c.control_caps, what="channels")
    return c, world.last()


def serves(world):
    c, _ = ready(world)
    c.close()


def layouts_arrive(c, m, *layouts):
    for monitors in layouts:
        n = len(m.drawer.layouts)
        c.ask_layout(monitors)
        c.until(lambda: len(m.drawer.layouts) > n, what="layout")
        assert tuple(m.drawer.layouts[-1][0][:4]) == monitors[0]


@pytest.mark.parametrize("cut", [1, 7, 24])
def test_a_message_may_come_in_chunks_of_any_size(world, cut):
    c, m = ready(world)
    c.cut = cut
    layouts_arrive(c, m, WIDE, SMALL)


def test_flags_that_mean_nothing_from_a_client_change_nothing(world):
    c, m = ready(world)
    c.chunk("drdynvc", b"", SUSPEND, 0)
    c.cut, c.flags = 20, SHOW_PROTOCOL | SUSPEND | RESUME | 0x80
    layouts_arrive(c, m, WIDE)
    c.chunk("drdynvc", b"", RESUME, 0)
    c.cut, c.flags = None, 0
    layouts_arrive(c, m, SMALL)


def test_channels_that_nobody_serves_are_joined_and_never_answered(world):
    """Whatever comes on them, in whatever order, is dropped and counted; what is served goes on between it."""
    class Mixing(Cutting):
        mixed = 0

        def between(self):
            self.chunk("cliprdr", b"clip", (0, FIRST, LAST, FIRST | LAST)[self.mixed % 4], 1 << 31)
            self.chunk("rdpsnd", b"sound", FIRST | COMPRESSED, 5)
            self.mixed += 1
    c, m = ready(world, Mixing)
    c.cut = 9
    layouts_arrive(c, m, WIDE, SMALL)
    assert c.mixed > 10
    assert {name for _, name, _ in c.channel_data()} <= {"drdynvc", str(c.message_channel)}
    c.close()
    wait_for(lambda: "chunks=%d bytes=%d" % (2 * c.mixed, 9 * c.mixed) in world.text(), what="count of what was dropped")


def test_what_is_sent_is_cut_at_1600_bytes(world):
    c, _ = ready(world)
    c.settle()
    sent = [data for _, name, data in c.channel_data() if name == "drdynvc"]
    assert max(len(data) for data in sent) == 1608
    for data in sent:
        total, flags = struct.unpack_from("<II", data)
        assert (total, flags) == (len(data) - 8, FIRST | LAST)


def hello(c):
    c.chunk("drdynvc", b"\x50\0\x01\0", FIRST | LAST, 4)


REFUSALS = {
    "longer than the channel's ceiling": [
        lambda c: c.chunk("drdynvc", bytes(100), FIRST, CEILING + 1),
        lambda c: c.chunk("drdynvc", bytes(100), FIRST, 0xFFFFFFFF),
        lambda c: c.chunk("drdynvc", bytes(CEILING + 1)[:15000], FIRST | LAST, CEILING + 1)],
    "more data than announced": [
        lambda c: c.chunk("drdynvc", bytes(100), FIRST | LAST, 99),
        lambda c: (c.chunk("drdynvc", bytes(1600), FIRST, 3199), c.chunk("drdynvc", bytes(1600), 0, 3199))],
    "less data than announced": [
        lambda c: c.chunk("drdynvc", bytes(100), FIRST | LAST, 101),
        lambda c: (c.chunk("drdynvc", bytes(1600), FIRST, 3201), c.chunk("drdynvc", bytes(1600), LAST, 3201))],
    "chunks of one message that announce different lengths": [
        lambda c: (c.chunk("drdynvc", bytes(1600), FIRST, 3200), c.chunk("drdynvc", bytes(1600), LAST, 3201))],
    "a message without its first chunk": [
        lambda c: c.chunk("drdynvc", bytes(100), LAST, 100),
        lambda c: c.chunk("drdynvc", bytes(100), 0, 200)],
    "a message begins inside another one": [
        lambda c: (c.chunk("drdynvc", bytes(100), FIRST, 200), c.chunk("drdynvc", bytes(100), FIRST, 200)),
        lambda c: (c.chunk("drdynvc", bytes(100), FIRST, 200), hello(c))],
    "compressed data, which was never offered": [
        lambda c: c.chunk("drdynvc", b"\x50\0\x01\0", FIRST | LAST | COMPRESSED, 4),
        lambda c: (c.chunk("drdynvc", bytes(100), FIRST, 200), c.chunk("drdynvc", bytes(50), LAST | COMPRESSED | 0x20000, 200))],
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_chunk_out_of_place_ends_the_client_and_the_log_says_why(world, why):
    for i, act in enumerate(REFUSALS[why], 1):
        c, _ = ready(world)
        act(c)
        assert c.run(5) is False
        wait_for(lambda: world.text().count(why) == i, what="reason in the log")
    assert "channel=drdynvc" in world.text()
    serves(world)


def test_before_the_verdict_nothing_on_a_channel_is_even_looked_at(world):
    c = Cutting(world.port, width=320, height=240).login("alice", "wrong")
    c.until(lambda: c.updates(), what="picture")
    for acts in REFUSALS.values():
        for act in acts:
            act(c)
    assert c.run(1) is True and not c.channel_data()
    c.close()
    wait_for(lambda: "data of unserved channels dropped" in world.text(), what="count of what was dropped")
    assert "channel data refused" not in world.text()


# --- fragments of dynamic channels (MS-RDPEDYC 3.1.5.2.3) ---
def fragments(ident, payload, n):
    """`payload` as DYNVC_DATA_FIRST and DYNVC_DATA, `n` bytes each."""
    yield bytes([0x28, ident]) + struct.pack("<I", len(payload)) + payload[:n]
    for at in range(n, len(payload), n):
        yield bytes([0x30, ident]) + payload[at:at + n]


def offer(entries):
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<QI", key, 400) for key in entries)
    return struct.pack("<HHI", mstsc.OFFER, 0, len(body) + 8) + body


def layout(width, height):
    body = struct.pack("<II", 40, 1) + struct.pack("<IiiIIIIIII", 1, 0, 0, width, height, 300, 200, 0, 100, 100)
    return struct.pack("<II", 2, len(body) + 8) + body


def test_fragments_of_different_channels_may_mix(world):
    c, m = ready(world)
    clipped = list(fragments(c.ids[mstsc.GRAPHICS], offer(range(1, 101)), 300))
    placed = list(fragments(c.ids[mstsc.CONTROL], layout(640, 480), 20))
    assert len(clipped) >= 4 and len(placed) >= 3
    for i in range(max(len(clipped), len(placed))):
        for parts in (clipped, placed):
            if i < len(parts):
                c.drdynvc(parts[i])
    c.until(lambda: m.drawer.layouts and any(k == mstsc.IMPORTED for k, _ in c.commands), what="layout and answer to the offer")
    assert tuple(m.drawer.layouts[-1][0][:4]) == (0, 0, 640, 480)
    assert struct.unpack_from("<H", next(b for k, b in c.commands if k == mstsc.IMPORTED))[0] == 100


def test_a_message_inside_another_one_of_its_channel_ends_the_client(world):
    c, _ = ready(world)
    first = next(fragments(c.ids[mstsc.CONTROL], layout(640, 480), 20))
    c.drdynvc(first)
    c.drdynvc(first)
    assert c.run(5) is False
    serves(world)
