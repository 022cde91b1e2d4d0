# SPDX-License-Identifier: GPL-3.0-or-later
"""What Oriel's units do under systemd. Runs in the machine that systemd.sh boots, where Oriel is installed for good; one class a boot,
and the stories of a class follow each other."""
# (What a file and a class can ask for: list_stories.py.)
import glob
import os
import re
import socket
import subprocess
import time

import pytest

from harness import procs, users
from harness.service import Service
from harness.world import stays, wait_for

DAEMONS = ("oriel-keys", "oriel-monitor", "oriel-server")
CONFIG = "/etc/oriel/oriel.conf"
PERSON = "anna"


def say(*argv):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, text=True)
    assert r.returncode == 0, "%s: exit %d: %s" % (" ".join(argv), r.returncode, r.stdout)
    return r.stdout.strip()


def systemctl(*argv):
    return say("systemctl", *argv)


def prop(unit, name):
    return systemctl("show", "--value", "-p", name, unit)


def main_pids():
    return {u: int(prop(u, "MainPID")) for u in DAEMONS}


def cgroup(pid):
    """Where systemd has put the process, such as /system.slice/oriel-server.service; "" when it has ended."""
    try:
        with open("/proc/%d/cgroup" % pid) as f:
            return f.read().split("0::", 1)[1].strip()
    except (OSError, IndexError):
        return ""


def in_group(group):
    """The processes of a control group and of those below it."""
    found = []
    for folder, _, _ in os.walk("/sys/fs/cgroup" + group):
        try:
            with open(folder + "/cgroup.procs") as f:
                found += [int(line) for line in f]
        except OSError:
            pass
    return found


def journal(*argv):
    say("journalctl", "--sync")
    return say("journalctl", "--no-pager", "-q", "-o", "cat", *argv)


def of_oriel():
    return [p for p in procs.processes() if p.exe.startswith("oriel")]


def only_sessions_are_left():
    """Of Oriel's programs those that belong to sessions, and are outside its services."""
    return all(p.exe in ("oriel-leader", "oriel-agent", "oriel-startup") for p in of_oriel())


def leaders():
    """Both processes of each session: the leader, and above it the one that ends what a killed leader leaves."""
    return procs.named("oriel-leader")


class Installed(Service):
    """The service that systemd runs."""

    def __init__(self):     # pylint: disable=super-init-not-called
        self.name, self.config, self.run_dir, self.log_path = "installed", CONFIG, "/run/oriel", "the journal"

    def listening(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5):
                return True
        except (OSError, ValueError, IndexError):
            return False

    def configure(self, section, line):
        with open(CONFIG) as f:
            text = f.read()
        with open(CONFIG, "w") as f:
            f.write(text.replace("[%s]\n" % section, "[%s]\n%s\n" % (section, line), 1))
        return text


class Login:
    """One login of one person, and what is known of it."""

    def __init__(self, connect, person):
        users.run("groupadd", "-f", "oriel-users")
        self.connect = connect
        self.oriel = Installed()
        if PERSON not in users._users and os.path.isdir("/home/" + PERSON):   # of an earlier boot
            users.run("userdel", "-r", PERSON)
        self.user = person(PERSON)
        self.client = self.shell = None

    def begin(self):
        self.attach()
        self.shell = wait_for(self.shell_pid, 10, "the shell of the terminal")
        self.session = self.oriel.wait_state(PERSON, "active")
        return self

    def attach(self):
        # a client that loses its connection comes back by itself
        self.client = self.connect(self.oriel, self.user, options=("+auto-reconnect", "/auto-reconnect-max-retries:20"))
        self.client.wait_stamp(self.user.stamp, 20)

    def shell_pid(self):
        text = self.user.read("shell-pid").strip()
        return int(text) if text and procs.alive(int(text)) else None

    def scope(self):
        return cgroup(self.shell)

    def id(self):
        return re.fullmatch(r"session-(\w+)\.scope", os.path.basename(self.scope())).group(1)

    def same(self):
        """The very same session, and its scope."""
        return (procs.alive(self.shell) and self.user.read("shell-pid").strip() == str(self.shell) and
                self.user.read("started").count("\n") == 1)

    def wait_gone(self, scope):
        """Nothing is left of the person but what systemd itself keeps for a moment, and that goes, too."""
        self.oriel.wait_no_session(PERSON, 15)
        wait_for(lambda: not os.path.exists("/sys/fs/cgroup" + scope), 10, "the end of " + scope)
        wait_for(lambda: not leaders(), 10, "the leaders' end")
        wait_for(lambda: not procs.of_user(PERSON), 30, "no process of %s; there are %r" % (PERSON, procs.of_user(PERSON)))
        wait_for(lambda: PERSON not in say("loginctl", "list-sessions", "--no-legend"), 10, "logind's list without " + PERSON)
        assert not glob.glob("/tmp/.X1[0-9]-lock") and not glob.glob("/run/user/%d/oriel-*" % self.user.uid)


@pytest.fixture
def login(connect, person):
    systemctl("start", "oriel.target")      # whatever the story before this left
    Installed().wait_listening()
    made = Login(connect, person)
    yield made.begin()
    if made.oriel.session_of(PERSON):
        made.oriel.logoff(PERSON, 15)


def now():
    """For --since. (A cursor that does not match what is asked for makes journalctl 252 leave the first line after it out.)"""
    return "@%.6f" % time.time()


def no_complaints(*argv):
    """systemd and the daemons have nothing to say that is a warning or worse."""
    text = journal("-p", "warning", *argv)
    assert not text, text


def all_green():
    systemctl("is-active", "oriel.target", *DAEMONS)
    systemctl("status", "oriel.target", *DAEMONS)
    assert systemctl("list-units", "--failed", "--no-legend") == ""


class TestInstalled:
    def test_units_have_no_warnings(self):
        assert say("systemd-analyze", "verify", "--man=no", "oriel.target", *[d + ".service" for d in DAEMONS]) == ""

    def test_daemons_run_and_systemd_is_content(self):
        Installed().wait_listening()
        all_green()
        assert systemctl("is-enabled", "oriel.target") == "enabled"
        no_complaints("-b", "-u", "oriel*")
        assert not [p for p in procs.processes() if p.exe == "oriel"], "under systemd nobody needs the supervisor"

    def test_listener_starts_when_key_and_monitor_are_ready(self):
        ready = [int(prop(u, "ActiveEnterTimestampMonotonic")) for u in ("oriel-keys", "oriel-monitor")]
        assert max(ready) <= int(prop("oriel-server", "ExecMainStartTimestampMonotonic"))
        systemctl("restart", *DAEMONS)
        Installed().ctl("status")       # answered at once: restart returns when they are there

    def test_session_has_a_scope_of_its_own(self, login):
        scope = login.scope()
        assert re.fullmatch(r"/user\.slice/user-%d\.slice/session-\w+\.scope" % login.user.uid, scope), scope
        theirs = [p for p in procs.of_user(PERSON) if "user@" not in cgroup(p.pid)]
        assert len(leaders()) == 2 and len(theirs) > 4, (leaders(), theirs)
        strays = [(p, cgroup(p.pid)) for p in theirs + leaders() if cgroup(p.pid) != scope]
        assert not strays, strays
        services = [p for u in DAEMONS for p in in_group("/system.slice/%s.service" % u) if procs.alive(p)]
        assert not set(services) & {p.pid for p in theirs + leaders()}

    def test_logind_lists_it(self, login):
        assert PERSON in say("loginctl", "list-sessions", "--no-legend")
        seen = dict(line.split("=", 1) for line in say("loginctl", "show-session", login.id()).splitlines())
        want = {"Name": PERSON, "Service": "oriel", "Type": "x11", "Class": "user", "Display": login.session["display"], "State": "active"}
        assert {k: seen.get(k) for k in want} == want
        assert int(seen["Leader"]) in [p.pid for p in leaders()]

    def test_restart_of_the_daemons_ends_no_session(self, login):
        before, client, start = main_pids(), login.client.process.pid, now()
        systemctl("restart", *DAEMONS)
        after = main_pids()
        assert all(after[u] and after[u] != before[u] for u in DAEMONS), (before, after)
        login.oriel.wait_state(PERSON, "active", 30)
        login.client.wait_stamp(login.user.stamp, 20)
        assert login.same() and login.client.process.pid == client and login.client.running()
        login.client.kill()
        login.attach()
        assert login.same()
        all_green()
        no_complaints("_PID=1", "--since", start)

    def test_reload_takes_a_change_over_and_drops_nobody(self, login):
        before, peers, start = main_pids(), [p.pid for p in procs.named("oriel-peer")], now()
        text = login.oriel.configure("login", "allowed_groups = nobodys-group")
        users.run("groupadd", "-f", "nobodys-group")
        try:
            systemctl("reload", *DAEMONS)
            other = login.connect(login.oriel, login.user)
            refusal = "audit refused user=%s .*reason=policy" % PERSON
            wait_for(lambda: re.search(refusal, journal("-u", "oriel-monitor", "--since", start)), 20, "a refusal by the new configuration")
            other.close()
        finally:
            with open(CONFIG, "w") as f:
                f.write(text)
            systemctl("reload", *DAEMONS)
        assert main_pids() == before and login.same() and login.client.running()
        assert set(peers) <= {p.pid for p in procs.named("oriel-peer")}
        assert login.client.shows(login.user.stamp) is not None

    def test_stop_ends_the_daemons_and_no_session(self, login):
        start = now()
        systemctl("stop", "oriel.target")
        wait_for(lambda: all(prop(u, "ActiveState") == "inactive" for u in DAEMONS), 10, "the end of the target's services")
        wait_for(only_sessions_are_left, 5, "the end of all but the session's own")
        for u in DAEMONS:
            assert not in_group("/system.slice/%s.service" % u)
        stays(login.same, 1, "the session goes on without a service")
        assert login.scope().endswith(".scope")
        systemctl("start", "oriel.target")
        login.oriel.wait_listening()
        login.client.kill()
        login.attach()
        assert login.same()
        all_green()
        no_complaints("_PID=1", "--since", start)

    def test_killed_daemons_come_back(self, login):
        for unit in DAEMONS:
            for _ in range(7):  # more often than systemd's usual limit within ten seconds
                pid = int(prop(unit, "MainPID"))
                os.kill(pid, 9)
                wait_for(lambda u=unit, old=pid: prop(u, "ActiveState") == "active" and main_pids()[u] not in (0, old), 10, unit + " again")
        login.oriel.wait_listening()
        login.client.kill()
        login.attach()
        assert login.same()

    def test_logoff_leaves_nothing(self, login):
        scope = login.scope()
        login.oriel.ctl("logoff", login.session["id"])
        login.wait_gone(scope)

    def test_logind_may_end_a_session(self, login):
        scope = login.scope()
        say("loginctl", "terminate-session", login.id())
        login.wait_gone(scope)

    def test_killed_leader_leaves_nothing(self, login):
        scope = login.scope()
        seen = dict(line.split("=", 1) for line in say("loginctl", "show-session", login.id()).splitlines())
        os.kill(int(seen["Leader"]), 9)
        login.wait_gone(scope)

    def test_program_that_hides_ends_with_the_session(self, connect, person):
        """Another session id, another parent, another environment: the scope has it all the same."""
        login = Login(connect, person)
        login.user.write(".hide", "exec setsid env -i sh -c 'trap \"\" HUP TERM; echo $$ >%s/hidden; while :; do sleep 1; done'\n" %
                         login.user.home)
        with open(login.user.home + "/.xsession") as f:
            body = f.read()
        login.user.write(".xsession", body.replace("\n", "\nsh ~/.hide &\n", 1), 0o755)
        login.begin()
        hidden = wait_for(lambda: login.user.read("hidden").strip(), 10, "the program that hides")
        scope = login.scope()
        assert cgroup(int(hidden)) == scope
        login.oriel.ctl("logoff", login.session["id"])
        login.wait_gone(scope)
        login.user.remove("hidden")

    def test_journal_has_the_sessions_lines(self, login):
        """Also those of the time after the monitor that started it."""
        number, start = str(login.session["id"]), now()
        # journald may not have read yet what is written: --sync is about what it has. A line that it reads when the leader has its own
        # scope already is the scope's.
        wait_for(lambda: [x for x in journal("-u", "oriel-*").splitlines() if "session started" in x and "session=%s" % number in x], 10,
                 "the journal's line of the login")
        systemctl("restart", "oriel-monitor")
        login.oriel.ctl("logoff", number)
        login.oriel.wait_no_session(PERSON)
        ended = "session=%s session ended" % number
        wait_for(lambda: ended in journal("--since", start), 5, "the journal's line of the logoff")

    def test_journal_has_levels_and_each_audit_line_once(self, login):
        start, number = now(), str(login.session["id"])
        text = login.oriel.configure("login", "no_such_option = 1")
        try:
            systemctl("reload", "oriel-monitor")
            wait_for(lambda: "no_such_option" in journal("-p", "err", "-u", "oriel-monitor", "--since", start), 5, "an error")
        finally:
            with open(CONFIG, "w") as f:
                f.write(text)
            systemctl("reload", "oriel-monitor")
        audited = [x for x in journal("-u", "oriel-monitor").splitlines() if "audit session session=%s " % number in x]
        assert len(audited) == 1, audited

    def test_what_hinders_every_client_is_said_once_by_the_service(self):
        """A filter that an administrator put around the listener: not each client meets it, and the unit does not start again and again."""
        drop_in = "/run/systemd/system/oriel-server.service.d/hinder.conf"
        os.makedirs(os.path.dirname(drop_in), exist_ok=True)
        start = now()
        with open(drop_in, "w") as f:
            f.write("[Service]\nSystemCallFilter=~landlock_create_ruleset\n")
        systemctl("daemon-reload")
        try:
            assert subprocess.run(["systemctl", "restart", "oriel-server"], timeout=120).returncode != 0
            stays(lambda: prop("oriel-server", "ActiveState") == "failed", 3, "it is started again although no client could be served")
            assert prop("oriel-server", "ExecMainStatus") == "78"
            said = journal("-u", "oriel-server", "--since", start)
            assert said.count("no client could be served on this machine") == 1 and "SystemCallFilter=" in said
        finally:
            os.unlink(drop_in)
            systemctl("daemon-reload")
            systemctl("start", "oriel-server")
        wait_for(Installed().listening, 10, "oriel listening")
        assert "self-check passed" in journal("-u", "oriel-server", "--since", start)

    def test_listener_sees_graphics_cards(self):
        """A card's node, as udev would make it: the encoder, which the listener starts, has to find it."""
        os.makedirs("/dev/dri", exist_ok=True)
        os.mknod("/dev/dri/renderD128", 0o20660, os.makedev(226, 128))
        try:
            systemctl("restart", "oriel-server")
            pid = int(prop("oriel-server", "MainPID"))
            assert os.path.exists("/proc/%d/root/dev/dri/renderD128" % pid)
            allowed = prop("oriel-server", "DeviceAllow")
            assert "char-drm rw" in allowed and "char-nvidia* rw" in allowed and "char-video4linux rw" in allowed
        finally:
            os.remove("/dev/dri/renderD128")
            systemctl("restart", "oriel-server")
        Installed().wait_listening()

    def test_session_that_the_machine_goes_down_with(self, connect, person):
        """systemd.sh switches the machine off after this."""
        login = Login(connect, person).begin()
        assert login.same()


class TestBootedAgain:
    def test_going_down_was_in_order(self):
        # (systemd 257 also tells of each SIGTERM to a session's processes, which is its usual way to end them.)
        assert not re.search(r"timed out|SIGKILL", journal("-b", "-1", "_PID=1"))

    def test_everything_is_there_by_itself(self):
        Installed().wait_listening()
        all_green()
        no_complaints("-b", "-u", "oriel*")
        assert not Installed().sessions()

    def test_login(self, login):
        assert login.scope().endswith(".scope")
