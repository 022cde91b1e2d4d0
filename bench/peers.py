# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that the bench measures: how each is started, and which of its processes count as the server."""
import os
import re
import shutil
import subprocess
import time

USER, PASSWORD = "bench", "bench-Pa55"
PORT = {"oriel": 33890, "xrdp-h264": 33891, "xrdp-rfx": 33892, "shadow": 33893}


def run(*argv, **kw):
    return subprocess.run(argv, check=True, **kw)


def wait_port(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open("/proc/net/tcp") as f4, open("/proc/net/tcp6") as f6:
            rows = f4.readlines()[1:] + f6.readlines()[1:]
        if any(r.split()[3] == "0A" and int(r.split()[1].split(":")[1], 16) == port for r in rows):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


class Peer:
    """start(); options(avc) → the client's; processes() → {pid: (program, "client" | "shared" | "x")}: what stands there for each client,
    what all clients share, and the X server. The player and the session's applications are nobody's."""
    per_client = shared = ()
    x = ("Xorg", "Xvfb")

    def __init__(self, work, programs):
        self.work, self.programs, self.children = work, programs, []
        os.makedirs(work, exist_ok=True)
        os.chmod(work, 0o777)
        self.pipe = os.path.join(work, "player.pipe")
        os.mkfifo(self.pipe)
        os.chmod(self.pipe, 0o666)

    def spawn(self, argv, log, **kw):
        f = open(os.path.join(self.work, log), "ab")
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, start_new_session=True, **kw)
        self.children.append(p)
        return p

    def background_bytes(self):
        """What was sent so far as background work, last steps to exact; a server that tells nothing of it: 0."""
        return 0

    def bulk_bytes(self):
        """What was sent so far beside the scenes (--bulk)."""
        return 0

    def tell(self, line, seconds=15):
        """One command to the session's player."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                fd = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.05)
                continue
            os.write(fd, (line + "\n").encode())
            os.close(fd)
            return
        raise RuntimeError("the player does not listen: no session?")

    def side(self, pid, name):
        sides = {"client": self.per_client, "shared": self.shared, "x": self.x}
        return next((side for side, names in sides.items() if name in names), None)

    def processes(self):
        found = {}
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    name = f.read().strip()
            except OSError:
                continue
            if self.side(pid, name):
                found[pid] = (name, self.side(pid, name))
        return found

    def stop(self):
        """The session's end, then the servers'."""
        try:
            self.tell("quit", 1)
            time.sleep(0.5)
        except RuntimeError:
            pass
        for p in reversed(self.children):
            p.terminate()
        for p in self.children:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


class Oriel(Peer):
    name = "oriel"
    per_client = ("oriel-peer", "oriel-leader", "oriel-agent", "oriel-encoder")
    shared = ("oriel", "oriel-monitor", "oriel-server", "oriel-keys")

    def start(self):
        home = f"/home/{USER}"
        with open(f"{home}/.xsession", "w") as f:
            f.write(f"#!/bin/sh\nexec {self.programs}/bench-player {self.pipe}\n")
        os.chmod(f"{home}/.xsession", 0o755)
        conf = os.path.join(self.work, "oriel.conf")
        pam = os.path.join(self.work, "pam.d")
        os.makedirs(pam, exist_ok=True)
        with open(f"{pam}/oriel", "w") as f:
            f.write("auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\npassword required pam_unix.so\n")
        with open(conf, "w") as f:
            f.write(f"[server]\nlisten = 0.0.0.0\nport = {PORT[self.name]}\n[login]\npam_dir = {pam}\n[paths]\n"
                    f"run_dir = /run/oriel-bench\nstate_dir = /var/lib/oriel-bench\n[log]\nlevel = debug\n")
        self.spawn([f"{self.programs}/oriel", "--config", conf], "oriel.log")
        wait_port(PORT[self.name])
        return []

    def background_bytes(self):
        return self.told(r"background picture.* bytes=(\d+)")

    def bulk_bytes(self):
        return self.told(r"bulk was sent.* bytes=(\d+)")

    def told(self, what):
        with open(os.path.join(self.work, "oriel.log"), errors="replace") as f:
            return sum(int(m.group(1)) for m in re.finditer(what, f.read()))

    def options(self, avc):
        return {"420": ["/gfx:AVC420"], "444": ["/gfx:AVC444"], "off": ["/gfx"]}[avc]


class Shadow(Peer):
    name = "shadow"
    per_client = ("freerdp-shadow-",)  # one process for one screen; the kernel cuts names at 15 characters

    def start(self):
        self.spawn(["Xvfb", ":97", "-screen", "0", "1920x1080x24", "-nolisten", "tcp"], "xvfb.log")
        while not os.path.exists("/tmp/.X11-unix/X97"):
            time.sleep(0.05)
        env = dict(os.environ, DISPLAY=":97")
        self.spawn([f"{self.programs}/bench-player", self.pipe], "player.log", env=env)
        self.spawn(["freerdp-shadow-cli3", f"/port:{PORT[self.name]}", "/sec:tls", "-auth"], "shadow.log", env=env)
        wait_port(PORT[self.name])

    def options(self, avc):
        return {"420": ["/gfx:AVC420"], "444": ["/gfx:AVC444"], "off": ["/gfx"]}[avc]


class Xrdp(Peer):
    """xrdp of Debian 13's backports, in a tree of its own (bench/xrdp-tree makes it)."""
    per_client = ("xrdp", "xrdp-sesexec", "xrdp-chansrv")
    shared = ("xrdp-sesman",)
    tree = "/var/tmp/oriel-bench-trixie"
    codec = "H.264"

    def __init__(self, work, programs):
        super().__init__(work, programs)
        self.mounts = []

    def start(self):
        t = self.tree
        if not os.path.exists(f"{t}/usr/sbin/xrdp"):
            raise RuntimeError(f"no xrdp in {t}: run bench/xrdp-tree first")
        shared = os.path.dirname(self.work)
        for what in ("proc", "dev", "sys"):
            self.mount(f"{t}/{what}", "--rbind", f"/{what}")
        self.mount(f"{t}/run", "-t", "tmpfs", "tmpfs")
        self.mount(f"{t}/tmp", "-t", "tmpfs", "tmpfs")
        self.mount(t + shared, "--rbind", shared)
        os.makedirs(f"{t}/usr/local/bench", exist_ok=True)
        shutil.copy(f"{self.programs}/bench-player", f"{t}/usr/local/bench/")
        if subprocess.run(["chroot", t, "id", USER], capture_output=True).returncode:
            run("chroot", t, "useradd", "-m", "-u", "61000", "-s", "/bin/bash", USER)
        run("chroot", t, "chpasswd", input=f"{USER}:{PASSWORD}\n".encode())
        with open(f"{t}/etc/xrdp/startwm.sh", "w") as f:
            f.write(f"#!/bin/sh\nexec /usr/local/bench/bench-player {self.pipe}\n")
        os.chmod(f"{t}/etc/xrdp/startwm.sh", 0o755)
        self.edit(f"{t}/etc/xrdp/gfx.toml", "order =", f'order = [ "{self.codec}" ]' if self.codec == "RFX" else 'order = [ "H.264", "RFX" ]')
        self.edit(f"{t}/etc/xrdp/xrdp.ini", "port=3389", f"port={PORT[self.name]}")
        for d in ("run/xrdp", "tmp/.X11-unix"):
            os.makedirs(f"{t}/{d}", exist_ok=True)
        os.chmod(f"{t}/tmp/.X11-unix", 0o1777)
        os.chmod(f"{t}/tmp", 0o1777)
        self.spawn(["chroot", t, "xrdp-sesman", "--nodaemon"], "sesman.log")
        time.sleep(0.5)
        self.spawn(["chroot", t, "xrdp", "--nodaemon"], "xrdp.log")
        wait_port(PORT[self.name])

    def mount(self, where, *what):
        os.makedirs(where, exist_ok=True)
        run("mount", *what, where)
        self.mounts.insert(0, where)

    def stop(self):
        super().stop()
        for where in self.mounts:
            run("umount", "--recursive", "--lazy", where)

    def side(self, pid, name):
        """The xrdp that was started here listens; it forks one for each client."""
        listens = name == "xrdp" and any(p.pid == pid for p in self.children)
        return "shared" if listens else super().side(pid, name)

    def edit(self, path, start, line):
        pristine = path + ".bench-orig"
        if not os.path.exists(pristine):
            shutil.copy(path, pristine)
        with open(pristine) as f:
            rows = f.read().split("\n")
        done = False
        for i, row in enumerate(rows):
            if row.startswith(start) and not done:
                rows[i], done = line, True
        with open(path, "w") as f:
            f.write("\n".join(rows))

    def options(self, avc):
        return ["/gfx:AVC420"] if self.codec != "RFX" else ["/gfx:RFX"]


class XrdpH264(Xrdp):
    name = "xrdp-h264"


class XrdpRfx(Xrdp):
    name, codec = "xrdp-rfx", "RFX"


PEERS = {p.name: p for p in (Oriel, XrdpH264, XrdpRfx, Shadow)}
