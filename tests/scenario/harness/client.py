# SPDX-License-Identifier: GPL-3.0-or-later
"""A person with a real RDP client."""
import os
import re
import secrets
import shutil
import subprocess
import time

import numpy as np
import pytest
from Xlib import error as xerror

from .screen import Screen, colours, find_text, near
from .world import OUT, SLACK, Timeout, wait_for

SIDE = 32       # of one square of the stamp
CORNER = 512    # where it is looked for: a large screen takes seconds to copy and to search
FREERDP3 = "xfreerdp3"
FREERDP2 = "xfreerdp"


class Stamp:
    """Four random colours that the user's session paints into its corner. Far from black, white and from each other, so that lossy
    codecs cannot make one out of another."""

    def __init__(self):
        levels = (48, 128, 208)
        picked = []
        while len(picked) < 4:
            c = tuple(secrets.choice(levels) for _ in range(3))
            if len(set(c)) > 1 and c not in picked:
                picked.append(c)
        self.colours = picked

    @property
    def arguments(self):
        return " ".join("%02x%02x%02x" % c for c in self.colours)

    def command(self, stream=False):
        """With `stream` something also moves beside it: "film" like a camera's picture, anything else as coloured bars."""
        return "/run/w/prefix/stamp %s%s" % (self.arguments, " film" if stream == "film" else " stream" if stream else "")

    def find(self, pixels, tolerance=24, scale=1):
        """Top left corner of the mark in the picture, or None."""
        side = SIDE * scale
        # look at the middle of each square
        a = near(pixels, self.colours[0], tolerance)
        b = near(pixels, self.colours[1], tolerance)
        c = near(pixels, self.colours[2], tolerance)
        d = near(pixels, self.colours[3], tolerance)
        h, w = a.shape
        if h <= side or w <= side:
            return None
        hit = a[:h - side, :w - side] & b[:h - side, side:] & c[side:, :w - side] & d[side:, side:]
        ys, xs = np.nonzero(hit)
        if len(ys) < side * side // 3:
            return None
        return int(np.percentile(xs, 1)), int(np.percentile(ys, 1))


class Client:
    """One run of a FreeRDP client on a screen of its own (or on `screen`)."""

    count = 0
    NAME = "freerdp"    # in its window's class

    def __init__(self, port, user="", password="", size=(800, 600), program=FREERDP3, options=(), screen=None, host="127.0.0.1",
                 screen_size=None, gfx=None):
        if not have(program):
            pytest.skip(program + " is not in this Debian")
        Client.count += 1
        self.number = Client.count
        self.own_screen = screen is None
        self.screen = screen or Screen(*(screen_size or (max(size[0] + 40, 1000), max(size[1] + 60, 760))))
        self.size = size
        args = [program, "/v:%s:%d" % (host, port), "/cert:ignore", "/log-level:INFO"]
        if size and not any(o.startswith("/size") or o == "/f" or o.startswith("/multimon") for o in options):
            args.append("/size:%dx%d" % size)
        if user is not None:
            args.append("/u:" + user)
        if password is not None:
            args.append("/p:" + password)
        self._begin([*args, *options])

    def _begin(self, args, stdin=subprocess.DEVNULL):
        self.log_path = "%s/client-%03d.log" % (OUT, self.number)
        home = "/run/clients/%d" % self.number
        os.makedirs(home, mode=0o700)
        self.args = args
        self.started = time.monotonic()
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen(args, env=dict(self.screen.env, HOME=home, LANG="C.UTF-8"), stdin=stdin, stdout=self._log,
                                        stderr=subprocess.STDOUT)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def window(self):
        """The client's window, or None."""
        best = None
        for w in self.screen.windows():
            try:
                cls = w.get_wm_class() or ("", "")
                if self.NAME in (cls[0] + cls[1]).lower():
                    g = w.get_geometry()
                    if best is None or g.width * g.height > best[1]:
                        best = (w, g.width * g.height)
            except xerror.XError:
                pass
        return best[0] if best else None

    def pixels(self, most=32767):
        """What the client shows (of a large window the corner, at most so wide and high), or an empty picture."""
        if not self.running():
            return np.zeros((0, 0, 3), np.uint8)
        w = self.window()
        if w is None:
            return np.zeros((0, 0, 3), np.uint8)
        try:
            t = w.translate_coords(self.screen.root, 0, 0)
            g = w.get_geometry()
        except xerror.XError:
            return np.zeros((0, 0, 3), np.uint8)
        x, y = -t.x, -t.y
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + g.width, left + most, self.screen.size[0]), min(y + g.height, top + most, self.screen.size[1])
        if right <= left or bottom <= top:
            return np.zeros((0, 0, 3), np.uint8)
        return self.screen.pixels(part=(left, top, right - left, bottom - top))

    def to_screen(self, x, y):
        t = self.window().translate_coords(self.screen.root, 0, 0)
        return x - t.x, y - t.y

    def click(self, x, y, button=1):
        self.screen.click(*self.to_screen(x, y), button)

    def shows(self, stamp, tolerance=24):
        return stamp.find(self.pixels(CORNER), tolerance)

    def wait_stamp(self, stamp, seconds=12, tolerance=24):
        def seen():
            if not self.running():
                raise AssertionError("the client ended with %d: %s" % (self.process.returncode, self.log()[-1500:]))
            return self.shows(stamp, tolerance) is not None
        try:
            wait_for(seen, seconds, "the session's stamp on the client's screen")
        except Timeout:
            self.save("no-stamp")
            raise
        return time.monotonic() - self.started

    def wait_text(self, text, seconds=8, near_colour=None):
        try:
            return wait_for(lambda: find_text(self.pixels(), text, self.screen.dpy), seconds, "the letters %r on the client's screen" % text, 0.1)
        except Timeout:
            self.save("no-text")
            raise

    def has_text(self, text):
        return find_text(self.pixels(), text, self.screen.dpy)

    def wait_end(self, seconds=15):
        """The client's exit code."""
        wait_for(lambda: not self.running(), seconds, "the client's end")
        return self.process.returncode

    def wait_window(self, seconds=10):
        return wait_for(self.window, seconds, "the client's window")

    def wait_picture(self, seconds=10):
        """Anything but one flat colour."""
        def drawn():
            p = self.pixels()
            return p.size and colours(p, 2) > 2
        wait_for(drawn, seconds, "a picture in the client's window", 0.1)

    def type(self, text):
        self.focus()
        self.screen.type(text)

    def focus(self):
        w = self.window()
        if w is not None:
            try:
                subprocess.run(["xdotool", "windowfocus", "--sync", str(w.id)], env=self.screen.env, timeout=5, check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            except subprocess.TimeoutExpired:
                pass

    def save(self, what):
        self.screen.save("%s/client-%03d-%s.png" % (OUT, self.number, re.sub(r"[^A-Za-z0-9_.-]", "_", what)))

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def close(self):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(4 * SLACK)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()
        if self.own_screen:
            self.screen.close()


def have(program):
    return shutil.which(program) is not None
