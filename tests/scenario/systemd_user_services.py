# SPDX-License-Identifier: GPL-3.0-or-later
"""A session and its user's systemd: units, bus, agents, a second session at the console, limits. Runs in the machine that systemd.sh boots."""
import glob
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from harness import login_report, procs
from harness.document import commands
from harness.inside import as_user, shell, started_by_bus
from harness.world import stays, wait_for
from systemd_story import PERSON, Installed, Login, cgroup, journal, leaders, now, say, systemctl

SETS = ("userservices",)
BUS = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=%s/bus")


@pytest.fixture
def login(connect, person):
    systemctl("start", "oriel.target")
    Installed().wait_listening()
    made = Login(connect, person)
    yield made
    if made.oriel.session_of(PERSON):
        made.oriel.logoff(PERSON, 15)
    subprocess.run(["loginctl", "disable-linger", PERSON])
    subprocess.run(["loginctl", "terminate-user", PERSON])
    wait_for(lambda: not procs.of_user(PERSON), 30, "no process of %s" % PERSON)


def folder(login):
    return "/run/user/%d" % login.user.uid


def manager(login, command, env=None):
    """`systemctl --user` and the like, as somebody has them who came in by ssh."""
    r = as_user(login.user, env or {"XDG_RUNTIME_DIR": folder(login), "PATH": "/usr/bin:/bin", "HOME": login.user.home}, command)
    return r.returncode, r.stdout


def lent(login):
    """What the user's systemd tells those that it starts."""
    status, said = manager(login, "systemctl --user show-environment")
    assert status == 0, said
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def linger(login):
    say("loginctl", "enable-linger", PERSON)
    wait_for(lambda: manager(login, "systemctl --user is-system-running")[1].strip() in ("running", "degraded"), 20, "the user's systemd")


class TestUserServices:
    LIMIT_S = 1200

    def test_runtime_folder_and_bus_are_the_users(self, login):
        login.begin()
        env = shell(login.user)
        assert env["XDG_RUNTIME_DIR"] == folder(login) and os.path.ismount(folder(login)), "logind's"
        assert env[BUS[0]] == BUS[1] % folder(login)
        assert env["XAUTHORITY"].startswith(env["ORIEL_SESSION_DIR"] + "/") and env["ORIEL_SESSION_DIR"].startswith(folder(login) + "/oriel-")
        assert stat.S_IMODE(os.stat(env["ORIEL_SESSION_DIR"]).st_mode) == 0o700
        assert not [p for p in procs.of_user(PERSON) if p.exe == "dbus-daemon" and cgroup(p.pid) == login.scope()], "one bus is enough"

    def test_users_systemd_and_bus_have_the_display(self, login):
        login.begin()
        env = shell(login.user)
        have = lent(login)
        assert (have["DISPLAY"], have["XAUTHORITY"]) == (env["DISPLAY"], env["XAUTHORITY"])
        for command in ("systemctl --user status", "systemd-run --user --wait --quiet true", "systemd-run --user --wait --quiet xset q",
                        "systemd-run --user --scope --quiet xset q"):
            r = as_user(login.user, env, command)
            assert r.returncode == 0, (command, r.stdout)
        assert started_by_bus(login.user, env) == env["DISPLAY"]

    def test_agents_sockets_are_the_users(self, login):
        login.begin()
        env = shell(login.user)
        r = as_user(login.user, env, "gpgconf --list-dirs agent-socket; systemctl --user is-active gpg-agent.socket; gpg-connect-agent --no-autostart "
                    "'getinfo pid' /bye")
        assert r.returncode == 0 and r.stdout.startswith("%s/gnupg/S.gpg-agent\nactive\nD " % folder(login)), r.stdout
        agent = int(re.search(r"D (\d+)", r.stdout).group(1))
        assert "gpg-agent.service" in cgroup(agent), cgroup(agent)

    def test_logoff_without_linger_leaves_nothing(self, login):
        login.begin()
        env, scope = shell(login.user), login.scope()
        assert as_user(login.user, env, "systemd-run --user --quiet sleep 1000 && systemctl --user start gpg-agent.service").returncode == 0
        login.oriel.ctl("logoff", login.session["id"])
        login.wait_gone(scope)
        wait_for(lambda: not os.path.exists(folder(login)), 30, "no folder: logind takes it away after the user's systemd, in its own time")
        assert not glob.glob("/run/user/.oriel*")

    def test_what_is_the_users_outlives_the_session_and_what_is_the_sessions_does_not(self, login):
        linger(login)
        login.begin()
        env, scope = shell(login.user), login.scope()
        # Debian's Xsession tells both everything, and so the session's key comes into units
        assert as_user(login.user, env, "dbus-update-activation-environment --systemd --all").returncode == 0
        login.user.write(".config/systemd/user/of-desktop.service",
                         "[Unit]\nPartOf=graphical-session.target\n[Service]\nExecStart=/bin/sleep 1000\n")
        login.user.write(".config/systemd/user/desktop.target", "[Unit]\nBindsTo=graphical-session.target\n")
        r = as_user(login.user, env, "systemctl --user daemon-reload && systemctl --user start desktop.target of-desktop.service && "
                    "systemd-run --user --quiet --unit=stays sleep 1000 && { setsid sleep 1001 >/dev/null 2>&1 & }")
        assert r.returncode == 0, r.stdout
        assert manager(login, "systemctl --user is-active graphical-session.target")[0] == 0
        main = int(manager(login, "systemctl --user show --value -p MainPID stays.service")[1])
        assert b"ORIEL_SESSION_KEY" in procs.Process(main).environ()
        login.oriel.ctl("logoff", login.session["id"])
        login.oriel.wait_no_session(PERSON, 15)
        wait_for(lambda: not os.path.exists("/sys/fs/cgroup" + scope), 10, "the end of " + scope)
        wait_for(lambda: not leaders(), 10, "the leaders' end")
        assert procs.alive(main), "the user's unit"
        wait_for(lambda: manager(login, "systemctl --user is-active of-desktop.service")[1].strip() == "inactive", 5, "the desktop's unit ends")
        have = lent(login)
        gone = ("DISPLAY", "XAUTHORITY", "ORIEL_SESSION_KEY", "ORIEL_SESSION_ID", "ORIEL_SESSION_DIR", "XDG_SESSION_ID")
        assert not [n for n in gone if n in have], have
        assert started_by_bus(login.user, {"PATH": "/usr/bin:/bin", "HOME": login.user.home, BUS[0]: BUS[1] % folder(login)}) == ""
        stays(lambda: procs.alive(main), 1, "the user's unit goes on")

    def test_killed_leader_keeps_no_display(self, login):
        linger(login)
        login.begin()
        scope = login.scope()
        assert "DISPLAY" in lent(login)
        for p in leaders():
            if p.ppid in [q.pid for q in leaders()]:
                os.kill(p.pid, 9)
        wait_for(lambda: not leaders(), 15, "the warden's end")
        assert not [n for n in lent(login) if n in ("DISPLAY", "XAUTHORITY", "ORIEL_SESSION_KEY")]
        wait_for(lambda: not os.path.exists("/sys/fs/cgroup" + scope), 10, "the end of " + scope)
        login.begin()
        assert lent(login)["DISPLAY"] == login.oriel.session_of(PERSON)["display"]

    def test_session_beside_one_at_the_console(self, login):
        """The user's systemd and bus stay with the console's display, whatever start-up scripts tell them."""
        say("systemd-run", "--unit=at-the-console", "-p", "PAMName=login", "-p", "User=" + PERSON, "-E", "XDG_SESSION_TYPE=x11",
            "-E", "XDG_SESSION_CLASS=user", "sleep", "1000")
        try:
            wait_for(lambda: PERSON in say("loginctl", "list-sessions", "--no-legend"), 10, "a session at the console")
            wait_for(lambda: os.path.exists(folder(login) + "/bus"), 20, "the user's bus")
            user_bus = {"PATH": "/usr/bin:/bin", "HOME": login.user.home, "XDG_RUNTIME_DIR": folder(login), BUS[0]: BUS[1] % folder(login)}
            status, said = manager(login, "dbus-update-activation-environment --systemd DISPLAY=:5 XAUTHORITY=/at/console", user_bus)
            assert status == 0, said
            login.begin()
            env = shell(login.user)
            assert env[BUS[0]] == BUS[1] % env["ORIEL_SESSION_DIR"] and env["XDG_RUNTIME_DIR"] == folder(login)
            as_user(login.user, env, "dbus-update-activation-environment --systemd --all")
            assert started_by_bus(login.user, env) == env["DISPLAY"] != ":5"
            assert started_by_bus(login.user, user_bus) == ":5"
            assert lent(login)["DISPLAY"] == ":5"
            # systemctl goes to the manager's own socket, systemd-run by the bus: the user's, where it is named
            for command in ("systemctl --user status", *commands("ADMIN.md", "A further session of the same user")):
                r = as_user(login.user, env, command)
                assert r.returncode == 0, (command, r.stdout)
            login.oriel.logoff(PERSON, 15)
            assert lent(login)["DISPLAY"] == ":5" and lent(login)["XAUTHORITY"] == "/at/console"
        finally:
            systemctl("stop", "at-the-console")

    def test_console_that_comes_later_keeps_its_display(self, login):
        linger(login)
        login.begin()
        assert manager(login, "systemctl --user set-environment DISPLAY=:5")[0] == 0
        login.oriel.logoff(PERSON, 15)
        wait_for(lambda: not leaders(), 10, "the leaders' end")
        assert lent(login)["DISPLAY"] == ":5"

    def test_hanging_user_systemd_keeps_nobody_out(self, login):
        linger(login)
        # Where the user's systemd listens for GNOME's keyring, PAM's module for it waits for both: that is no login of ours alone.
        manager(login, "systemctl --user stop gnome-keyring-daemon.socket")
        [hangs] = [p.pid for p in procs.of_user(PERSON) if p.exe == "systemd" and p.ppid == 1]     # what it forks is called so for a moment
        os.kill(hangs, signal.SIGSTOP)
        start = now()
        try:
            before = time.monotonic()
            login.begin()
            print("login with a hanging user manager: %.1f s" % (time.monotonic() - before))
            assert "display not lent" in journal("--since", start)
            before = time.monotonic()
            login.oriel.logoff(PERSON, 20)
            print("logoff: %.1f s" % (time.monotonic() - before))
        finally:
            os.kill(hangs, signal.SIGCONT)


class TestLimits:
    @pytest.fixture
    def key(self, login):
        return login_report.make_key(login.user, "/root")

    def compare(self, login, key):
        login.user.remove("of-session")
        login_report.write_script(login.user)
        with open(login.user.home + "/.xsession") as f:
            body = f.read()
        if "report.sh" not in body:
            login.user.write(".xsession", body.replace("\n", "\nbash ~/report.sh ~/of-session\n", 1), 0o755)
        login.begin()
        ours, theirs = login_report.of_session(login.user), login_report.of_ssh(login.user, 22, key)
        assert not login_report.differences(ours, theirs), "\n".join(login_report.differences(ours, theirs))
        return ours

    def test_they_are_those_of_a_login_by_ssh(self, login, key):
        ours = self.compare(login, key)
        assert [x for x in ours if x.startswith("soft open files") and x.endswith(" 1024")], ours

    def test_what_the_service_is_given_is_the_services(self, login, key):
        os.makedirs("/etc/systemd/system/oriel-monitor.service.d", exist_ok=True)
        with open("/etc/systemd/system/oriel-monitor.service.d/odd.conf", "w") as f:
            f.write("[Service]\nLimitNOFILE=20000:524288\nLimitSTACK=4M:infinity\nNice=7\nUMask=0077\nOOMScoreAdjust=300\nCPUAffinity=0\n"
                    "IgnoreSIGPIPE=yes\nTimerSlackNSec=1ms\nIOSchedulingClass=idle\n")
            if int(procs.Process(os.getpid()).status["CapEff"], 16) >> 24 & 1:  # CAP_SYS_RESOURCE, to raise what was lowered
                f.write("LimitNPROC=900\nLimitMEMLOCK=1M\n")
        try:
            systemctl("daemon-reload")
            systemctl("restart", "oriel-monitor")
            Installed().wait_listening()
            self.compare(login, key)
        finally:
            os.unlink("/etc/systemd/system/oriel-monitor.service.d/odd.conf")
            systemctl("daemon-reload")
            systemctl("restart", "oriel-monitor")

    def test_pam_still_rules(self, login, key):
        with open("/etc/pam.d/common-session") as f:
            before = f.read()
        try:
            with open("/etc/security/limits.d/story.conf", "w") as f:
                f.write("%s soft nofile 2000\n%s hard nofile 3000\n%s - nproc 700\n%s soft core 1000\n%s - priority 3\n" % ((PERSON,) * 5))
            with open("/etc/pam.d/common-session", "a") as f:
                f.write("session optional pam_umask.so umask=0005\n")
            ours = self.compare(login, key)
            assert "umask 0005" in ours and "nice 3" in ours
        finally:
            os.unlink("/etc/security/limits.d/story.conf")
            with open("/etc/pam.d/common-session", "w") as f:
                f.write(before)

    def test_administrators_defaults_count(self, login, key):
        os.makedirs("/etc/systemd/system.conf.d", exist_ok=True)
        with open("/etc/systemd/system.conf.d/story.conf", "w") as f:
            f.write("[Manager]\nDefaultLimitNOFILE=3456:7890\n")
        try:
            systemctl("daemon-reexec")
            systemctl("restart", "ssh", "oriel-monitor")
            Installed().wait_listening()
            ours = self.compare(login, key)
            assert [x for x in ours if x.startswith("soft open files") and x.endswith(" 3456")], ours
        finally:
            os.unlink("/etc/systemd/system.conf.d/story.conf")
            systemctl("daemon-reexec")
            systemctl("restart", "ssh", "oriel-monitor")


