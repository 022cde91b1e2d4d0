# SPDX-License-Identifier: GPL-3.0-or-later
"""Codecs, depths, sizes and monitors, with both FreeRDP generations."""
import os
import signal
import subprocess
import sys

import pytest

from harness import procs
from harness.client import FREERDP2, FREERDP3
from harness.inside import Inside, changed, exact
from harness.screen import Screen
from harness.world import SLACK, TREE, wait_for

sys.path.append(TREE + "/tests/pdu")
from mstsc import Mstsc  # noqa: E402

WAYS3 = {
    "default": (),
    "avc420": ("/gfx:AVC420",),
    "avc444": ("/gfx:AVC444",),
    "rfx-in-gfx": ("/gfx:RFX",),
    "gfx-without-h264": ("/gfx:AVC420:off,RFX:on",),
    "small-cache": ("/gfx:small-cache",),
    "thin-client": ("/gfx:thin-client",),
    "no-gfx": ("-gfx",),
    "no-gfx-rfx": ("-gfx", "/rfx"),
    "no-gfx-16bpp": ("-gfx", "/bpp:16"),
    "no-gfx-24bpp": ("-gfx", "/bpp:24"),
    "no-gfx-32bpp": ("-gfx", "/bpp:32"),
    "wan": ("/network:wan",),
    "modem": ("/network:modem",),
    "lan": ("/network:lan",),
    "compressed": ("+compression",),
    "multitransport": ("+multitransport",),
    "hardware-gdi": ("/gdi:hw",),
    "software-gdi": ("/gdi:sw",),
}
WAYS2 = {
    "default": (),
    "gfx": ("/gfx",),
    "avc420": ("/gfx:AVC420",),
    "avc444": ("/gfx:AVC444",),
    "rfx": ("/rfx",),
    "16bpp": ("/bpp:16",),
    "24bpp": ("/bpp:24",),
    "32bpp": ("/bpp:32",),
}
CASES = [(FREERDP3, n, o) for n, o in WAYS3.items()] + [(FREERDP2, n, o) for n, o in WAYS2.items()]
CORE = {(FREERDP3, "no-gfx"), (FREERDP3, "avc420"), (FREERDP2, "default"), (FREERDP2, "gfx"), (FREERDP3, "no-gfx-16bpp")}


def tolerance(options):
    return 40 if any("16" in o for o in options) else 28


@pytest.mark.parametrize("program,name,options", [
    pytest.param(p, n, o, id=("freerdp2-" if p == FREERDP2 else "freerdp3-") + n, marks=[pytest.mark.core] if (p, n) in CORE else [])
    for p, n, o in CASES])
def test_the_desktop_is_shown_and_typed_into_with(oriel, connect, person, program, name, options):
    anna = person("anna")
    client = connect(oriel, anna, program=program, options=options)
    client.wait_stamp(anna.stamp, tolerance=tolerance(options))
    client.wait_text("$")
    client.type("echo quick brown fox\n")
    client.wait_text("echo quick brown fox")


@pytest.mark.parametrize("size", [(640, 480), (801, 601), (1024, 1280), (1366, 768), (3840, 2160)])
def test_the_desktop_has_the_size_that_the_client_asks_for(oriel, connect, person, size):
    anna = person("anna")
    client = connect(oriel, anna, size=size, screen_size=(size[0] + 60, size[1] + 80))
    client.wait_stamp(anna.stamp)
    s = oriel.session_of("anna")["clients"][0]
    assert abs(s["width"] - size[0]) <= 1 and s["height"] == size[1]


def in_session(oriel, user, *command):
    s = oriel.session_of(user)
    display = str(s["display"])
    env = {"DISPLAY": display if ":" in display else ":" + display, "XAUTHORITY": s["xauthority"], "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, env=env, capture_output=True, text=True).stdout


def monitors_in_session(oriel, user):
    return [line.split()[2] for line in in_session(oriel, user, "xrandr", "--listmonitors").splitlines()[1:]]


def primary_in_session(oriel, user):
    lines = in_session(oriel, user, "xrandr", "--listmonitors").splitlines()[1:]
    return [line.split()[2].split("+", 1)[1] for line in lines if "*" in line.split()[1]]


def wait_pointer(oriel, user, x, y):
    where = "x:%d y:%d " % (x, y)
    wait_for(lambda: in_session(oriel, user, "xdotool", "getmouselocation").startswith(where), 6, "the pointer at %d,%d in the session" % (x, y))


def heads(primary):
    screen = Screen(1600, 600)
    for n, x in (("A", 0), ("B", 800)):
        name = ("*" if n == primary else "") + n
        subprocess.run(["xrandr", "--setmonitor", name, "800/200x600/150+%d+0" % x, "screen" if n == "A" else "none"], env=screen.env, check=True)
    return screen


@pytest.fixture
def two_heads():
    screen = heads(None)
    yield screen
    screen.close()


@pytest.fixture
def two_heads_primary_right():
    screen = heads("B")
    yield screen
    screen.close()


@pytest.mark.core
def test_two_monitors_of_the_client_are_two_monitors_in_the_session(oriel, connect, person, two_heads):
    anna = person("anna")
    client = connect(oriel, anna, screen=two_heads, size=None, options=("/multimon", "/f"))
    client.wait_stamp(anna.stamp)
    wait_for(lambda: len(monitors_in_session(oriel, "anna")) == 2, 6, "two monitors in the session")
    assert {m.split("+", 1)[1] for m in monitors_in_session(oriel, "anna")} == {"0+0", "800+0"}
    s = oriel.session_of("anna")["clients"][0]
    assert (s["width"], s["height"]) == (1600, 600)


@pytest.mark.core
@pytest.mark.parametrize("left", [0, 1280], ids=["primary-left", "primary-right"])
def test_two_monitors_of_a_client_that_speaks_as_mstsc_does(oriel, person, left):
    """All that Microsoft's client says (tests/pdu/mstsc.py); coordinates count from the primary monitor's corner."""
    anna = person("anna")
    monitors = [(0, 0, 1280, 800), (1280 - 2 * left, 0, 1280, 800)]
    client = Mstsc(oriel.port, monitors=monitors, width=2560, height=800).login("anna", anna.password)
    try:
        client.until(lambda: client.frames > 0, 20 * SLACK, "first frame")
        wait_for(lambda: len(monitors_in_session(oriel, "anna")) == 2, 6, "two monitors in the session")
        assert {m.split("+", 1)[1] for m in monitors_in_session(oriel, "anna")} == {"0+0", "1280+0"}
        assert client.resets[-1] == (2560, 800, 2)
        assert primary_in_session(oriel, "anna") == ["%d+0" % left]
        for x in (300, 1500):    # on either monitor, counted from the corner of both
            client.click(x, 200)
            wait_pointer(oriel, "anna", x, 200)
        s = oriel.session_of("anna")["clients"][0]
        assert (s["width"], s["height"]) == (2560, 800)
        seen = client.frames
        client.scancode(0x1C)
        client.until(lambda: client.frames > seen, 10 * SLACK, "an echo of the key")
    finally:
        client.close()


def test_with_the_primary_on_the_right_clicks_and_picture_are_where_they_belong(oriel, connect, person, two_heads_primary_right):
    anna = person("anna")
    client = connect(oriel, anna, screen=two_heads_primary_right, size=None, options=("/multimon", "/f"))
    client.wait_stamp(anna.stamp)
    wait_for(lambda: len(monitors_in_session(oriel, "anna")) == 2, 6, "two monitors in the session")
    assert primary_in_session(oriel, "anna") == ["800+0"]
    for x, y in ((150, 250), (950, 350)):
        two_heads_primary_right.click(x, y)
        wait_pointer(oriel, "anna", x, y)
    exact(client, Inside(oriel, "anna"))


def test_one_monitor_again_after_two(oriel, connect, person, two_heads):
    anna = person("anna")
    client = connect(oriel, anna, screen=two_heads, size=None, options=("/multimon", "/f"))
    client.wait_stamp(anna.stamp)
    client.kill()
    oriel.wait_state("anna", "detached")
    client = connect(oriel, anna, size=(1024, 700))
    client.wait_stamp(anna.stamp)
    wait_for(lambda: len(monitors_in_session(oriel, "anna")) == 1, 6, "one monitor in the session")


def test_moving_pictures_in_a_session_become_exact_when_they_stop(oriel, connect, person):
    """A film beside the stamp, then nothing: whatever was coarse on the way is, pixel for pixel, what the session shows."""
    anna = person("anna", stream="film")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    before = client.pixels()[:192, 100:484].copy()
    wait_for(lambda: changed(before, client.pixels()[:192, 100:484]) > 0.5, 10, "a film that moves")
    for p in procs.of_user("anna"):
        if p.argv[-1:] == ["film"]:
            os.kill(p.pid, signal.SIGSTOP)
    exact(client, Inside(oriel, "anna"))
