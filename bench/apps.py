# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes with real applications (--apps). They are this machine's own, whatever the server, and draw into the session's X server. They
count no frames: measured are bytes, CPU, codecs and acknowledged frames, and at the end the client's picture against the session's."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from Xlib import X, display as xdisplay

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/scenario"))
import make_scenes  # noqa: E402
from harness.windows import OPENBOX, find_window, is_managed  # noqa: E402
from peers import USER  # noqa: E402
from scenes import Usage, add_up  # noqa: E402

UID = 61000
SECONDS = 8      # of work
READY = 90       # seconds that an application may take to show its window and come to rest
PAUSE_MS = 50    # between two notches of the wheel


class Session:
    """The X server of the session in which the player runs, and programs in it."""

    def __init__(self, work):
        player = self.player()
        self.home = f"/home/{USER}"
        root = os.readlink(f"/proc/{player}/root").rstrip("/")
        with open(f"/proc/{player}/environ", "rb") as f:
            found = dict(e.split("=", 1) for e in f.read().decode().split("\0") if "=" in e)
        self.env = {"HOME": self.home, "USER": USER, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "DISPLAY": found["DISPLAY"],
                    "XDG_RUNTIME_DIR": f"{self.home}/run"}
        cookie = root + found.get("XAUTHORITY", f"{found['HOME']}/.Xauthority")
        if os.path.exists(cookie):
            self.env["XAUTHORITY"] = f"{work}/xauthority"
            shutil.copy(cookie, self.env["XAUTHORITY"])
            os.chown(self.env["XAUTHORITY"], UID, UID)
        number = found["DISPLAY"].split(":")[1].split(".")[0]
        if root:  # a session in a tree of its own: its socket stands there
            here = f"/tmp/.X11-unix/X{number}"
            if os.path.lexists(here):
                os.unlink(here)
            os.symlink(root + here, here)
        os.makedirs(f"{self.home}/run", mode=0o700, exist_ok=True)
        os.chown(f"{self.home}/run", UID, UID)
        os.environ.pop("XAUTHORITY", None)
        os.environ.update({k: v for k, v in self.env.items() if k == "XAUTHORITY"})
        self.dpy, self.children = xdisplay.Display(f":{number}"), []

    @staticmethod
    def player():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    if f.read().strip() == "bench-player":
                        return int(pid)
            except OSError:
                continue
        raise RuntimeError("no player, so no session")

    def spawn(self, log, *argv):
        with open(log, "ab") as f:
            self.children.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, env=self.env, cwd=self.home, user=UID,
                                                  group=UID, extra_groups=[], start_new_session=True))

    def pixels(self):
        g = self.dpy.screen().root.get_geometry()
        raw = self.dpy.screen().root.get_image(0, 0, g.width, g.height, X.ZPixmap, 0xFFFFFFFF).data
        return raw if isinstance(raw, bytes) else raw.encode("latin-1")

    def window(self, title):
        return find_window(self.dpy, title)

    def manage(self, log):
        """Start a window manager and wait until it is one: a window that is mapped while it starts may never appear."""
        self.spawn(log, *OPENBOX)
        end = time.monotonic() + READY
        while not is_managed(self.dpy):
            if time.monotonic() > end:
                raise RuntimeError(f"no window manager in {READY} s: {log}")
            time.sleep(0.05)

    def rest(self, title):
        """Until the window is there and the screen has not changed for a second, a blinking caret apart."""
        end, before, since = time.monotonic() + READY, None, 0
        while time.monotonic() < end:
            now = np.frombuffer(self.pixels(), np.uint32)
            if before is None or not self.window(title) or np.count_nonzero(now != before) > 200:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 1:
                return
            time.sleep(0.25)
        raise RuntimeError(f"no window \"{title}\" at rest in {READY} s")

    def close(self):
        for p in reversed(self.children):
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            p.wait()
        self.dpy.close()


class Terminal:
    """A terminal in which a long build log runs: bursts of lines, as compilers end."""
    title = "build log"

    def prepare(self, session, work, rng):
        self.rng, self.fifo = rng, f"{work}/build-log"
        os.mkfifo(self.fifo)
        os.chmod(self.fifo, 0o644)
        session.spawn(f"{work}/app.log", "xterm", "-T", self.title, "-maximized", "-fa", "DejaVu Sans Mono", "-fs", "10", "-bg", "white",
                      "-fg", "black", "-xrm", "XTerm*cursorBlink: false", "-e", "sh", "-c", f"echo ready; cat {self.fifo}; sleep 1000")

    def line(self):
        name = "/".join(make_scenes.words(self.rng, 3))
        if self.rng.random() < 0.04:
            return f"\033[1m{name}.c:{self.rng.randrange(900)}:\033[0m \033[35mwarning:\033[0m unused {' '.join(make_scenes.words(self.rng, 6))}\n"
        return f"[{self.rng.randrange(9999)}/9999] cc -O2 -Wall -I{name} -c -o {name}.o {name}.c\n"

    def work(self, client):
        end = time.monotonic() + SECONDS
        with open(self.fifo, "w") as f:
            while time.monotonic() < end:
                f.write("".join(self.line() for _ in range(self.rng.randint(1, 30))))
                f.flush()
                time.sleep(self.rng.uniform(0.01, 0.09))
        os.unlink(self.fifo)


class Wheel:
    """An application whose page is scrolled with the client's wheel."""

    def work(self, client):
        client.ask("wheel", SECONDS * 1000 // PAUSE_MS, PAUSE_MS)


FLAT_ODT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
 office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.text">
<office:automatic-styles><style:style style:name="H" style:family="paragraph"><style:text-properties fo:font-size="20pt" fo:color="#c01030"/>
</style:style></office:automatic-styles><office:body><office:text>%s</office:text></office:body></office:document>
"""


class Writer(Wheel):
    """LibreOffice Writer, scrolling through a document."""
    title = "letter.fodt"

    def prepare(self, session, work, rng):
        text = lambda n: " ".join(make_scenes.words(rng, n))  # noqa: E731
        with open(f"{session.home}/letter.fodt", "w") as f:
            f.write(FLAT_ODT % "".join(f'<text:p text:style-name="H">{text(4)}</text:p><text:p>{text(150)}</text:p>' for _ in range(150)))
        os.chown(f"{session.home}/letter.fodt", UID, UID)
        session.spawn(f"{work}/app.log", "soffice", "--norestore", "--nologo", "--nofirststartwizard", "--writer", f"{session.home}/letter.fodt")


PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>a long page</title>
<style>body{margin:0 12%%;font:17px/1.5 sans-serif}h2{color:#1040a0}img{width:60%%;margin:1em 0}</style>%s"""
PREFERENCES = (("browser.shell.checkDefaultBrowser", "false"), ("browser.aboutwelcome.enabled", "false"), ("browser.sessionstore.resume_from_crash", "false"),
               ("datareporting.policy.firstRunURL", '""'), ("toolkit.telemetry.reportingpolicy.firstRun", "false"), ("ui.caretBlinkTime", "0"),
               ("datareporting.policy.dataSubmissionEnabled", "false"), ("general.smoothScroll", "true"))


class Browser(Wheel):
    """Firefox, scrolling through a long page with pictures."""
    title = "a long page"

    def prepare(self, session, work, rng):
        text = lambda n: " ".join(make_scenes.words(rng, n))  # noqa: E731
        profile = f"{session.home}/profile"
        os.makedirs(profile, exist_ok=True)
        with open(f"{profile}/user.js", "w") as f:
            f.write("".join(f'user_pref("{name}", {value});\n' for name, value in PREFERENCES))
        for i in range(4):
            make_scenes.photo(rng, 1000, 600).save(f"{session.home}/{i}.png")
        body = "".join(f"<h2>{text(5)}</h2><p>{text(120)}</p>" + (f'<img src="{i % 4}.png">' if i % 5 == 1 else "") for i in range(150))
        with open(f"{session.home}/page.html", "w") as f:
            f.write(PAGE % body)
        for path in (profile, f"{profile}/user.js"):
            os.chown(path, UID, UID)
        session.spawn(f"{work}/app.log", "firefox-esr", "--new-instance", "--profile", profile, "--kiosk", f"file://{session.home}/page.html")


APPS = {"app-terminal": Terminal, "app-writer": Writer, "app-browser": Browser}


def compare(client, session, work, seconds):
    """Until the client shows what the session's X server does, or the time is over."""
    start, path = time.monotonic(), f"{work}/session-screen"
    while True:
        with open(path, "wb") as f:
            f.write(session.pixels())
        found, spent = client.ask("compare", path), time.monotonic() - start
        if found["differing"] == 0 or spent > seconds:
            os.unlink(path)
            return dict(found, exact_after=spent if found["differing"] == 0 else None)
        time.sleep(0.1)


def run_app(peer, client, name, args):
    peer.tell("hide")
    session, app = Session(peer.work), APPS[name]()
    try:
        session.manage(f"{peer.work}/app.log")
        app.prepare(session, peer.work, random.Random(f"{args.seed} {name}"))
        session.rest(app.title)
        client.ask("begin", "-", "-", 0, 0, 0)
        client.ask("mark")
        usage, background = Usage(peer), peer.background_bytes()
        app.work(client)
        time.sleep(0.3)
        result = client.ask("end")
        result["background"] = peer.background_bytes() - background
        add_up(result, usage)
        result["frames_per_s"] = result["acked"] / result["seconds"]
        result.update(compare(client, session, peer.work, args.settle))
        if args.shots:
            client.ask("shot", os.path.join(args.out, f"{peer.label}-{name}.ppm"))
    finally:
        session.close()
    return result
