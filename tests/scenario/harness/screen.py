# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's screen: Xvfb with a window manager, keys and mouse, and its pixels as numpy arrays."""
import os
import re
import subprocess

import numpy as np
from PIL import Image, ImageDraw
from Xlib import X, XK, display as xdisplay, error as xerror
from Xlib.ext import xtest

from .windows import OPENBOX, is_managed
from .world import wait_for

_next = 200


def grab(dpy, window=None, part=None):
    """The pixels of a window (or the whole screen), or of its part (x, y, width, height), as height x width x 3 (red, green, blue)."""
    target = window or dpy.screen().root
    if part is None:
        g = target.get_geometry()
        part = (0, 0, g.width, g.height)
    raw = target.get_image(*part, X.ZPixmap, 0xFFFFFFFF)
    data = raw.data if isinstance(raw.data, bytes) else raw.data.encode("latin-1")
    return np.frombuffer(data, np.uint8).reshape(part[3], part[2], 4)[:, :, 2::-1]


class Screen:
    def __init__(self, width=1280, height=960, manager=True):
        global _next
        self.number = _next
        _next += 1
        self.name = ":%d" % self.number
        self.env = dict(os.environ, DISPLAY=self.name)
        self.size = (width, height)
        self._x = subprocess.Popen(["Xvfb", self.name, "-screen", "0", "%dx%dx24" % (width, height), "-nolisten", "tcp", "-ac",
                                    "-extension", "GLX", "+extension", "RANDR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.dpy = wait_for(self._connect, 10, "Xvfb " + self.name)
        self.root = self.dpy.screen().root
        self._wm = None
        if manager:
            self._wm = subprocess.Popen(OPENBOX, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(lambda: is_managed(self.dpy), 10, "openbox on " + self.name)

    def _connect(self):
        try:
            return xdisplay.Display(self.name)
        except (xerror.DisplayError, OSError):
            return None

    def pixels(self, window=None, part=None):
        return grab(self.dpy, window, part)

    def windows(self):
        """Viewable client windows, deep."""
        found, unseen = [], [self.root]
        while unseen:
            w = unseen.pop()
            try:
                for child in w.query_tree().children:
                    if child.get_attributes().map_state == X.IsViewable:
                        unseen.append(child)
                        if child.get_wm_class():
                            found.append(child)
            except xerror.BadWindow:
                pass
        return found

    def origin(self, window):
        t = self.root.translate_coords(window, 0, 0)
        return -t.x if t.x < 0 else t.x, -t.y if t.y < 0 else t.y

    # Keys and mouse go in through XTEST, like real ones.
    def key(self, keysym, down=None):
        code = self.dpy.keysym_to_keycode(XK.string_to_keysym(keysym) if isinstance(keysym, str) else keysym)
        assert code, "no key for " + repr(keysym)
        if down is None or down:
            xtest.fake_input(self.dpy, X.KeyPress, code)
        if down is None or not down:
            xtest.fake_input(self.dpy, X.KeyRelease, code)
        self.dpy.sync()

    def keycode(self, code, down=None):
        if down is None or down:
            xtest.fake_input(self.dpy, X.KeyPress, code)
        if down is None or not down:
            xtest.fake_input(self.dpy, X.KeyRelease, code)
        self.dpy.sync()

    def type(self, text, delay_ms=12):
        """Type; a line feed is Return, a tab is Tab (xdotool's own "\\n" is the key Linefeed, which no client knows)."""
        for piece in re.split("([\\n\\t])", text):
            if piece in ("\n", "\t"):
                self.press("Return" if piece == "\n" else "Tab")
            elif piece:
                subprocess.run(["xdotool", "type", "--delay", str(delay_ms), "--", piece], env=self.env, check=True, timeout=60)

    def press(self, *keys):
        self.xdotool("key", "--delay", "20", *keys)

    def xdotool(self, *what):
        subprocess.run(["xdotool", *what], env=self.env, check=True, timeout=20)

    def move(self, x, y):
        xtest.fake_input(self.dpy, X.MotionNotify, x=int(x), y=int(y))
        self.dpy.sync()

    def click(self, x, y, button=1):
        self.move(x, y)
        xtest.fake_input(self.dpy, X.ButtonPress, button)
        xtest.fake_input(self.dpy, X.ButtonRelease, button)
        self.dpy.sync()

    def save(self, path):
        try:
            Image.fromarray(np.ascontiguousarray(self.pixels())).save(path)
        except Exception as e:    # a screen that is gone is told, never a second failure
            with open(path + ".txt", "w") as f:
                f.write("no screenshot: %r\n" % (e,))

    def close(self):
        try:
            self.dpy.close()
        except Exception:
            pass
        for p in (self._wm, self._x):
            if p:
                p.terminate()
        for p in (self._wm, self._x):
            if p:
                try:
                    p.wait(5)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()


# --- looking at pictures -------------------------------------------------------------------------------------------------------

def near(pixels, colour, tolerance):
    return (np.abs(pixels.astype(np.int16) - np.array(colour, np.int16)) <= tolerance).all(axis=-1)


def colours(pixels, enough):
    """How many colours there are, or `enough` + 1 when there are more. (Sorting a screen's pixels takes a second.)"""
    left = (pixels.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(axis=2, dtype=np.uint32).ravel()
    for n in range(enough + 1):
        if not left.size:
            return n
        left = left[left != left[0]]
    return enough + 1


def find_text(pixels, text, font_dpy, dark=110, light=140):
    """Where `text` stands in the picture, drawn black on white in the X server's own font "fixed" (a list of x, y), or []."""
    mask = render_text(text, font_dpy)
    grey = pixels.astype(np.uint16).sum(axis=2) // 3
    ink = grey < dark
    paper = grey > light
    h, w = mask.shape
    big_h, big_w = ink.shape
    if big_h < h or big_w < w:
        return []
    ok = np.ones((big_h - h + 1, big_w - w + 1), bool)
    ys, xs = np.nonzero(mask)
    for y, x in zip(ys, xs):
        ok &= ink[y:y + ok.shape[0], x:x + ok.shape[1]]
        if not ok.any():
            return []
    ys, xs = np.nonzero(~mask)
    for y, x in zip(ys, xs):
        ok &= paper[y:y + ok.shape[0], x:x + ok.shape[1]]
        if not ok.any():
            return []
    return [(int(x), int(y)) for y, x in zip(*np.nonzero(ok))]


_texts = {}


def render_text(text, dpy):
    """The letters of `text` as the X font "fixed" draws them: True is ink. Blank columns left and right are kept."""
    if text not in _texts:
        font = dpy.open_font("fixed")
        q = font.query()
        ext = font.query_text_extents(text.encode("latin-1"))
        width, height = ext.overall_width, q.font_ascent + q.font_descent
        root = dpy.screen().root
        pix = root.create_pixmap(width, height, dpy.screen().root_depth)
        gc = pix.create_gc(foreground=0xFFFFFF, background=0xFFFFFF, font=font)
        pix.fill_rectangle(gc, 0, 0, width, height)
        gc.change(foreground=0)
        pix.image_text(gc, 0, q.font_ascent, text.encode("latin-1"))
        raw = pix.get_image(0, 0, width, height, X.ZPixmap, 0xFFFFFFFF)
        data = raw.data if isinstance(raw.data, bytes) else raw.data.encode("latin-1")
        a = np.frombuffer(data, np.uint8).reshape(height, width, 4)[:, :, 0]
        mask = a < 128
        rows = np.nonzero(mask.any(axis=1))[0]
        _texts[text] = mask[rows[0]:rows[-1] + 1]
        pix.free()
        gc.free()
    return _texts[text]


def annotate(pixels, text):
    image = Image.fromarray(np.ascontiguousarray(pixels))
    ImageDraw.Draw(image).text((4, 4), text, fill=(255, 0, 0))
    return image
