# SPDX-License-Identifier: GPL-3.0-or-later
"""People with passwords, in the world's own copies of passwd and shadow."""
import os
import pwd
import secrets
import shutil
import subprocess


def run(*argv, **kw):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)


class User:
    def __init__(self, name):
        self.name = name
        self.password = "Pw-" + secrets.token_hex(8)

    @property
    def home(self):
        return "/home/" + self.name

    @property
    def uid(self):
        return pwd.getpwnam(self.name).pw_uid

    @property
    def gid(self):
        return pwd.getpwnam(self.name).pw_gid

    def create(self, groups=()):
        run("useradd", "-m", "-s", "/bin/bash", "-d", self.home, *(["-G", ",".join(groups)] if groups else []), self.name)
        os.chmod(self.home, 0o700)
        self.set_password(self.password)
        return self

    def set_password(self, password):
        self.password = password
        run("chpasswd", input=("%s:%s\n" % (self.name, password)).encode())

    def write(self, path, text, mode=0o644):
        """A file in the home folder."""
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)
        for part in [full] + [os.path.join(self.home, *path.split("/")[:n]) for n in range(1, path.count("/") + 1)]:
            os.chown(part, self.uid, self.gid)
        return full

    def read(self, path):
        try:
            with open(os.path.join(self.home, path), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def remove(self, path):
        full = os.path.join(self.home, path)
        if os.path.isdir(full) and not os.path.islink(full):
            shutil.rmtree(full)
        elif os.path.lexists(full):
            os.remove(full)

    def xsession(self, body):
        self.write(".xsession", "#!/bin/sh\n" + body, 0o755)


_users = {}


def user(name):
    """The user of this name, created when first asked for."""
    if name not in _users:
        u = User(name)
        groups = () if name == "outsider" else ("oriel-users",)
        u.create(groups)
        if name == "expired":        # must choose a new password
            run("chage", "-d", "0", name)
        elif name == "locked":
            run("usermod", "-L", name)
        elif name == "gone":         # the account ended
            run("chage", "-E", "1", name)
        _users[name] = u
    return _users[name]


def unknown(name="nobodyhere"):
    return User(name)
