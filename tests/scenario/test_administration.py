# SPDX-License-Identifier: GPL-3.0-or-later
"""What the administrator says and asks."""
import re

import numpy as np

from harness.world import wait_for


def test_a_message_appears_in_the_session_until_it_is_clicked_away(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, size=(800, 600))
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    before = client.pixels()
    oriel.ctl("message", oriel.session_of("anna")["id"], "The host restarts in ten minutes.")

    def changed():
        return (client.pixels() != before).any(axis=2).mean()
    wait_for(lambda: changed() > 0.02, 5, "the message on the screen")
    where = np.argwhere((client.pixels() != before).any(axis=2))
    (top, left), (bottom, right) = where.min(axis=0), where.max(axis=0)
    client.click(int(left + right) // 2, int(top + bottom) // 2)
    wait_for(lambda: changed() < 0.01, 5, "the desktop as it was")


def test_status_names_the_library_in_use(oriel):
    text = oriel.ctl("status").stdout
    assert re.search(r"^oriel-server: connected, version \d", text, re.M), text
    version = re.search(r"^libfreerdp: (\d+)\.(\d+)\.\d+", text, re.M)
    assert version, text
    assert ("warning" in text) == ((int(version[1]), int(version[2])) < (3, 30)), text


def test_the_configuration_in_use_is_shown(oriel):
    assert re.search(r"^throttle_burst = 1000$", oriel.ctl("config").stdout, re.M)
