# SPDX-License-Identifier: GPL-3.0-or-later
"""A client with a doubled scale: resources, settings of running toolkits, the logon screen and notices."""
import struct

import numpy as np
import pytest

from harness.inside import Inside
from harness.world import wait_for

DOUBLED = ("/scale-desktop:200",)


def resources(inside):
    p = inside.dpy.screen().root.get_full_property(inside.dpy.intern_atom("RESOURCE_MANAGER"), 31)
    text = (p.value if isinstance(p.value, str) else p.value.decode("latin-1")) if p else ""
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def settings(inside):
    """What the XSETTINGS manager says, its integers by name; {} without a manager."""
    owner = inside.dpy.get_selection_owner(inside.dpy.intern_atom("_XSETTINGS_S0"))
    p = owner.get_full_property(inside.dpy.intern_atom("_XSETTINGS_SETTINGS"), 0) if owner else None
    if not p:
        return {}
    data, found, at = bytes(p.value), {}, 12
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        kind, length = struct.unpack_from("<BxH", data, at)
        name = data[at + 4:at + 4 + length].decode()
        at += 4 + (length + 3) // 4 * 4 + 4
        assert kind == 0, "only integers are ours"
        found[name] = struct.unpack_from("<i", data, at)[0]
        at += 4
    return found


def box_of_change(client, before, least):
    """Width and height of what changed, once that is more than `least` of the picture."""
    def changed():
        now = client.pixels()
        return now.shape == before.shape and (now != before).any(axis=2).mean() > least
    wait_for(changed, 8, "a change on the screen")
    where = np.argwhere((client.pixels() != before).any(axis=2))
    (top, left), (bottom, right) = where.min(axis=0), where.max(axis=0)
    return right - left + 1, bottom - top + 1, (left + right) // 2, (top + bottom) // 2


def notice(oriel, client, user):
    """Size of a message of the administrator's, which is clicked away again."""
    before = client.pixels().copy()
    oriel.ctl("message", oriel.session_of(user)["id"], "The host restarts in ten minutes.")
    width, height, x, y = box_of_change(client, before, 0.01)
    client.click(x, y)
    wait_for(lambda: (client.pixels() != before).any(axis=2).mean() < 0.002, 5, "the desktop as it was")
    return width, height


def test_notices_have_the_size_that_the_scale_asks_for(oriel, connect, person):
    anna = person("anna")
    sizes = []
    for options in ((), DOUBLED):
        client = connect(oriel, anna, size=(1600, 1000), screen_size=(1660, 1080), options=options)
        client.wait_stamp(anna.stamp)
        client.wait_text("$")
        sizes.append(notice(oriel, client, "anna"))
        client.kill()
        oriel.wait_state("anna", "detached")
    (w1, h1), (w2, h2) = sizes
    assert 1.7 < w2 / w1 < 2.3 and 1.7 < h2 / h1 < 2.4, sizes


@pytest.mark.takes(34)
def test_running_programs_hear_of_a_scale_that_changes(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, options=DOUBLED)
    client.wait_stamp(anna.stamp)
    inside = Inside(oriel, "anna")
    wait_for(lambda: resources(inside).get("Xft.dpi") == "192", 5, "doubled letters in the resources")
    # a desktop with a settings daemon of its own has half a minute to bring it up
    wait_for(lambda: settings(inside).get("Xft/DPI") == 192 * 1024, 45, "the settings of running programs", 0.5)
    assert settings(inside)["Gdk/WindowScalingFactor"] == 2
    client.kill()
    oriel.wait_state("anna", "detached")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    wait_for(lambda: settings(inside).get("Xft/DPI") == 96 * 1024 and resources(inside).get("Xft.dpi") == "96", 5, "letters of a plain screen")
    assert settings(inside)["Gdk/WindowScalingFactor"] == 1


@pytest.mark.takes(14)
def test_the_logon_screen_is_drawn_at_the_clients_scale(oriel, connect, person):
    from test_logon_screen import settled
    person("anna")
    heights = []
    for options in ((), DOUBLED):
        client = connect(oriel, "anna", "", size=(1600, 1200), screen_size=(1660, 1280), options=options)
        picture = settled(client, 12)
        card = np.argwhere((picture.min(axis=2) > 240))
        heights.append(card[:, 0].max() - card[:, 0].min())
        client.kill()
    assert 1.7 < heights[1] / heights[0] < 2.3, heights
