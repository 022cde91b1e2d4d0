# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of people beside the world's own accounts: tests/nss/nss_oriel_test.c reads what is written here, and PAM finds their
passwords in /etc/shadow."""
import os
import re
import shutil
import subprocess

from . import users
from .world import PREFIX

FILE = "/etc/oriel-test-directory"
NSSWITCH = "/etc/nsswitch.conf"
LIBRARIES = "/etc/ld.so.conf.d/oriel-test.conf"


class Person(users.User):
    """An account of the directory."""
    uid = gid = None        # of the entry, not of what this Python's own name service says

    def __init__(self, name, uid, gid):
        super().__init__(name)
        self.uid, self.gid = uid, gid

    @property
    def home(self):
        return "/home/" + re.sub(r"\W", "-", self.name)

    def create(self, groups=()):
        os.makedirs(self.home, exist_ok=True)
        os.chown(self.home, self.uid, self.gid)
        os.chmod(self.home, 0o700)
        return self

    def set_password(self, password):
        self.password = password
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password + "\n", stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        with open("/etc/shadow") as f:
            others = [line for line in f if not line.startswith(self.name + ":")]
        with open("/etc/shadow", "w") as f:
            f.write("".join(others) + "%s:%s:20000:0:99999:7:::\n" % (self.name, hashed))


class Directory:
    def __init__(self):
        self.lines = []
        with open(NSSWITCH) as f:
            self.before = f.read()
        with open(LIBRARIES, "w") as f:
            f.write(PREFIX + "\n")
        users.run("ldconfig")
        with open(NSSWITCH, "w") as f:
            f.write(re.sub(r"(?m)^((passwd|group):.*)$", r"\1 oriel_test", self.before))

    def end(self):
        with open(NSSWITCH, "w") as f:
            f.write(self.before)
        os.remove(LIBRARIES)
        users.run("ldconfig")

    def say(self, *fields):
        """A line; see tests/nss/nss_oriel_test.c. Takes effect at once."""
        self.lines.append("\t".join(str(f) for f in fields))
        with open(FILE, "w") as f:
            f.write("\n".join(self.lines) + "\n")

    def unsay(self, *fields):
        self.lines.remove("\t".join(str(f) for f in fields))
        with open(FILE, "w") as f:
            f.write("\n".join(self.lines) + "\n")

    def person(self, spelled, others, uid, gid):
        """An account that the name service calls `spelled`, and knows by these other names, too."""
        p = Person(spelled, uid, gid)
        for asked in (spelled, *others):
            self.say("user", asked, spelled, uid, gid, p.home)
        if os.path.isdir(p.home):
            shutil.rmtree(p.home)
        p.create().set_password(p.password)
        return p

    def group(self, name, gid, *members):
        self.say("group", name, name, gid, *members)
