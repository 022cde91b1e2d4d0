# SPDX-License-Identifier: GPL-3.0-or-later
"""Several monitors: what a client with mstsc's profile is told, where its clicks land, and where it is told to point."""
import struct

import mstsc
import pytest
from test_connect import logged_in

BUTTON, DOWN, LEFT = 4, 1, 1

# name: monitors as the client has them, its primary's corner at 0,0 (MS-RDPBCGR 2.2.1.3.6.1), and which one that is
ARRANGED = {
    "alone": ([(0, 0, 640, 400)], 0),
    "primary left": ([(0, 0, 600, 400), (600, 50, 400, 300)], 0),
    "primary right": ([(-400, 0, 400, 300), (0, 0, 600, 400)], 1),
    "primary right, said first": ([(0, 0, 600, 400), (-400, 0, 400, 300)], 0),
    "primary below": ([(0, 0, 600, 400), (100, -300, 400, 300)], 0),
    "L, primary in the corner": ([(0, -300, 400, 300), (0, 0, 600, 400), (600, 0, 300, 400)], 1),
    "L, primary at the end": ([(-600, -300, 400, 300), (-600, 0, 600, 400), (0, 0, 300, 400)], 2),
}


def corner(monitors):
    return min(m[0] for m in monitors), min(m[1] for m in monitors)


def size(monitors):
    x, y = corner(monitors)
    return max(m[0] + m[2] for m in monitors) - x, max(m[1] + m[3] for m in monitors) - y


def definitions(monitors, primary):
    """TS_MONITOR_DEF, counted from the primary's corner."""
    return struct.pack("<I", len(monitors)) + b"".join(
        struct.pack("<iiiiI", x, y, x + w - 1, y + h - 1, i == primary) for i, (x, y, w, h) in enumerate(monitors))


def reset_graphics(monitors, primary):
    """RDPGFX_RESET_GRAPHICS_PDU (MS-RDPEGFX 2.2.2.14): 340 bytes with the header."""
    return (struct.pack("<II", *size(monitors)) + definitions(monitors, primary)).ljust(332, b"\0")


def told(c):
    return [body for command, body in c.commands if command == mstsc.RESET]


def layouts(c):
    """Monitor Layout PDUs (MS-RDPBCGR 2.2.12.1)."""
    return [body for kind, _, body in c.seen if kind == "data-55"]


def clicks_land(c, drawer, monitors, laid):
    """A client counts the pointer from the corner of its output. A click on each monitor arrives on that monitor, at the same place of it."""
    left, top = corner(monitors)
    for i, (x, y, w, h) in enumerate(monitors):
        for dx, dy in ((0, 0), (17, 23), (w - 1, h - 1)):
            n = len(drawer.events)
            c.click(x + dx - left, y + dy - top)
            c.until(lambda: len([e for e in drawer.events[n:] if e[0] == BUTTON]) >= 2, what="click on monitor %d" % i)
            expected = (laid[i][0] + dx, laid[i][1] + dy)
            assert [(e[1], e[2]) + e[3:5] for e in drawer.events[n:] if e[0] == BUTTON] == [(DOWN, LEFT) + expected, (0, LEFT) + expected]


def all_is_right(c, drawer, monitors, primary, laid):
    left, top = corner(monitors)
    assert [m[:4] for m in laid] == [(x - left, y - top, w, h) for x, y, w, h in monitors]
    assert [m[8] for m in laid] == [i == primary for i in range(len(monitors))]
    clicks_land(c, drawer, monitors, laid)


@pytest.mark.parametrize("name", ARRANGED)
def test_monitors_count_from_the_primary_and_everything_else_from_the_union(world, name):
    monitors, primary = ARRANGED[name]
    width, height = size(monitors)
    c, m = logged_in(world, width, height, monitors=monitors, primary=primary)
    assert layouts(c) == [definitions(monitors, primary)]
    assert told(c) == [reset_graphics(monitors, primary)]
    assert [struct.unpack("<HHII", body)[2:] for command, body in c.commands if command == mstsc.MAP] == [(0, 0)]
    all_is_right(c, m.drawer, monitors, primary, m.drawer.opened)
    m.drawer.point(width - 5, height - 7)
    position = struct.pack("<BHHH", 8, 4, width - 5, height - 7)
    c.until(lambda: any(position in p for _, _, p in c.updates()), what="pointer position")


def test_monitors_come_and_go(world):
    """2, 1, 3, 2."""
    monitors, primary = ARRANGED["primary right"]
    c, m = logged_in(world, *size(monitors), monitors=monitors, primary=primary)
    c.until(lambda: c.control_caps, what="display control")
    expected = [reset_graphics(monitors, primary)]
    for name in ("alone", "L, primary at the end", "primary below"):
        monitors, primary = ARRANGED[name]
        n = c.frames
        c.ask_layout(monitors, primary)
        expected.append(reset_graphics(monitors, primary))
        c.until(lambda: len(told(c)) == len(expected) and c.frames > n, what="picture of " + name)
        assert told(c) == expected
        all_is_right(c, m.drawer, monitors, primary, m.drawer.layouts[-1])


def test_monitors_come_and_go_where_there_is_no_graphics_channel(world):
    monitors, primary = ARRANGED["primary right"]
    c = mstsc.Mstsc(world.port, monitors=monitors, primary=primary, refuse=(mstsc.GRAPHICS,), width=1000, height=400).login("alice", "secret")
    m = world.last()
    c.until(lambda: m.drawer and m.drawer.done and c.updates() and c.control_caps, what="picture")
    expected = [definitions(monitors, primary)]
    for name in ("alone", "L, primary at the end", "primary below"):
        monitors, primary = ARRANGED[name]
        n = len(m.drawer.done)
        c.ask_layout(monitors, primary)
        expected.append(definitions(monitors, primary))
        c.until(lambda: len(layouts(c)) == len(expected) and len(m.drawer.done) > n, what="picture of " + name)
        assert layouts(c) == expected
        all_is_right(c, m.drawer, monitors, primary, m.drawer.layouts[-1])


def test_another_primary_is_told_though_the_size_is_the_same(world):
    c = mstsc.Mstsc(world.port, monitors=[(0, 0, 500, 400), (500, 0, 500, 400)], refuse=(mstsc.GRAPHICS,), width=1000, height=400)
    c.login("alice", "secret")
    m = world.last()
    c.until(lambda: m.drawer and m.drawer.done and c.updates() and c.control_caps, what="picture")
    swapped = [(-500, 0, 500, 400), (0, 0, 500, 400)]
    c.ask_layout(swapped, 1)
    c.until(lambda: len(layouts(c)) == 2, what="new monitors")
    assert layouts(c) == [definitions([(0, 0, 500, 400), (500, 0, 500, 400)], 0), definitions(swapped, 1)]
    all_is_right(c, m.drawer, swapped, 1, m.drawer.layouts[-1])


def test_a_client_whose_list_was_not_taken_is_told_what_it_got(worlds):
    """Wider than display.max_width: one monitor instead, of the size it asked for."""
    world = worlds.make(display__max_width=800)
    monitors = [(0, 0, 600, 400), (-400, 0, 400, 300)]
    c, m = logged_in(world, 640, 400, monitors=monitors)
    assert len(m.drawer.opened) == 1
    whole = m.drawer.opened[0][:4]
    assert layouts(c) == [definitions([whole], 0)] and told(c) == [reset_graphics([whole], 0)]
    clicks_land(c, m.drawer, [whole], m.drawer.opened)
