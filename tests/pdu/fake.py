# SPDX-License-Identifier: GPL-3.0-or-later
"""A monitor and a drawer that do what a test tells them: enough of the house to drive oriel-peer and oriel-server alone."""
import fcntl
import mmap
import os
import socket
import struct
import subprocess
import threading
import time

import wire

# session/proto/peer.h
HELLO, AUTH, LOGON, RESUME, STATUS = 1, 2, 3, 4, 5
VERDICT, DISPLAY, COOKIE, END, RESUMED, SERVICE = 101, 102, 103, 104, 105, 106
START, ATTACH, REFUSE = 1, 2, 5
KIND_LOGON, KIND_SESSION, KIND_NOTICE = 1, 2, 3
PASSWORD, CONVERSATION, ASSERTION, ARC = 1, 2, 3, 4
# session/proto/services.h and echo.h
SERVICE_DISPLAY, SERVICE_ECHO, TO_CLIENT, TO_SESSION, PIECE_MAX = 1, 2, 1, 2, 32768
ECHO_REQUEST, ECHO_RESPONSE = 1, 101
# session/proto/display.h
OPEN, LAYOUT, INPUT, FRAME_DONE, REFRESH, SUPPRESS, KEYBOARD = 1, 2, 3, 4, 5, 6, 7
BUFFER, FRAME, CURSOR, POINTER, LEDS, DISPLAY_END, COPIED = 101, 102, 103, 104, 105, 106, 107
MONITORS, SURFACE, SURFACE_GONE = 108, 109, 110
DESKTOP, WINDOW, NO_SURFACE = 1, 2, 0xFFFF
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


class End(threading.Thread):
    """One end of a link; `theirs` is the other. Reads in a thread of its own and calls on_message(ident, payload) until either closes."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.closed = threading.Event()

    def run(self):
        try:
            while (m := wire.receive(self.ours)) is not None:
                self.on_message(*m[:2])
        except OSError:
            pass
        self.closed.set()


class Drawer(End):
    """One display link: answers open and layout with a buffer and a frame, keeps all that the front end said."""

    def __init__(self, kind="session", sealed=True, paint=gradient):
        super().__init__()
        self.sealed, self.paint = sealed, paint
        self.opened = None
        self.keyboard = None
        self.time_zone = None
        self.layouts, self.events, self.done, self.suppressed, self.refreshes = [], [], [], [], 0
        self.frame = self.first = 0    # the last frame's number, and the first one's of this buffer
        self.refresh_due = False
        self.layout = 0    # its serial
        self.lock = threading.RLock()
        self.memory = None
        self.size = None
        self.stopped = False

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
                self.done.append(r.take("II")[1])
                if self.refresh_due:
                    self.refresh_due = not self.send_frame()
            elif ident == REFRESH:
                self.refreshes += 1
                self.refresh_due = not self.send_frame()
            elif ident == SUPPRESS:
                self.suppressed.append(r.take("B"))

    def tell_monitors(self, monitors, size, serial=None):
        self.layout = self.layout + 1 if serial is None else serial
        wire.send(self.ours, MONITORS, struct.pack("<III", self.layout, *size) + struct.pack("<I", len(monitors)) +
                  b"".join(struct.pack("<" + MONITOR, *m) for m in monitors))

    def announce(self, surface, kind, x, y, width, height, hidden=0, layout=None, owner=NO_SURFACE, scale=100):
        wire.send(self.ours, SURFACE, struct.pack("<IIBBIiiIII", surface, self.layout if layout is None else layout, kind, hidden, owner,
                                                  x, y, width, height, scale))

    def gone(self, surface):
        wire.send(self.ours, SURFACE_GONE, struct.pack("<I", surface))

    def new_buffer(self, monitors):
        self.size = (max(m[0] + m[2] for m in monitors), max(m[1] + m[3] for m in monitors))
        self.tell_monitors(monitors, self.size)
        self.announce(0, DESKTOP, 0, 0, *self.size)
        self.lend_memory()
        self.first = self.frame + 1
        self.send_frame()

    def lend_memory(self, surface=0, missing=0):
        """A buffer of the desktop's size, or so many bytes less."""
        width, height = self.size
        fd = os.memfd_create("picture", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(fd, width * height * 4)
        self.memory = mmap.mmap(fd, width * height * 4)
        if missing:
            os.ftruncate(fd, width * height * 4 - missing)
        if self.sealed:
            fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
        if not missing:
            self.memory[:] = self.paint(width, height)
        wire.send(self.ours, BUFFER, struct.pack("<II", surface, width * 4), [fd])
        os.close(fd)

    def send_frame(self, rects=None):
        with self.lock:
            if self.frame >= self.first and self.done[-1:] != [self.frame]:
                return False    # the last one is still on loan
            self.frame += 1
            rects = [(0, 0) + self.size] if rects is None else rects
            wire.send(self.ours, FRAME, struct.pack("<IIQ", 0, self.frame, time.monotonic_ns() // 1000) + self.pack(rects))
            return True

    @staticmethod
    def pack(rects):
        return struct.pack("<I", len(rects)) + b"".join(struct.pack("<HHHH", *x) for x in rects)

    def tell_copied(self, rects, surface=0):
        wire.send(self.ours, COPIED, struct.pack("<I", surface) + self.pack(rects))

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


class Echo(End):
    """The session's process that serves ECHO: asks, and keeps what was answered."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def on_message(self, ident, payload):
        assert ident == ECHO_RESPONSE, ident
        r = wire.Reader(payload)
        self.answers.append((r.take("I"), r.data()))

    def ask(self, ident, data, flags=0):
        """Blocks while the link is full; with MSG_DONTWAIT in `flags` raises BlockingIOError."""
        self.ours.sendmsg([wire.pack(ECHO_REQUEST, struct.pack("<I", ident) + wire.data(data))], [], flags)

    def end(self):
        self.ours.close() if not self.is_alive() else self.ours.shutdown(socket.SHUT_RDWR)


class Monitor(End):
    """One peer's monitor link. `users`: name → password."""

    def __init__(self, users=None, verdict=ATTACH):
        super().__init__()
        self.users = {"alice": "secret"} if users is None else users
        self.verdict = verdict
        self.cookies = {}
        self.said = []
        self.drawer = None
        self.logon = None
        self.hello = None
        self.session_drawer = Drawer

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
        token, salt = (b"t" * 16, b"s" * 16) if kind != REFUSE else (b"", b"")
        wire.send(self.ours, VERDICT, struct.pack("<BB", kind, reason) + wire.text("") + struct.pack("<QI", 7, 1) +
                  wire.data(token) + wire.text(user) + wire.data(salt))

    def display(self, drawer, kind):
        wire.send(self.ours, DISPLAY, struct.pack("<B", kind), [drawer.theirs.fileno()])
        drawer.theirs.close()

    def service(self, end, service=SERVICE_ECHO, directions=TO_CLIENT | TO_SESSION, piece=PIECE_MAX, transfer=PIECE_MAX):
        """Grant a service whose link ends at `end`."""
        end.start()
        wire.send(self.ours, SERVICE, struct.pack("<BBIQ", service, directions, piece, transfer), [end.theirs.fileno()])
        end.theirs.close()
        return end

    def cookie(self, logon_id, random):
        wire.send(self.ours, COOKIE, struct.pack("<I", logon_id) + wire.data(random))

    def end(self, cause, why=""):
        wire.send(self.ours, END, struct.pack("<B", cause) + wire.text(why))


def wait_for(condition, seconds=30, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        v = condition()
        if v:
            return v
        time.sleep(0.02)
    raise AssertionError("no " + what + " within %s s" % seconds)


class World:
    """oriel-keys and oriel-server for real, and a monitor of ours behind RUN_DIR/monitor.sock. Root only."""

    ACCOUNTS = ("daemon", "bin")  # stand in for _oriel and _oriel-keys
    CAPS = "+setuid,+setgid,+sys_chroot,+kill"

    def __init__(self, build, folder, monitor=None, peer="server/oriel-peer", **options):
        self.run_dir, self.log = os.path.join(folder, "run"), os.path.join(folder, "log")
        self.make_monitor = monitor or Monitor
        self.monitors, self.peers = {}, {}
        self.programs = os.path.join(folder, "bin")
        for d, owner, mode in (("", "root", 0o755), ("run", "root", 0o755), ("run/keys", "keys", 0o2750), ("run/empty", "root", 0o755),
                               ("state", "root", 0o755), ("state/tls", "keys", 0o750), ("bin", "root", 0o755)):
            self.folder(os.path.join(folder, d), owner, mode)
        for program in ("server/oriel-server", "common/oriel-keys"):
            subprocess.run(["cp", os.path.join(build, program), self.programs], check=True)
        subprocess.run(["cp", os.path.join(build, peer), os.path.join(self.programs, "oriel-peer")], check=True)
        options.setdefault("server.port", 0)
        options.setdefault("server.listen", "127.0.0.1")
        options.setdefault("log.level", "debug")
        options.update({"paths.run_dir": self.run_dir, "paths.state_dir": os.path.join(folder, "state"),
                        "paths.user_server": self.ACCOUNTS[0], "paths.user_keys": self.ACCOUNTS[1]})
        self.config = os.path.join(folder, "oriel.conf")
        self.write_config(options)
        path = os.path.join(self.run_dir, "monitor.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(5)
        port = os.path.join(self.run_dir, "port")
        open(port, "w").close()
        self.chown(port, "server")
        self.link, self.processes, self.hello = None, [], None

    def chown(self, path, who):
        import pwd
        if who != "root":
            p = pwd.getpwnam(self.ACCOUNTS[0 if who == "server" else 1])
            group = pwd.getpwnam(self.ACCOUNTS[0]).pw_gid
            os.chown(path, p.pw_uid, group)

    def folder(self, path, owner, mode):
        os.makedirs(path, exist_ok=True)
        self.chown(path, owner)
        os.chmod(path, mode)

    def write_config(self, options):
        sections = {}
        for k, v in options.items():
            s, n = k.split(".")
            sections.setdefault(s, []).append("%s = %s" % (n, v))
        with open(self.config, "w") as f:
            for s, lines in sections.items():
                f.write("[%s]\n%s\n" % (s, "\n".join(lines)))
        os.chmod(self.config, 0o644)
        self.options = options

    def spawn(self, program, account, caps=None):
        argv = ["setpriv", "--reuid", account, "--regid", account, "--clear-groups"]
        if caps:
            argv += ["--inh-caps", caps, "--ambient-caps", caps]
        out = open(self.log, "ab")
        # Looking for leaks needs ptrace, which a sandbox refuses: the daemon would hang at its end until it is killed.
        env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
        p = subprocess.Popen(argv + [os.path.join(self.programs, program), "--config", self.config], stdout=out, stderr=out, env=env)
        self.processes.append(p)
        return p

    def start(self):
        self.keys = self.spawn("oriel-keys", self.ACCOUNTS[1])
        wait_for(lambda: os.path.exists(os.path.join(self.run_dir, "keys/keys.sock")), what="oriel-keys")
        self.server = self.spawn("oriel-server", self.ACCOUNTS[0], self.CAPS)
        self.accepting = threading.Thread(target=self.serve, daemon=True)
        self.accepting.start()
        wait_for(lambda: open(os.path.join(self.run_dir, "port")).read().strip(), what="port")
        self.port = int(open(os.path.join(self.run_dir, "port")).read())
        return self

    def serve(self):
        while True:
            try:
                self.link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(self.link,), daemon=True).start()

    def one(self, link):
        while True:
            try:
                m = wire.receive(link)
            except OSError:
                m = None
            if m is None:
                return
            r = wire.Reader(m[1])
            if m[0] == 1:
                peer, pid, address, port = r.take("Q"), r.take("i"), r.text(), r.take("H")
                self.peers[peer] = (pid, address, port)
                mon = self.make_monitor()
                mon.start()
                self.monitors[peer] = mon
                wire.send(link, 101, struct.pack("<Q", peer), [mon.theirs.fileno()])
                mon.theirs.close()
            elif m[0] == 2:
                self.peers.pop(r.take("Q"), None)
            else:
                self.hello = (r.text(), r.text())

    def last(self):
        wait_for(lambda: self.monitors, what="peer")
        return self.monitors[max(self.monitors)]

    def text(self):
        return open(self.log).read()

    def stop(self):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
        for p in self.processes:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        # Closed under a waiting accept, the number would go to the next world's listener, and a restarted system call with it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join(5)
        self.listener.close()
