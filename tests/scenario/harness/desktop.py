# SPDX-License-Identifier: GPL-3.0-or-later
"""A real desktop in a session under systemd: its panel, the user's systemd in it, a terminal, and its end."""
import os
import subprocess

from Xlib import X, display as xdisplay, error as xerror

from . import procs, users
from .inside import as_user
from .world import wait_for


def process_of(user, exe):
    found = [p for p in procs.of_user(user.name) if p.exe == exe]
    return found[0] if found else None


def environment(process):
    return {k.decode(): v.decode() for k, v in process.environ().items()}


def windows(dpy):
    """(name or class, type) of all that is viewable."""
    unseen, found = [dpy.screen().root], []
    while unseen:
        w = unseen.pop()
        try:
            unseen += w.query_tree().children
            if w.get_attributes().map_state != X.IsViewable:
                continue
            kind = w.get_full_property(dpy.intern_atom("_NET_WM_WINDOW_TYPE"), X.AnyPropertyType)
            kinds = [dpy.get_atom_name(a) for a in kind.value] if kind else []
            cls = w.get_wm_class() or ("", "")
            if kinds or any(cls):
                found.append((" ".join(cls) + " " + str(w.get_wm_name() or ""), kinds))
        except xerror.XError:
            pass
    return found


class Desktop:
    """`name`, as the story calls it; `start`, the last line of ~/.xsession; `main`, the program whose environment is the desktop's; `panel`, the
    words of the window that has to be there; `terminal`, a command and the words of its window."""

    def __init__(self, name, current, start, main, panel, terminal):
        self.name, self.current, self.start, self.main, self.panel, self.terminal = name, current, start, main, panel, terminal

    def begin(self, oriel, connect, user):
        users.run("groupadd", "-f", "oriel-users")
        user.xsession("export XDG_CURRENT_DESKTOP=%s\n%s\n" % (self.current, self.start))
        self.oriel, self.user = oriel, user
        self.client = connect(oriel, user, size=(1280, 800), screen_size=(1340, 880))
        self.session = oriel.wait_state(user.name, "active", 60)
        process = wait_for(lambda: process_of(user, self.main), 60, self.main)
        self.env = environment(process)
        os.environ["XAUTHORITY"] = self.session["xauthority"]
        try:
            self.dpy = xdisplay.Display(self.session["display"])
        finally:
            os.environ.pop("XAUTHORITY")
        self.wait_window(self.panel, 90)
        return self

    def wait_window(self, words, seconds):
        return wait_for(lambda: [w for w in windows(self.dpy) if words in w[0]], seconds, "a window of %r; there are %r" % (words, words), 0.25)

    def run(self, command):
        return as_user(self.user, self.env, command)

    def picture(self, what):
        self.client.save("%s-%s" % (self.name, what))


def tell(desktop, oriel, connect, user):
    """The whole story; the pictures are for people."""
    d = desktop.begin(oriel, connect, user)
    said = subprocess.run(["runuser", "-u", user.name, "--", "env", "XDG_RUNTIME_DIR=/run/user/%d" % user.uid, "systemctl", "--user", "show-environment"],
                          stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert "DISPLAY=" + d.session["display"] in said and "XAUTHORITY=" + d.session["xauthority"] in said, said
    assert d.env["XDG_RUNTIME_DIR"] == "/run/user/%d" % user.uid
    for command in ("systemctl --user status", "systemd-run --user --wait --quiet true"):
        r = d.run(command)
        assert r.returncode == 0, (command, r.stdout)
    command, words = desktop.terminal
    r = d.run("systemd-run --user --quiet --collect %s" % command)
    assert r.returncode == 0, r.stdout
    d.wait_window(words, 60)
    wait_for(lambda: d.client.running() and d.client.pixels().size and len(set(d.client.pixels()[::16, ::16].reshape(-1, 3).dot([1, 256, 65536]))) > 8,
             30, "a picture with more than eight colours", 0.5)
    d.picture("terminal")
    return d
