# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's keyboard layout makes the session's. Keys are pressed at the client by keycode, as on a real board, and xev in the
session says what they were. That every layout in the table types what libxkbcommon says is tests/unit/agent/test_keys.c's story."""
import re

import pytest

from harness.world import Timeout, wait_for

ALTGR, SHIFT = 108, 50
LAYOUTS = {
    0x0407: ("German", [(29, "", "z"), (24, "a", "at"), (47, "", "odiaeresis"), (47, "s", "Odiaeresis"), (20, "", "ssharp"), (26, "a", "EuroSign"),
                        (21, "", "dead_acute"), (94, "", "less"), (94, "a", "bar"), (13, "s", "dollar")]),
    0x040c: ("French", [(24, "", "a"), (11, "", "eacute"), (34, "", "dead_circumflex"), (34, "s", "dead_diaeresis"), (26, "a", "EuroSign"),
                        (58, "", "comma"), (19, "a", "at"), (48, "", "ugrave"), (10, "s", "1"), (94, "", "less")]),
    0x20409: ("US International", [(48, "", "dead_acute"), (49, "", "dead_grave"), (15, "s", "dead_circumflex"), (24, "a", "adiaeresis"),
                                   (39, "a", "ssharp"), (57, "a", "ntilde"), (14, "a", "EuroSign"), (24, "", "q"), (26, "", "e"), (29, "", "y")]),
    0x0419: ("Russian", [(24, "", "Cyrillic_shorti"), (38, "", "Cyrillic_ef"), (38, "s", "Cyrillic_EF"), (49, "", "Cyrillic_io"), (61, "", "period"),
                         (29, "", "Cyrillic_en"), (47, "", "Cyrillic_zhe"), (59, "", "Cyrillic_be"), (12, "s", "numerosign"), (10, "", "1")]),
    0x10416: ("Brazilian ABNT2", [(47, "", "ccedilla"), (34, "", "dead_acute"), (48, "", "dead_tilde"), (61, "", "semicolon"), (97, "", "slash"),
                                  (97, "s", "question"), (24, "a", "slash"), (26, "a", "degree"), (94, "", "backslash"), (24, "", "q")]),
    0x10409: ("Dvorak", [(24, "", "apostrophe"), (26, "", "period"), (38, "", "a"), (39, "", "o"), (52, "", "semicolon"), (58, "", "m"),
                         (61, "", "z"), (20, "", "bracketleft"), (48, "s", "underscore"), (31, "", "c")]),
}


def pressed(text):
    """The keysyms of xev's KeyPress reports, modifiers left out."""
    found = []
    for block in text.split("\n\n"):
        if block.lstrip().startswith("KeyPress event"):
            m = re.search(r"\(keysym 0x[0-9a-f]+, (\w+)\)", block)
            if m and not re.match(r"Shift_|ISO_Level3|Alt_|Mode_switch", m.group(1)):
                found.append(m.group(1))
    return found


@pytest.mark.parametrize("klid", sorted(LAYOUTS), ids=lambda k: LAYOUTS[k][0].replace(" ", "-"))
def test_the_clients_layout_is_the_sessions(oriel, connect, person, klid):
    name, keys = LAYOUTS[klid]
    watch = "rm -f $HOME/keys; echo 'stdbuf -oL xev -event keyboard -event focus -geometry 300x100+400+400 >$HOME/keys &' >>$HOME/.bashrc"
    anna = person("anna", extra=watch)
    client = connect(oriel, anna, options=["/kbd:layout:0x%08x" % klid])
    client.wait_stamp(anna.stamp)
    wait_for(lambda: anna.read("keys"), 8, "xev in the session")
    client.focus()

    def focused():
        seen = anna.read("keys")
        if seen.rfind("FocusIn") > seen.rfind("FocusOut"):
            return True
        client.click(500, 480)    # it may not have been mapped at the last click
        return False

    wait_for(focused, 8, "xev with the focus", 0.3)
    for code, level, _ in keys:
        held = {"a": ALTGR, "s": SHIFT}.get(level)
        if held:
            client.screen.keycode(held, True)
        client.screen.keycode(code)
        if held:
            client.screen.keycode(held, False)
    want = [k for _, _, k in keys]
    try:
        wait_for(lambda: pressed(anna.read("keys"))[-len(want):] == want, 8, "the keysyms")
    except Timeout:
        assert pressed(anna.read("keys")) == want, name
