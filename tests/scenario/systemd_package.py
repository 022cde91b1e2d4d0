# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package under systemd: installed on a machine that has nothing of Oriel's, upgraded with a session open, removed, purged, and
installed where the port is taken. scripts/package makes it there; the packages that it depends on are fetched, and not yet installed."""
import glob
import json
import os
import re
import socket
import subprocess

import pytest

from harness import procs
from harness.world import SLACK, wait_for
from systemd_story import DAEMONS, PERSON, Installed, Login, all_green, journal, leaders, main_pids, no_complaints, now, of_oriel, only_sessions_are_left, \
    prop, \
    say, systemctl

MACHINE = "bare"
PREPARE = "scripts/packages install build package && scripts/package --output /root/debs && " \
    "apt-get -q -y --no-install-recommends --download-only install /root/debs/oriel_*.deb"

DEBS = "/root/debs"
APT_S = 240     # it unpacks an X server and fonts, and waits for the disk
LOCAL = "/etc/oriel/conf.d/local.conf"
BEFORE = "/var/lib/story/before.json"
ACCOUNTS = ("_oriel", "_oriel-keys", "_oriel-enc", "_oriel-logon")


def apt(*argv):
    """Without a terminal and without an answer: whoever asks, fails."""
    r = subprocess.run(["apt-get", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Options::=--force-unsafe-io", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=APT_S * SLACK, text=True, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    assert r.returncode == 0, r.stdout
    return r.stdout


def package():
    made = glob.glob(DEBS + "/oriel_*.deb")
    assert len(made) == 1, made
    return made[0]


def version(deb=None):
    return say("dpkg-deb", "-f", deb, "Version") if deb else say("dpkg-query", "-W", "-f", "${Version}", "oriel")


def later(tag):
    """The package of a later version, which ships another oriel.conf."""
    place, deb = "/root/later", DEBS + "/later-%s.deb" % tag
    say("rm", "-rf", place)
    say("dpkg-deb", "-R", package(), place)
    with open(place + "/etc/oriel/oriel.conf", "a") as f:
        f.write("# of version %s\n" % tag)
    with open(place + "/DEBIAN/control") as f:
        control = f.read()
    with open(place + "/DEBIAN/control", "w") as f:
        f.write(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+" + tag, control))
    say("dpkg-deb", "--root-owner-group", "-b", place, deb)
    return deb


def install(deb=None):
    said = apt("install", deb or package())
    say("dpkg", "--verify", "oriel")
    return said


def listens_on(port=3389):
    """The addresses on which somebody listens, and who."""
    lines = say("ss", "-Hltnp", "sport = :%d" % port).splitlines()
    return {line.split()[3].rsplit(":", 1)[0] for line in lines}, " ".join(lines)


def traces():
    """What of Oriel's there is on the machine, but for packages and logs."""
    tops = ("/etc", "/usr", "/lib/systemd", "/var/lib", "/var/cache", "/run", "/tmp", "/home", "/dev/shm")
    found = say("find", *tops, "-xdev", "-iname", "*oriel*", "-not", "-path", "/var/lib/story*", "-not", "-path", "/run/w/*").splitlines()
    # the terminal of a person's: their own
    found = {p for p in found if not re.match(r"/home/[^/]*/\.local/state/oriel|/var/lib/apt/|/var/lib/dpkg/info/oriel\.list$", p)}
    accounts = [line for line in say("getent", "passwd").splitlines() + say("getent", "group").splitlines() if line.startswith("_oriel")]
    units = [line for line in say("systemctl", "list-unit-files", "--no-legend").splitlines() if "oriel" in line]
    return {"files": sorted(found), "accounts": accounts, "units": units}


@pytest.fixture
def login(connect, person):
    Installed().wait_listening()
    made = Login(connect, person)
    yield made.begin()
    if os.path.exists("/usr/sbin/orielctl") and made.oriel.session_of(PERSON):
        made.oriel.logoff(PERSON, 15)


@pytest.fixture
def port_taken():
    """By a program that has nothing to do with Oriel."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("0.0.0.0", 3389))
    taken.listen()
    yield taken
    taken.close()


class TestPackage:
    LIMIT_S = 1800

    def test_machine_has_nothing_of_oriel_and_no_x_server(self):
        seen = traces()
        assert not seen["accounts"] and not seen["units"]
        assert subprocess.run(["dpkg-query", "-W", "xserver-xorg-core", "openbox"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode
        with open(BEFORE, "w") as f:
            json.dump(seen, f)

    def test_installed_it_serves_this_machine_only(self):
        start = now()
        said = install()
        assert "taken" not in said
        Installed().wait_listening()
        all_green()
        assert systemctl("is-enabled", "oriel.target") == "enabled"
        assert listens_on()[0] == {"127.0.0.1", "[::1]"}
        no_complaints("_PID=1", "--since", start)
        no_complaints("-u", "oriel*", "--since", start)

    def test_login(self, login):
        assert login.same() and re.search(r"/session-\w+\.scope$", login.scope())

    def test_settings_of_a_file_of_ones_own_count(self):
        with open(LOCAL, "w") as f:
            f.write("[login]\nbanner = of this house\n")
        systemctl("reload", *DAEMONS)
        wait_for(lambda: "banner = of this house" in Installed().ctl("config").stdout, 5, "the option in force")

    def test_upgrade_leaves_the_session_alone_and_asks_nobody(self, login):
        old, client, start = main_pids(), login.client.process.pid, now()
        deb = later("1")
        install(deb)
        assert version() == version(deb)
        fresh = main_pids()
        assert all(fresh[u] and fresh[u] != old[u] for u in DAEMONS), (old, fresh)
        login.oriel.wait_state(PERSON, "active", 30)
        login.client.wait_stamp(login.user.stamp, 20)
        assert login.same() and login.client.process.pid == client and login.client.running()
        assert all(os.readlink("/proc/%d/exe" % p.pid).endswith(" (deleted)") for p in leaders()), "of the version before"
        login.client.kill()
        login.attach()
        assert login.same()
        with open("/etc/oriel/oriel.conf") as f:
            assert f.read().endswith("# of version 1\n")
        assert "banner = of this house" in login.oriel.ctl("config").stdout
        assert not glob.glob("/etc/oriel/**/*.dpkg-*", recursive=True) + glob.glob("/etc/pam.d/oriel.*")
        all_green()
        no_complaints("_PID=1", "--since", start)

    def test_upgrade_starts_nothing_that_the_administrator_has_disabled(self):
        systemctl("disable", "--now", "oriel.target")
        wait_for(lambda: not of_oriel(), 10, "the daemons' end")
        install(later("2"))
        assert not of_oriel()
        assert prop("oriel.target", "UnitFileState") == "disabled"
        systemctl("enable", "--now", "oriel.target")
        Installed().wait_listening()

    def test_removal_logs_sessions_off_and_keeps_the_configuration(self, login):
        scope, certificate = login.scope(), "/var/lib/oriel/tls/cert.pem"
        with open(certificate) as f:
            ours = f.read()
        said = apt("remove", "oriel")
        assert "logging session %d off" % login.session["id"] in said
        assert not of_oriel() and not os.path.exists("/sys/fs/cgroup" + scope)
        wait_for(lambda: not procs.of_user(PERSON), 30, "no process of %s" % PERSON)
        assert not os.path.exists("/run/oriel") and not glob.glob("/usr/libexec/oriel*")
        with open(LOCAL) as f:
            assert f.read() == "[login]\nbanner = of this house\n"
        assert os.path.exists("/etc/oriel/oriel.conf") and os.path.exists("/etc/pam.d/oriel")
        assert not systemctl("list-units", "--failed", "--no-legend")
        install()
        Installed().wait_listening()
        all_green()
        assert "banner = of this house" in Installed().ctl("config").stdout
        with open(certificate) as f:
            assert f.read() == ours

    def test_login_after_it_was_removed_and_installed_again(self, login):
        assert login.same()

    def test_removal_finds_the_sessions_also_without_the_daemons(self, login):
        scope = login.scope()
        systemctl("stop", "oriel.target")
        wait_for(only_sessions_are_left, 10, "the end of all but the session's own")
        assert login.same()
        apt("remove", "oriel")
        assert not of_oriel() and not os.path.exists("/sys/fs/cgroup" + scope)

    def test_purge_leaves_nothing(self):
        install()
        Installed().wait_listening()
        assert all(say("getent", "passwd", name) for name in ACCOUNTS)
        apt("purge", "oriel")
        with open(BEFORE) as f:
            assert traces() == json.load(f)
        assert not of_oriel() and not systemctl("list-units", "--all", "--no-legend", "oriel*")


class TestPortTaken:
    def test_it_installs_says_so_once_and_starts_nothing(self, port_taken):
        said = install()
        told = [line for line in said.splitlines() if "is taken by" in line]
        assert len(told) == 1 and re.search(r"port 3389 is taken by \S+ \(process %d\)" % os.getpid(), told[0]), said
        assert "systemctl enable --now oriel.target" in said
        assert not of_oriel() and prop("oriel.target", "UnitFileState") == "disabled"
        assert not systemctl("list-units", "--failed", "--no-legend")
        assert "is taken" not in install(later("3"))
        assert not of_oriel()

    def test_the_lines_that_it_says_help(self, port_taken):
        with open("/etc/oriel/conf.d/port.conf", "w") as f:
            f.write("[server]\nport = 3390\n")
        systemctl("enable", "--now", "oriel.target")
        Installed().wait_listening()
        assert Installed().port == 3390
        os.remove("/etc/oriel/conf.d/port.conf")
        systemctl("stop", "oriel.target")

    def test_listener_that_finds_the_port_taken_says_so_once(self, port_taken):
        start = now()
        systemctl("start", "oriel.target")
        wait_for(lambda: prop("oriel-server", "ActiveState") == "failed", 10, "the listener's end")
        assert prop("oriel-server", "NRestarts") == "0"
        assert journal("-u", "oriel-server", "--since", start).count("port in use") == 1      # at "::1" it did not try
        assert prop("oriel-monitor", "ActiveState") == "active"

    def test_login_when_the_port_is_free(self, connect, person):
        systemctl("restart", "oriel.target")
        Installed().wait_listening()
        all_green()
        login = Login(connect, person).begin()
        assert login.same()
        login.oriel.logoff(PERSON, 15)
