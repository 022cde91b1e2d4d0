# SPDX-License-Identifier: GPL-3.0-or-later
"""A session's own display, to compare with what its client shows; and what its programs have of it."""
import itertools
import os
import subprocess

from Xlib import display as xdisplay

from . import procs
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


def shell(user):
    """The environment of the shell in the session's terminal. (The login shell that reads the start-up files says who it is, too.)"""
    def there():
        text = user.read("shell-pid").strip()
        env = procs.Process(int(text)).environ() if text else {}
        return env if b"WINDOWID" in env else None
    return {k.decode(): v.decode() for k, v in wait_for(there, 10, "the shell of the terminal").items()}


def as_user(user, env, command):
    """A command with the session's environment, as one of its programs would run it."""
    return subprocess.run(["runuser", "-u", user.name, "--", "env", "-i"] + ["%s=%s" % e for e in env.items()] + ["sh", "-c", command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def ask_bus(name, method):
    return "timeout 2 dbus-send --session --print-reply --dest=%s / %s.%s" % (name, name, method)


def started_by_bus(user, env, names=itertools.count()):
    """The display that a program has which the bus of this environment starts. (The bus starts no second one of a name while it waits
    for the first to appear.)"""
    name = "org.example.Teller%d" % next(names)
    user.write(".local/share/dbus-1/services/%s.service" % name,
               "[D-BUS Service]\nName=%s\nExec=/bin/sh -c 'echo $DISPLAY >%s/told.new; mv %s/told.new %s/told'\n" %
               (name, user.home, user.home, user.home))
    user.remove("told")
    as_user(user, env, ask_bus("org.freedesktop.DBus", "ReloadConfig"))
    as_user(user, env, ask_bus(name, "Tell"))
    return wait_for(lambda: user.read("told"), 5, "a program that the bus starts").strip()
