# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a user's and not a session's, where no systemd runs: the runtime folder, the bus at its usual place, agents' sockets, limits."""
import os
import pwd
import resource
import shutil
import socket
import stat
import struct
import subprocess
import time

import pytest
from Xlib.xauth import Xauthority

from harness import login_report, procs, users
from harness.inside import as_user, ask_bus, shell, started_by_bus
from harness.service import Service
from harness.world import find_program, wait_for

def folder_of(user):
    return "/run/user/%d" % user.uid


def left(user):
    """What there is of a user in /run/user."""
    return [n for n in os.listdir("/run/user") if str(user.uid) in n]


def log_off(oriel, user):
    oriel.logoff(user.name)
    wait_for(lambda: not procs.of_user(user.name), 5, "no process of " + user.name)


@pytest.mark.core
def test_runtime_folder_is_the_users_and_goes_with_the_last_session(oriel, connect, person):
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    env, folder, number = shell(anna), folder_of(anna), oriel.session_of("anna")["id"]
    assert env["XDG_RUNTIME_DIR"] == folder
    st = os.lstat(folder)
    assert stat.S_ISDIR(st.st_mode) and stat.S_IMODE(st.st_mode) == 0o700 and st.st_uid == anna.uid
    own = "%s/oriel-%s" % (folder, number)
    assert env["ORIEL_SESSION_DIR"] == own and env["XAUTHORITY"] == own + "/Xauthority"
    assert stat.S_IMODE(os.lstat(own).st_mode) == 0o700 and os.lstat(own).st_uid == anna.uid
    # what programs leave there goes with it
    assert as_user(anna, env, "mkdir -m 0500 -p $XDG_RUNTIME_DIR/dconf/deep && touch $XDG_RUNTIME_DIR/left").returncode == 0
    log_off(oriel, anna)
    wait_for(lambda: not left(anna), 5, "nothing in /run/user; there is %r" % left(anna))


def test_bus_serves_at_its_usual_place(oriel, connect, person):
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    env = shell(anna)
    assert env["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=%s/bus" % folder_of(anna)
    assert stat.S_ISSOCK(os.lstat(folder_of(anna) + "/bus").st_mode)
    bare = {k: v for k, v in env.items() if k != "DBUS_SESSION_BUS_ADDRESS"}    # as a program that was not told finds it
    r = as_user(anna, bare, ask_bus("org.freedesktop.DBus", "ListNames"))
    assert r.returncode == 0 and "org.freedesktop.DBus" in r.stdout, r.stdout
    assert started_by_bus(anna, env) == env["DISPLAY"]


def test_agents_have_their_usual_sockets(oriel, connect, person):
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    env = shell(anna)
    r = as_user(anna, env, "mkdir -p -m 0700 ~/.gnupg && gpg-connect-agent --quiet 'getinfo socket_name' /bye && gpgconf --list-dirs agent-socket")
    assert r.returncode == 0, r.stdout
    assert "D %s/gnupg/S.gpg-agent\n" % folder_of(anna) in r.stdout, r.stdout


@pytest.mark.takes(10)
def test_two_sessions_of_a_user_never_mix(make_oriel, connect, person):
    """Of two instances, whose sessions are both the first: the user's folder is shared, bus and display are not."""
    first, second = make_oriel("first"), make_oriel("second")
    anna = person("anna")
    connect(first, anna).wait_stamp(anna.stamp)
    one = shell(anna)
    anna.remove("shell-pid")
    connect(second, anna).wait_stamp(anna.stamp)
    two = shell(anna)
    assert one["XDG_RUNTIME_DIR"] == two["XDG_RUNTIME_DIR"] == folder_of(anna)
    for name in ("DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "ORIEL_SESSION_DIR"):
        assert one[name] != two[name], name
    assert one["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=%s/bus" % folder_of(anna)
    assert two["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=%s/bus" % two["ORIEL_SESSION_DIR"]
    as_user(anna, two, "dbus-update-activation-environment --systemd --all")    # as Debian's Xsession.d does
    assert started_by_bus(anna, one) == one["DISPLAY"]
    assert started_by_bus(anna, two) == two["DISPLAY"]
    first.logoff("anna")
    wait_for(lambda: not os.path.lexists(folder_of(anna) + "/bus"), 5, "the user's bus has gone with its session")
    assert started_by_bus(anna, two) == two["DISPLAY"] and os.path.exists(two["XAUTHORITY"])
    log_off(second, anna)
    wait_for(lambda: not left(anna), 5, "nothing in /run/user; there is %r" % left(anna))


def test_session_beside_one_at_the_console_has_a_bus_of_its_own(oriel, connect, person):
    anna = person("anna")
    sessions = "/run/systemd/sessions"
    os.makedirs(sessions, exist_ok=True)
    with open(sessions + "/c1", "w") as f:
        f.write("UID=%d\nUSER=anna\nACTIVE=1\nSTATE=active\nTYPE=x11\nCLASS=user\nSERVICE=lightdm\n" % anna.uid)
    try:
        connect(oriel, anna).wait_stamp(anna.stamp)
        env = shell(anna)
        assert env["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=%s/bus" % env["ORIEL_SESSION_DIR"]
        assert not os.path.lexists(folder_of(anna) + "/bus")
        assert started_by_bus(anna, env) == env["DISPLAY"]
    finally:
        os.unlink(sessions + "/c1")


def test_session_after_a_killed_leader_has_a_bus_that_stays(make_oriel, connect, person):
    """The bus of the killed session is just ending when the next one looks for a bus."""
    oriel = make_oriel("kill")
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    leader = [p for p in procs.named("oriel-leader") if p.ppid in [q.pid for q in procs.named("oriel-leader")]]
    assert len(leader) == 1, leader
    os.kill(leader[0].pid, 9)
    anna.remove("shell-pid")
    oriel.wait_no_session("anna")
    connect(oriel, anna).wait_stamp(anna.stamp, 20)
    env = shell(anna)
    assert env["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=%s/bus" % folder_of(anna)
    time.sleep(1)       # the warden's grace: what it ends of the old session is gone by then
    assert started_by_bus(anna, env) == env["DISPLAY"]
    log_off(oriel, anna)
    wait_for(lambda: not left(anna), 5, "nothing in /run/user; there is %r" % left(anna))


def test_runtime_folder_of_somebody_else_is_refused_in_words(oriel, connect, person):
    anna = person("anna")
    os.makedirs(folder_of(anna))
    os.chown(folder_of(anna), 65534, 65534)
    try:
        connect(oriel, anna)
        oriel.wait_log("%s is not a folder that belongs to anna" % folder_of(anna), 15)
    finally:
        shutil.rmtree(folder_of(anna))


def test_runtime_folder_that_is_open_is_closed(oriel, connect, person):
    anna = person("anna")
    os.makedirs(folder_of(anna))
    os.chown(folder_of(anna), anna.uid, -1)
    os.chmod(folder_of(anna), 0o755)
    try:
        connect(oriel, anna).wait_stamp(anna.stamp)
        assert stat.S_IMODE(os.lstat(folder_of(anna)).st_mode) == 0o700
        log_off(oriel, anna)
        assert os.path.isdir(folder_of(anna)), "it was there before"
    finally:
        shutil.rmtree(folder_of(anna))


class Odd(Service):
    """A service that was given other limits and priorities than a login has."""

    def start(self):
        odd = ["sh", "-c", "trap '' PIPE QUIT; ulimit -Sn 20000; ulimit -Sc unlimited; umask 077; exec nice -n 7 "
               "taskset -c 0 \"$@\"", "sh", find_program("oriel"), "--config", self.config]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(odd, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.wait_listening()
        return self


@pytest.fixture
def sshd(tmp_path):
    """sshd as a host's init starts it: with the limits of process 1, and as few descriptors as every login has. Its port."""
    os.makedirs("/run/sshd", exist_ok=True)
    try:
        pwd.getpwnam("sshd")
    except KeyError:    # the account that sshd's package makes
        users.run("useradd", "--system", "--home-dir", "/run/sshd", "--no-create-home", "--shell", "/usr/sbin/nologin", "sshd")
    with open("/etc/pam.d/sshd", "w") as f:     # as its package has it, of what counts here
        f.write("@include common-auth\n@include common-account\nsession required pam_limits.so\n@include common-session\n@include common-password\n")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "host")], check=True)
    port = 2222
    start = "ulimit -Sn 1024; exec /usr/sbin/sshd -D -e -f /dev/null -p %d -o ListenAddress=127.0.0.1 -o HostKey=%s/host -o UsePAM=yes " \
            "-o PidFile=none -o StrictModes=no" % (port, tmp_path)
    # what it is given is process 1's
    limits = subprocess.Popen(["sh", "-c", start], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield port
    limits.terminate()
    limits.wait()


def waiting_for(port):
    return subprocess.run(["sh", "-c", "ss -Hltn 'sport = :%d' | grep -q ." % port]).returncode == 0


def may_raise():
    """CAP_SYS_RESOURCE, which some containers keep from root."""
    return int(procs.Process(os.getpid()).status["CapEff"], 16) >> 24 & 1


@pytest.mark.takes(10)
@pytest.mark.parametrize("rules", ["none", "limits.d and pam_umask"])
def test_limits_are_those_of_a_login_by_ssh(services, make_oriel, connect, person, sshd, tmp_path, rules):
    anna = person("anna", extra="bash ~/report.sh ~/of-session")
    anna.remove("of-session")
    login_report.write_script(anna)
    key = login_report.make_key(anna, str(tmp_path))
    with open("/etc/pam.d/common-session") as f:
        before = f.read()
    oriel = Odd("odd")      # ended by the fixture make_oriel
    services.private.append(oriel)
    try:
        if rules != "none":
            with open("/etc/security/limits.d/story.conf", "w") as f:
                f.write("anna soft nofile 2000\nanna hard nofile 3000\nanna - nproc 700\nanna soft core 1000\nanna - memlock 4096\nanna - priority 3\n")
            with open("/etc/pam.d/common-session", "a") as f:
                f.write("session optional pam_umask.so umask=0005\n")
        wait_for(lambda: waiting_for(sshd), 10, "sshd")
        oriel.start()
        connect(oriel, anna).wait_stamp(anna.stamp)
        ours, theirs = login_report.of_session(anna), login_report.of_ssh(anna, sshd, key)
        assert not login_report.differences(ours, theirs), "\n".join(login_report.differences(ours, theirs))
        said = "\n".join(ours)
        assert ("umask 0022" if rules == "none" else "umask 0005") in said
        assert ("nice 3" in said) == (rules != "none")
        assert any(line.startswith("soft open files") and line.endswith("1024" if rules == "none" else "2000") for line in ours), said
        [x] = [p for p in procs.of_user("anna") if p.exe == "Xorg"]
        with open("/proc/%d/limits" % x.pid) as f:
            files = next(line.split()[3:5] for line in f if line.startswith("Max open files"))
        # the X server's own: its clients are as many as X allows. (Where root may not raise a limit, what PAM left is the most.)
        assert int(files[0]) >= 4096 or (files[0] == files[1] and not may_raise()), files
    finally:
        with open("/etc/pam.d/common-session", "w") as f:
            f.write(before)
        if os.path.exists("/etc/security/limits.d/story.conf"):
            os.unlink("/etc/security/limits.d/story.conf")


def test_x_server_takes_as_many_clients_as_x_allows(oriel, connect, person):
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    session = oriel.session_of("anna")
    [x] = [p for p in procs.of_user("anna") if p.exe == "Xorg"]
    assert x.argv[x.argv.index("-maxclients") + 1] == "2048"
    number = session["display"].lstrip(":")
    name, cookie = Xauthority(session["xauthority"]).entries[0][3:5]
    # X11 protocol, chapter 8: connection setup
    hello = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + name.ljust(20, b"\0") + cookie
    assert len(name) <= 20 and len(cookie) == 16
    many, most = [], resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    try:
        for n in range(1200):    # 256 by itself, and 1024 descriptors
            c = socket.socket(socket.AF_UNIX)
            many.append(c)
            c.settimeout(30)
            c.connect("/tmp/.X11-unix/X" + number)
            c.sendall(hello)
            assert c.recv(1) == b"\1", "client %d is refused: %r" % (n, c.recv(200))
    finally:
        for c in many:
            c.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
