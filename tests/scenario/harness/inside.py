# SPDX-License-Identifier: GPL-3.0-or-later
"""A session's own display, to compare with what its client shows."""
import os

from Xlib import display as xdisplay

from .screen import grab
from .windows import find_window
from .world import Timeout, wait_for


class Inside:
    """The session's own display, as its user sees it."""

    def __init__(self, oriel, user):
        s = oriel.wait_state(user, "active")
        self.env = dict(os.environ, DISPLAY=s["display"], XAUTHORITY=s["xauthority"])
        before = os.environ.get("XAUTHORITY")
        os.environ["XAUTHORITY"] = s["xauthority"]
        try:
            self.dpy = xdisplay.Display(s["display"])
        finally:
            os.environ.pop("XAUTHORITY") if before is None else os.environ.update(XAUTHORITY=before)

    def pixels(self):
        return grab(self.dpy)

    def window(self, title):
        return find_window(self.dpy, title)


def exact(client, inside, seconds=15):
    """Wait until client and session show the same, and return that."""
    shown = []

    def same():
        want, got = inside.pixels(), client.pixels()
        shown[:] = [want, got]
        return want.shape == got.shape and (want == got).all()
    try:
        wait_for(same, seconds, "the client's picture equal to the session's", 0.25)
    except Timeout as e:
        want, got = shown
        client.save("not-exact")
        wrong = (want != got).any(axis=2) if want.shape == got.shape else None
        raise AssertionError("%s: %r and %r, %s pixels differ" % (e, want.shape, got.shape, "all" if wrong is None else wrong.sum())) from e
    client.save("exact")
    return shown[1].copy()


def changed(a, b):
    return (a != b).any(axis=2).mean()
