# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the stories. Run through scripts/check, or by hand: tests/README.md."""
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness import client as client_mod, procs, users, world  # noqa: E402
from harness.proxy import Wire  # noqa: E402
from harness.service import Service  # noqa: E402
from harness.windows import MANAGED  # noqa: E402

XTERM = "xterm -fn fixed -bg white -fg black -bd white -b 2 -sb +sb -geometry 80x24+0+80 -xrm 'XTerm*cursorBlink: false'"
USUAL_S = 2


def pytest_configure(config):
    config.addinivalue_line("markers", "core: also runs under sanitizers")
    config.addinivalue_line("markers", "lived_in: also told on a machine that people have used (lived_in.sh)")
    config.addinivalue_line("markers", "long: only with scripts/check --long")
    config.addinivalue_line("markers", "apps: only with scripts/check --apps, which installs the applications")
    config.addinivalue_line("markers", "timing: figures; not under sanitizers")
    config.addinivalue_line("markers", "takes(seconds): far longer than the others, which take %d: for --shard" % USUAL_S)
    config.addinivalue_line("markers", "option(name, ...): shows the effect of these options (tests/lint/test_options.py)")


def pytest_addoption(parser):
    parser.addoption("--shard", default="0/1", help="I/N: tell the I-th of N parts of the stories, each of which takes as long")


def dealt(items, shards):
    """Each story's shard: the longest first, always to the one that has least to do."""
    takes = {item: (item.get_closest_marker("takes") or pytest.mark.takes(USUAL_S).mark).args[0] for item in items}
    load, shard = [0] * shards, {}
    for item in sorted(items, key=lambda item: ("test_serve" not in item.nodeid, -takes[item])):
        # serve builds in the tree, which all worlds share: its stories stay together
        shard[item] = 0 if "test_serve" in item.nodeid else load.index(min(load))
        load[shard[item]] += takes[item]
    return shard


@pytest.hookimpl(trylast=True)      # of those that -m leaves
def pytest_collection_modifyitems(config, items):
    mine, shards = (int(x) for x in config.getoption("--shard").split("/"))
    shard = dealt(items, shards)
    items[:] = [item for item in items if shard[item] == mine]
    for item in items:
        if not world.inside():
            item.add_marker(pytest.mark.skip(reason="not in a private world (tests/scenario/world.sh)"))
        elif world.SANITIZED and item.get_closest_marker("timing"):
            item.add_marker(pytest.mark.skip(reason="a figure that sanitizers distort"))
        elif item.get_closest_marker("long") and os.environ.get("ORIEL_LONG") != "1":
            item.add_marker(pytest.mark.skip(reason="only with scripts/check --long"))
        elif item.get_closest_marker("apps") and os.environ.get("ORIEL_APPS") != "1":
            item.add_marker(pytest.mark.skip(reason="only with scripts/check --apps"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "report_" + report.when, report)
    if report.failed and world.inside():    # at once, for whoever watches
        with open(world.OUT + "/failures.txt", "a") as f:
            f.write("%s (%s)\n%s\n\n" % (item.nodeid, report.when, report.longreprtext[-3000:]))


def _failed(request):
    return any(getattr(getattr(request.node, "report_" + when, None), "failed", False) for when in ("setup", "call"))


def make_accounts():
    for name in ("_oriel", "_oriel-keys", "_oriel-enc", "_oriel-logon"):
        if subprocess.run(["getent", "passwd", name], stdout=subprocess.DEVNULL).returncode:
            users.run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name)


@pytest.fixture(scope="session")
def _group():
    """What an installation brings: system accounts and the PAM service. Wrong passwords are answered at once here: pam_unix waits
    two seconds by itself, which says nothing about Oriel."""
    users.run("groupadd", "-f", "oriel-users")
    make_accounts()
    installed = world.PREFIX + "/etc/pam.d/oriel"
    if os.path.exists(installed):
        shutil.copy(installed, "/etc/pam.d/oriel")
    else:
        with open("/etc/pam.d/oriel", "w") as f:
            f.write("".join("@include common-%s\n" % k for k in ("auth", "account", "password", "session")))
    with open("/etc/pam.d/common-auth") as f:
        text = f.read()
    with open("/etc/pam.d/common-auth", "w") as f:
        f.write(re.sub(r"(pam_unix\.so)(?!.*nodelay)", r"\1 nodelay", text))


class Services:
    """The service that most stories share, and private ones for those that need another configuration."""

    def __init__(self):
        self.shared = None
        self.private = []

    def main(self):
        if self.shared is not None and self.shared.process.poll() is not None:
            self.shared = None
        if self.shared is None:
            self.shared = Service("main", login__throttle_burst=1000).start()
        return self.shared

    def other(self, name="other", start=True, kept=False, **options):
        """A service with these options; `kept` ones are ended by end(), the rest by end_private()."""
        s = Service(name, **options)
        if not kept:
            self.private.append(s)
        return s.start() if start else s

    @staticmethod
    def end(*services):
        errors = []
        for s in services:
            try:
                if s.process and s.process.poll() is None:
                    s.logoff_all()
                s.stop()
            except AssertionError as e:
                errors.append(str(e))
        return errors

    def end_private(self):
        ending, self.private = self.private, []
        return self.end(*ending)

    def replace_main(self):
        """A test broke it: the next story gets a new one."""
        if self.shared:
            try:
                self.shared.logoff_all()
                self.shared.stop()
            except AssertionError:
                pass
            self.shared = None


@pytest.fixture(scope="session")
def services(_group):
    s = Services()
    yield s
    s.end_private()
    s.replace_main()


@pytest.fixture
def oriel(services, request):
    """The shared service; its sessions are logged off after each story."""
    s = services.main()
    yield s
    if not s.logoff_all():
        services.replace_main()


@pytest.fixture
def make_oriel(services, request):
    """make_oriel(login__attempts=2) starts a service with these options, for this story alone."""
    yield services.other
    errors = services.end_private()
    assert not errors, errors


@pytest.fixture
def connect(request):
    """connect(service, user, password, ...) starts a client; all are ended after the story, with pictures when it failed."""
    clients = []

    def start(service, user="", password="", **kw):
        port = kw.pop("port", None) or service.port
        if isinstance(user, users.User):
            password = password or user.password
            user = user.name
        c = client_mod.Client(port, user, password, **kw)
        clients.append(c)
        return c

    yield start
    for c in clients:
        if _failed(request):
            c.save("failed-" + re.sub(r"\W+", "_", request.node.name)[:60])
        c.close()


@pytest.fixture
def wire(request):
    """wire(service, source) is a connection that the story can cut."""
    wires = []

    def make(service, source="127.0.0.1"):
        w = Wire(("127.0.0.1", service.port), source)
        wires.append(w)
        return w

    yield make
    for w in wires:
        w.close()


@pytest.fixture
def stamp():
    return client_mod.Stamp()


def give_session(user, stamp, stream=False, terminal=True, extra=""):
    """The user's ~/.xsession: the stamp, and a terminal whose letters can be read."""
    body = "%s\n" % extra
    body += "echo started-$$ >>$HOME/started\n"
    body += "%s &\n" % stamp.command(stream)
    if terminal:
        # the shell says who it is, so that a story can tell that it came back to the very same one
        # the terminal's shell alone: the one that reads the start-up files comes by here too
        user.write(".bashrc", "case $- in *i*) ;; *) return ;; esac\nPS1='$ '\necho $$ >$HOME/shell-pid\nunset HISTFILE\n")
        body += "%sexec %s -e /bin/bash\n" % (MANAGED, XTERM)
    else:
        body += "exec openbox\n"
    user.xsession(body)


@pytest.fixture
def person(stamp, request):
    """person("anna") is a user with a clean home whose session shows the stamp; each has a stamp of her own."""
    made = []

    def make(name, stamp=stamp, **kw):
        u = users.user(name)
        for path in ("started", "shell-pid", ".xsession", "typed", ".local", ".bashrc"):
            u.remove(path)
        give_session(u, stamp, **kw)
        u.stamp = stamp
        made.append(u)
        return u

    make.another_stamp = client_mod.Stamp
    return make


@pytest.fixture(autouse=True)
def nothing_left(request):
    """After a story no process of any user is left."""
    yield
    if "oriel" not in request.fixturenames and "make_oriel" not in request.fixturenames:
        return


@pytest.fixture
def machine_with():
    """A machine that does something to each oriel-peer (preload.c)."""
    library = "/etc/oriel-test-preload.so"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
                    world.TREE + "/tests/scenario/preload.c"], check=True)

    def does(what):
        with open("/etc/oriel-test-preload", "w") as f:
            f.write(what)
        with open("/etc/ld.so.preload", "w") as f:
            f.write(library + "\n")
    yield does
    os.unlink("/etc/ld.so.preload")


__all__ = ["procs"]
