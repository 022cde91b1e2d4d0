# SPDX-License-Identifier: GPL-3.0-or-later
"""A monitor and a drawer that do what a test tells them: enough of the house to drive oriel-peer and oriel-server alone."""
import fcntl
import mmap
import os
import select
import socket
import struct
import subprocess
import threading
import time

import wire

# session/proto/peer.h
HELLO, AUTH, LOGON, RESUME, STATUS = 1, 2, 3, 4, 5
VERDICT, DISPLAY, COOKIE, END, RESUMED = 101, 102, 103, 104, 105
START, ATTACH, REFUSE = 1, 2, 5
KIND_LOGON, KIND_SESSION, KIND_NOTICE = 1, 2, 3
PASSWORD, CONVERSATION, ASSERTION, ARC = 1, 2, 3, 4
# session/proto/display.h
OPEN, LAYOUT, INPUT, FRAME_DONE, REFRESH, SUPPRESS, KEYBOARD = 1, 2, 3, 4, 5, 6, 7
BUFFER, FRAME, CURSOR, POINTER, LEDS, DISPLAY_END = 101, 102, 103, 104, 105, 106
MONITOR = "iiIIIIIIB"

F_ADD_SEALS = 1033
SEALS = 0x0002 | 0x0004 | 0x0010  # shrink, grow, future write


def gradient(width, height, phase=0):
    """BGRX: blue grows to the right, green downwards, red shows the phase."""
    row = bytearray(b"".join(struct.pack("4B", x * 255 // max(1, width - 1), 0, phase & 255, 0) for x in range(width)))
    out = bytearray()
    for y in range(height):
        row[1::4] = bytes([y * 255 // max(1, height - 1)]) * width
        out += row
    return bytes(out)


class Drawer(threading.Thread):
    """One display link: answers open and layout with a buffer and a frame, keeps all that the front end said."""

    def __init__(self, kind="session", sealed=True, paint=gradient):
        super().__init__(daemon=True)
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sealed, self.paint = sealed, paint
        self.opened = None
        self.keyboard = None
        self.time_zone = None
        self.layouts, self.events, self.done, self.suppressed, self.refreshes = [], [], [], [], 0
        self.frame = 0
        self.lock = threading.RLock()
        self.memory = None
        self.size = None
        self.closed = threading.Event()
        self.stopped = False

    def run(self):
        while True:
            try:
                m = wire.receive(self.ours)
            except OSError:
                m = None
            if m is None:
                self.closed.set()
                return
            self.on_message(*m[:2])

    def monitors(self, r):
        return [r.take(MONITOR) for _ in range(r.take("I"))]

    def on_message(self, ident, payload):
        r = wire.Reader(payload)
        with self.lock:
            if ident == OPEN:
                self.opened = self.monitors(r)
                self.keyboard = r.take("III")
                self.time_zone = r.text()
                self.new_buffer(self.opened)
            elif ident == LAYOUT:
                self.layouts.append(self.monitors(r))
                self.new_buffer(self.layouts[-1])
            elif ident == INPUT:
                self.events += [r.take("BBIiii") for _ in range(r.take("I"))]
            elif ident == FRAME_DONE:
                self.done.append(r.take("I"))
            elif ident == REFRESH:
                self.refreshes += 1
                self.send_frame()
            elif ident == SUPPRESS:
                self.suppressed.append(r.take("B"))

    def new_buffer(self, monitors):
        width = max(m[0] + m[2] for m in monitors)
        height = max(m[1] + m[3] for m in monitors)
        fd = os.memfd_create("picture", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(fd, width * height * 4)
        self.memory = mmap.mmap(fd, width * height * 4)
        if self.sealed:
            fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
        self.size = (width, height)
        self.memory[:] = self.paint(width, height)
        payload = struct.pack("<IIII", 0, width, height, width * 4)
        payload += struct.pack("<I", len(monitors)) + b"".join(struct.pack("<" + MONITOR, *m) for m in monitors)
        wire.send(self.ours, BUFFER, payload, [fd])
        os.close(fd)
        self.send_frame()

    def send_frame(self, rects=None):
        with self.lock:
            if self.frame > len(self.done) and self.done and self.done[-1] != self.frame:
                return False
            self.frame += 1
            rects = rects or [(0, 0) + self.size]
            payload = struct.pack("<IIQ", 0, self.frame, time.monotonic_ns() // 1000)
            payload += struct.pack("<I", len(rects)) + b"".join(struct.pack("<HHHH", *x) for x in rects)
            wire.send(self.ours, FRAME, payload)
            return True

    def repaint(self, phase):
        with self.lock:
            self.memory[:] = self.paint(*self.size, phase)
        return self.send_frame()

    def fill(self, x, y, width, height, bgrx):
        with self.lock:
            for row in range(y, y + height):
                at = (row * self.size[0] + x) * 4
                self.memory[at:at + width * 4] = bytes(bgrx) * width
        return self.send_frame([(x, y, width, height)])

    def cursor(self, serial, width, height, hot, pixels):
        wire.send(self.ours, CURSOR, struct.pack("<IHHHH", serial, width, height, *hot) + wire.data(pixels))

    def leds(self, locks):
        wire.send(self.ours, LEDS, struct.pack("<B", locks))

    def point(self, x, y):
        wire.send(self.ours, POINTER, struct.pack("<ii", x, y))

    def close(self):
        self.ours.shutdown(socket.SHUT_RDWR)


class Monitor(threading.Thread):
    """One peer's monitor link. `users`: name → password."""

    def __init__(self, users=None, verdict=ATTACH):
        super().__init__(daemon=True)
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.users = {"alice": "secret"} if users is None else users
        self.verdict = verdict
        self.cookies = {}
        self.said = []
        self.drawer = None
        self.logon = None
        self.hello = None
        self.closed = threading.Event()
        self.session_drawer = Drawer

    def run(self):
        while True:
            try:
                m = wire.receive(self.ours)
            except OSError:
                m = None
            if m is None:
                self.closed.set()
                return
            self.on_message(m[0], m[1])

    def on_message(self, ident, payload):
        r = wire.Reader(payload)
        if ident == HELLO:
            self.hello = (r.text(),) + r.take("IIII")
            self.said.append(("hello",) + self.hello)
        elif ident == AUTH:
            method, user, domain, secret = r.take("B"), r.text(), r.text(), r.data()
            self.said.append(("auth", method, user, domain, secret))
            self.judge(method, user, secret)
        elif ident == LOGON:
            self.said.append(("logon", r.text(), r.take("B")))
            self.logon = Drawer()
            self.logon.start()
            self.display(self.logon, KIND_LOGON)
        elif ident == RESUME:
            self.said.append(("resume", r.take("Q"), r.take("I"), r.data()))
            wire.send(self.ours, RESUMED)
        elif ident == STATUS:
            self.said.append(("status",) + r.take("III"))

    def judge(self, method, user, secret):
        good = method == PASSWORD and self.users.get(user, "").encode() == secret and secret != b""
        good = good or (method == ARC and secret in self.cookies)
        if not good:
            self.send_verdict(REFUSE, reason=9 if method == ARC else 1)
            return
        self.grant(user)

    def grant(self, user="alice"):
        self.send_verdict(self.verdict, user=user)
        self.drawer = self.session_drawer()
        self.drawer.start()
        self.display(self.drawer, KIND_SESSION)

    def send_verdict(self, kind, reason=0, user=""):
        token = b"t" * 16 if kind != REFUSE else b""
        wire.send(self.ours, VERDICT, struct.pack("<BB", kind, reason) + wire.text("") + struct.pack("<QI", 7, 1) +
                  wire.data(token) + wire.text(user))

    def display(self, drawer, kind):
        wire.send(self.ours, DISPLAY, struct.pack("<B", kind), [drawer.theirs.fileno()])
        drawer.theirs.close()

    def cookie(self, logon_id, random):
        wire.send(self.ours, COOKIE, struct.pack("<I", logon_id) + wire.data(random))

    def end(self, cause, why=""):
        wire.send(self.ours, END, struct.pack("<B", cause) + wire.text(why))


def wait_for(condition, seconds=10, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        v = condition()
        if v:
            return v
        time.sleep(0.02)
    raise AssertionError("no " + what + " within %s s" % seconds)


def config_memfd(text):
    fd = os.memfd_create("config", os.MFD_ALLOW_SEALING)
    os.write(fd, text.encode())
    return fd


class Peer:
    """oriel-peer alone on one accepted socket, started the way oriel-server does it."""

    def __init__(self, program, client, monitor, keys, run_dir, options="", uid=600100001):
        text = "[server]\nrequire_empty_root = false\n%s\n[paths]\nrun_dir = %s\n" % (options, run_dir)
        self.server, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        config = config_memfd(text)
        fds = [client.fileno(), theirs.fileno(), keys.fileno(), monitor.theirs.fileno(), config]

        def child():
            kept = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in fds]
            for i, fd in enumerate(kept):
                os.dup2(fd, 3 + i, inheritable=True)
                os.close(fd)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)

        self.process = subprocess.Popen([program], preexec_fn=child, pass_fds=range(3, 8), close_fds=True)
        theirs.close()
        monitor.theirs.close()
        os.close(config)
        client.close()

    def phases(self, seconds=0):
        seen = []
        while select.select([self.server], [], [], seconds)[0]:
            m = wire.receive(self.server)
            if m is None:
                break
            seen.append(m[1][0])
        return seen
