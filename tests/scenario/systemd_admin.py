# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/ADMIN.md, done line by line as an administrator does it; the stories go on in each other's machine. Its sections about directories,
polkit, keyrings and further sessions belong to systemd_directory.py, _polkit.py, _secrets.py and _user_services.py."""
import hashlib
import os
import re
import ssl
import subprocess

import pytest

from harness import procs, users
from harness.document import commands, follow, run
from harness.rdp import Closed, Rdp
from harness.world import TREE, wait_for
from systemd_story import DAEMONS, PERSON, Installed, Login, all_green, journal, leaders, now, of_oriel, say, systemctl

MACHINE = "installed"
SETS = ("xrdp",)
PREPARE = "systemctl disable xrdp xrdp-sesman"      # it would want Oriel's port at the first boot

CONF_D = "/etc/oriel/conf.d/"


@pytest.fixture
def login(connect, person):
    systemctl("start", "oriel.target")
    Installed().wait_listening()
    made = Login(connect, person)
    yield made
    if os.path.exists("/usr/sbin/orielctl") and made.oriel.session_of(PERSON):
        made.oriel.logoff(PERSON, 15)


def try_in(user, password, verdict):
    """A login by a scripted client; the audit's line that has the verdict in it."""
    start = now()
    client = Rdp(Installed().port)

    def found():
        lines = [x for x in journal("-u", "oriel-monitor", "--since", start).splitlines() if "audit " in x and "user=%s " % user in x]
        return [x for x in lines if verdict in x]
    try:
        client.login(user, password)
        client.run(30, until=found)
    except Closed:
        pass
    finally:
        client.close()
    assert found(), journal("-u", "oriel-monitor", "--since", start)
    return found()[0]


def serves(address, port):
    """The fingerprint of the certificate that a client is shown there; None where nobody is."""
    try:
        client = Rdp(port, address)
        client.negotiate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.socket = context.wrap_socket(client.socket)
        return hashlib.sha256(client.socket.getpeercert(True)).hexdigest().upper()
    except (OSError, Closed):
        return None


def who_has(port):
    return set(re.findall(r'users:\(\("([^"]+)"', say("ss", "-Hltnp", "sport = :%d" % port)))


class TestAdmin:
    LIMIT_S = 1200

    def test_install(self):
        package, install, status = commands("ADMIN.md", "Install")
        # these two are the lines that made this machine (systemd.sh)
        assert [package, install] == commands("../README.md", "Keep it")
        run(install)
        assert run(status).count("Active: active") == 4
        all_green()

    def test_open_it_to_the_network(self):
        assert serves("127.0.0.1", 3389) and not serves("127.0.0.2", 3389)
        said = follow("ADMIN.md", "Open it to the network")
        assert said[0] == "" and "0.0.0.0:3389" in said[-1] and "[::]:3389" in said[-1]
        assert serves("127.0.0.2", 3389)

    def test_settings(self):
        said = follow("ADMIN.md", "Settings")
        assert said[0] == "" and "listen = 0.0.0.0 ::\n" in said[-1]
        with open(CONF_D + "wrong.conf", "w") as f:
            f.write("[server]\nprot = 3390\n")
        try:
            with pytest.raises(AssertionError, match=r"wrong\.conf:2: .*prot"):
                follow("ADMIN.md", "Settings")
        finally:
            os.remove(CONF_D + "wrong.conf")

    def test_who_may_log_in(self, login):
        left_out, keeper = users.user("outsider"), users.user("keeper")
        follow("ADMIN.md", "Who may log in", NAME=PERSON)
        users.run("gpasswd", "--add", "keeper", "desk-admins")
        login.begin()
        assert "reason=policy" in try_in("outsider", left_out.password, "refused")
        asks = {name: subprocess.run(["runuser", "-u", name, "--", "orielctl", "sessions"], stdout=subprocess.PIPE, text=True, check=False)
                for name in (keeper.name, PERSON)}
        assert asks["keeper"].returncode == 0 and PERSON in asks["keeper"].stdout
        assert asks[PERSON].returncode == 4

    def test_after_wrong_passwords(self):
        try_in(PERSON, "wrong", "reason=credentials")
        before, _ = follow("ADMIN.md", "After wrong passwords")
        assert PERSON + "@127.0.0.0/24" in before
        assert PERSON not in say("orielctl", "throttle")

    def test_a_home_that_is_missing(self):
        users.run("useradd", "-M", "homeless")
        said = follow("ADMIN.md", "A home that is missing, or does not answer", NAME="homeless")
        assert os.path.exists("/home/homeless/.profile") and "TARGET" in said[-1]
        later = users.User("later")
        users.run("useradd", "-M", "-s", "/bin/bash", "-G", "desk-users", "later")
        later.set_password(later.password)
        try_in("later", later.password, "audit login")
        Installed().logoff("later", 15)
        assert os.path.exists("/home/later/.profile")

    def test_which_desktop(self, login, connect):
        """Of those that are here; the page names one that is not."""
        said = follow("ADMIN.md", "Which desktop", xfce="openbox")
        assert "openbox.desktop" in said[0] and said[1] == ""
        client = connect(login.oriel, login.user)
        login.oriel.wait_state(PERSON, "active", 20)

        def chosen():
            return {p.environ().get(b"DESKTOP_SESSION") for p in procs.of_user(PERSON) if p.exe == "openbox"}
        wait_for(lambda: chosen() == {b"openbox"}, 20, "the desktop that session.desktop names")
        client.save("admin-desktop")
        os.remove(CONF_D + "desktop.conf")
        systemctl("reload", "oriel-monitor")

    def test_linger(self):
        follow("ADMIN.md", "The user's services", NAME=PERSON)
        assert say("loginctl", "show-user", "--value", "-p", "Linger", PERSON) == "yes"
        say("loginctl", "disable-linger", PERSON)

    def test_limits(self, login):
        follow("ADMIN.md", "Limits")
        login.begin()
        with open("/proc/%d/limits" % login.shell) as f:
            limits = f.read()
        assert re.search(r"Max open files +4096 ", limits) and re.search(r"Max processes +\d+ +2000 ", limits), limits
        group = "user-%d.slice" % login.user.uid
        assert say("systemctl", "show", "--value", "-p", "MemoryMax", "-p", "TasksMax", group).split() == [str(4 << 30), "4000"]

    def test_certificates(self):
        before = serves("127.0.0.1", 3389)
        say("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=host.example", "-keyout",
            TREE + "/key.pem", "-out", TREE + "/cert.pem")
        said = follow("ADMIN.md", "Certificates")
        mine = re.search(r"Fingerprint=([0-9A-F:]+)", said[-1]).group(1).replace(":", "")
        assert mine != before
        wait_for(lambda: serves("127.0.0.1", 3389) == mine, 5, "the new certificate, without a restart")

    def test_watching(self, login):
        login.begin()
        said = follow("ADMIN.md", "Watching", ID=login.session["id"])
        assert PERSON in said[1] and '"user": "%s"' % PERSON in said[2]
        assert re.search(r"audit login .*user=%s " % PERSON, said[-2]) and said[-1].startswith("self-check passed")
        login.oriel.wait_no_session(PERSON, 15)

    def test_upgrade(self, login):
        login.begin()
        follow("ADMIN.md", "Upgrade")
        login.oriel.wait_listening()
        login.client.kill()
        login.attach()
        assert login.same()

    def test_when_something_does_not_work(self, login):
        login.begin()
        said = follow("ADMIN.md", "When something does not work", NAME=PERSON)
        assert said[1] == "" and "self-check passed" in said[2] and "oriel-server" in said[3] and "session started" in said[4]

    def test_beside_xrdp(self, login):
        """As on a machine where xrdp was first, so that Oriel's package did not start it."""
        systemctl("disable", "--now", "oriel.target")
        wait_for(lambda: not of_oriel(), 10, "the daemons' end")
        os.remove(CONF_D + "listen.conf")
        systemctl("enable", "--now", "xrdp")
        wait_for(lambda: who_has(3389) == {"xrdp"}, 20, "xrdp")
        follow("ADMIN.md", "Beside xrdp")
        assert Installed().port == 3390 and who_has(3390) == {"oriel-server"} and who_has(3389) == {"xrdp"}
        assert systemctl("is-enabled", "oriel.target") == "enabled"
        login.begin()

    def test_in_xrdp_s_place(self, login):
        follow("ADMIN.md", "In xrdp's place")
        assert Installed().port == 3389 and who_has(3389) == {"oriel-server"} and not who_has(3390)
        assert not [p for p in procs.processes() if p.exe.startswith("xrdp")]
        systemctl("is-active", "oriel.target", *DAEMONS)        # (xrdp-sesman's own stopping fails at times)
        login.begin()

    def test_remove(self, login):
        login.begin()
        removed, _ = follow("ADMIN.md", "Remove")
        assert "logging session %d off" % login.session["id"] in removed
        assert not of_oriel() and not leaders()
        wait_for(lambda: not procs.of_user(PERSON), 30, "no process of %s" % PERSON)
        assert not [p for p in ("/etc/oriel", "/var/lib/oriel", "/run/oriel", "/usr/sbin/orielctl") if os.path.exists(p)]
        assert "_oriel" not in say("getent", "passwd")
        assert os.listdir("/home/%s/.local/state/oriel" % PERSON), "the logs of sessions are their users'"
