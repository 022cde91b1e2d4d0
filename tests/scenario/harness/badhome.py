# SPDX-License-Identifier: GPL-3.0-or-later
"""A home on FUSE that goes wrong on demand (tests/scenario/badhome.c), closed to root as FUSE homes are."""
import os
import pwd
import subprocess

from .world import PREFIX, wait_for

PROGRAM = PREFIX + "/badhome"


def here():
    return os.access(PROGRAM, os.X_OK) and os.path.exists("/dev/fuse")


class BadHome:
    """The user's home, as it is, behind FUSE; until close()."""

    def __init__(self, user):
        self.user = user
        self.backing = user.home + ".behind"
        folder = "/run/badhome-" + user.name
        self.control = folder + "/control"
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, user.uid, -1)
        os.rename(user.home, self.backing)
        os.mkdir(user.home, 0o700)
        os.chown(user.home, user.uid, pwd.getpwnam(user.name).pw_gid)
        self.be("fine")
        self.process = subprocess.Popen(["setpriv", "--reuid", user.name, "--regid", user.name, "--init-groups", PROGRAM, self.backing,
                                         self.control, user.home], stdin=subprocess.DEVNULL)
        wait_for(self.mounted, 5, "the home on FUSE")

    def mounted(self):
        with open("/proc/self/mounts") as f:
            return any(line.split()[:2] == ["badhome", self.user.home] for line in f)

    def be(self, word):
        """fine, open, stat, full, readonly, closed, expired, unread, slow or gone: what they mean stands in badhome.c."""
        with open(self.control + ".new", "w") as f:
            f.write(word)
        os.chmod(self.control + ".new", 0o644)
        if os.path.exists(self.control + ".hangs"):
            os.remove(self.control + ".hangs")
        os.rename(self.control + ".new", self.control)

    def somebody_hangs(self):
        """In a call that gets no answer, since the last be()."""
        return os.path.exists(self.control + ".hangs")

    def read(self, path):
        try:
            with open(os.path.join(self.backing, path), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def close(self):
        self.be("fine")     # whoever hung goes on, or dies of the signal that waits for it
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.mounted():
            subprocess.run(["umount", "-l", self.user.home], check=True)
        os.rmdir(self.user.home)
        os.rename(self.backing, self.user.home)
