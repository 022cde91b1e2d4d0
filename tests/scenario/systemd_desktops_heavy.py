# SPDX-License-Identifier: GPL-3.0-or-later
"""KDE Plasma and GNOME on Xorg in a session under systemd. Runs in the machine that systemd.sh boots."""
import pytest

from harness.desktop import Desktop, tell
from systemd_desktops import ends_whole, fresh  # pylint: disable=unused-import

SETS = ("plasma", "gnome")
HEAVY = True
PLASMA = Desktop("plasma", "KDE", "exec startplasma-x11", "plasmashell", "plasmashell", ("konsole", "konsole"))
GNOME = Desktop("gnome", "GNOME", "exec gnome-session", "gnome-shell", "gnome-shell", ("gnome-terminal", "gnome-terminal"))


class TestHeavyDesktops:
    LIMIT_S = 1500

    @pytest.mark.parametrize("desktop", [PLASMA, GNOME], ids=lambda d: d.name)
    def test_it_starts_and_ends_whole_and_starts_again(self, fresh, connect, desktop):    # pylint: disable=redefined-outer-name
        oriel, user = fresh
        tell(desktop, oriel, connect, user)
        oriel.logoff(user.name, 20)
        tell(desktop, oriel, connect, user)     # at once after the first: nothing of that is in the way
        ends_whole(oriel, user)
