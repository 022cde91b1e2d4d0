# SPDX-License-Identifier: GPL-3.0-or-later
"""People of a real directory: Samba as a domain controller in a network of its own, this machine joined to it, sssd in between. The
commands that join it are those of docs/ADMIN.md."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import document, procs, users
from harness.document import follow
from harness.rdp import Closed, Rdp
from harness.world import SLACK, Timeout, wait_for
from systemd_story import CONFIG, Installed, journal, now, say, systemctl

SETS = ("directory",)
# Debian's own units of Samba would serve this machine, and their smbd.pid keeps the controller's from starting.
PREPARE = "systemctl disable smbd nmbd winbind samba-ad-dc && /usr/bin/python3 -B tests/scenario/make_directory.py /var/lib/story-dc 10.53.0.1"
HEAVY = True

HOST = socket.gethostname()
ADMIN_PASSWORD, PASSWORD, GROUPS = "Admin-Word-17", "Right-Word-17", 300    # as make_directory.py made them
NETWORK = """
ip netns add dc
ip link add corp0 type veth peer name dc0 netns dc
ip addr add 10.53.0.2/24 dev corp0
ip link set corp0 up
ip -n dc addr add 10.53.0.1/24 dev dc0
ip -n dc link set dc0 up
ip -n dc link set lo up
"""
HOSTS = "127.0.0.1 localhost\n10.53.0.1 dc.corp.example dc\n10.53.0.2 %s.corp.example %s\n" % (HOST, HOST)
RESOLVER = "nameserver 10.53.0.1\nsearch corp.example\n"
EVERYBODY = {"carl", "nested", "many", "outsider"}
NEW_PASSWORD = "Nw-8fjQ2-xorM-4kVz"


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def listens(address, port):
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


class Corp:
    def __init__(self):
        for line in NETWORK.strip().splitlines():
            say(*line.split())
        write("/etc/hosts", HOSTS)
        if os.path.lexists("/etc/resolv.conf"):
            os.remove("/etc/resolv.conf")
        write("/etc/resolv.conf", RESOLVER)
        # before the controller starts, which reads the same file
        document.write([s for s in document.steps("ADMIN.md", "Join the domain") if s[0] == "/etc/krb5.conf"][0], {})
        self.controller(True)
        # there is no terminal to ask for the password
        follow("ADMIN.md", "Join the domain", ADMIN_PASSWORD, **{"adcli join": "adcli join --stdin-password"})
        wait_for(lambda: self.knows("carl"), 60, "sssd knows carl", 0.5)
        users.run("groupadd", "-f", "oriel-users")
        self.oriel = Installed()

    @staticmethod
    def controller(there):
        if not there:
            systemctl("stop", "corp-dc")
            return
        say("systemd-run", "--collect", "--unit", "corp-dc", "-p", "NetworkNamespacePath=/run/netns/dc",
            "/usr/sbin/samba", "-F", "--no-process-group", "-s", "/var/lib/story-dc/etc/smb.conf")
        for port in (53, 88, 389, 445):
            wait_for(lambda p=port: listens("10.53.0.1", p), 60, "the controller's port %d" % port, 0.2)

    @staticmethod
    def knows(name):
        return subprocess.run(["getent", "passwd", name], stdout=subprocess.DEVNULL, timeout=60).returncode == 0

    def allow(self, groups):
        with open(CONFIG) as f:
            before = f.read()
        with open(CONFIG, "w") as f:
            f.write(re.sub(r"(?m)^allowed_groups =.*\n", "", before).replace("[login]\n", "[login]\nallowed_groups = %s\n" % groups, 1))
        systemctl("reload", "oriel-monitor")

    def verdict(self, since):
        """The audit's line of a login's end, as a dictionary; None while there is none."""
        for line in journal("-u", "oriel-monitor", "--since", since).splitlines():
            if "audit login " in line or "audit refused " in line:
                found = dict(w.split("=", 1) for w in line.split() if "=" in w)
                found["verdict"] = "login" if "audit login " in line else found["reason"]
                return found
        return None

    def ask(self, user, password=PASSWORD, domain="", seconds=30):
        """A client that sends this; what became of it, and after how many seconds."""
        start, begun = now(), time.monotonic()
        client = Rdp(self.oriel.port)
        try:
            client.login(user, password, domain=domain)
            client.run(seconds * SLACK, until=lambda: self.verdict(start))
        except Closed:
            pass
        finally:
            took = time.monotonic() - begun
            client.close()
        found = self.verdict(start)
        assert found, "no verdict: %s" % journal("-u", "oriel-monitor", "--since", start)
        return found, took


@pytest.fixture(scope="session")
def corp():
    return Corp()


@pytest.fixture(autouse=True)
def no_sessions(corp):
    yield
    corp.oriel.logoff_all()


def is_login(found, name):
    return found["verdict"] == "login" and found["user"] == name


def groups_of_session(session):
    with open("/proc/%d/status" % session["pids"]["agent"]) as f:
        return dict(line.split(":", 1) for line in f)["Groups"].split()


class TestDirectory:
    LIMIT_S = 1200

    def test_it_can_be_seen_whether_it_works(self, corp):
        carl, users_of_domain, status = follow("ADMIN.md", "See whether it works")
        assert carl.startswith("carl:") and users_of_domain.lower().startswith("domain users:") and "status: Online" in status

    @pytest.mark.parametrize("domain,user", [("CORP", "carl"), ("corp.example", "carl"), ("", "carl"), ("", "CORP\\carl"), ("", "carl@corp.example"),
                                             ("", "CARL@CORP.EXAMPLE"), ("", "c.long@corp.example"), (HOST, "carl")])
    def test_each_form_of_a_name_is_one_person(self, corp, domain, user):
        found, _ = corp.ask(user, domain=domain)
        assert is_login(found, "carl"), found
        session = corp.oriel.wait_state("carl", "detached", 30)
        assert session["user"] == "carl"

    def test_somebody_of_the_machine_is_not_taken_for_one_of_the_domain(self, corp):
        lone = users.user("lone")
        assert corp.ask("lone", lone.password, "CORP")[0]["verdict"] == "credentials"
        assert is_login(corp.ask("lone", lone.password, "NOWHERE")[0], "lone")
        assert corp.ask("nobody-there", domain="CORP")[0]["verdict"] == "credentials"

    def test_spellings_count_together(self, corp):
        say("orielctl", "throttle", "clear")
        for user in ("carl", "CORP\\Carl", "carl@corp.example", "c.long@corp.example"):
            assert corp.ask(user, "wrong")[0]["verdict"] == "credentials"
        keys = [line.split()[0] for line in say("orielctl", "throttle").splitlines()]
        assert [k for k in keys if "@127" in k] == ["carl@127.0.0.0/24"], keys
        say("orielctl", "throttle", "clear")

    def test_a_new_person_gets_a_home_and_a_desktop(self, corp, connect):
        client = connect(corp.oriel, "nested", PASSWORD, options=("/d:CORP",))
        corp.oriel.wait_state("nested", "active", 40)
        client.wait_picture(20)
        wait_for(lambda: os.path.isdir("/home/nested/.local/state/oriel"), 10, "her home, and the log in it")
        client.save("directory-new-person")

    @pytest.mark.option("login.allowed_groups")
    @pytest.mark.parametrize("groups,who", [('"Domain Users"', EVERYBODY), ('nobodys "CORP\\Domain Users"', EVERYBODY),
                                            ('"Linux People"', {"carl", "nested", "many"}), ('nobodys, "Inner Circle"', {"nested"}),
                                            ('"Group No %d"' % (GROUPS - 1), {"many"}), ('"desk users@corp.example"', {"carl", "nested"})])
    def test_groups_may_be_nested_and_have_blanks(self, corp, groups, who):
        corp.allow(groups)
        try:
            for user in sorted(EVERYBODY):
                found, _ = corp.ask(user)
                assert found["verdict"] == ("login" if user in who else "policy") and found["user"] == user, (user, found)
        finally:
            corp.allow("")

    def test_groups_of_the_page_for_administrators(self, corp):
        said = follow("ADMIN.md", "Groups of the directory")
        try:
            assert said[0] == ""
            for user, verdict in (("nested", "login"), ("outsider", "policy"), ("administrator", "login")):
                found, _ = corp.ask(user, ADMIN_PASSWORD if user == "administrator" else PASSWORD)
                assert found["verdict"] == verdict, found
            asked = {user: subprocess.run(["runuser", "-u", user, "--", "orielctl", "sessions"], stdout=subprocess.PIPE, text=True, timeout=60)
                     for user in ("administrator", "nested")}
            assert asked["administrator"].returncode == 0 and "nested" in asked["administrator"].stdout
            assert asked["nested"].returncode == 4
        finally:
            os.remove("/etc/oriel/conf.d/people.conf")
            systemctl("reload", "oriel-monitor")

    def test_three_hundred_groups(self, corp, connect):
        client = connect(corp.oriel, "many", PASSWORD, options=("/d:CORP",))
        session = corp.oriel.wait_state("many", "active", 20)
        client.wait_picture(20)
        assert len(groups_of_session(session)) > GROUPS

    @pytest.mark.parametrize("user", ["must", "lapsed"])
    def test_a_password_that_must_change_changes_on_the_screen(self, corp, connect, user):
        client = connect(corp.oriel, user, PASSWORD, options=("/d:CORP",))
        for step, text in enumerate([PASSWORD, PASSWORD, NEW_PASSWORD, NEW_PASSWORD]):
            client.wait_picture(30)
            quiet(client)
            client.save("directory-%s-%d" % (user, step))
            client.type(text + "\n")
        corp.oriel.wait_state(user, "active", 20)
        client.close()
        corp.oriel.logoff_all()
        assert is_login(corp.ask(user, NEW_PASSWORD, "CORP")[0], user)
        assert corp.ask(user, PASSWORD, "CORP")[0]["verdict"] == "credentials"

    @pytest.mark.parametrize("user", ["disabled", "ended"])
    def test_who_may_not_log_in_does_not(self, corp, user):
        found, _ = corp.ask(user, domain="CORP")
        assert found["verdict"] in ("account", "credentials") and found["user"] == user, found
        assert not corp.oriel.sessions()

    def test_without_the_controller_who_was_there_before_gets_in(self, corp):
        assert is_login(corp.ask("away", domain="CORP")[0], "away")
        corp.oriel.logoff_all()
        corp.controller(False)
        try:
            times = []
            for user in ("away", "CORP\\away", "away@corp.example"):
                found, took = corp.ask(user)
                assert is_login(found, "away"), found
                times.append(took)
                corp.oriel.logoff_all()
            print("cached logins took", times)
            assert max(times) < 3 * SLACK, times
            assert corp.ask("away", "wrong")[0]["verdict"] == "credentials"
        finally:
            corp.controller(True)
            systemctl("kill", "--signal=USR2", "--kill-whom=main", "sssd")     # look again, not only after a minute
            wait_for(lambda: "status: Online" in say("sssctl", "domain-status", "-o", "corp.example"), 60, "sssd is online again", 1)

    def test_while_the_name_service_hangs_the_service_answers(self, corp, connect):
        """sssd itself is stopped: each lookup on this machine waits, ssh's and journalctl's too. Oriel's daemons do not."""
        client = connect(corp.oriel, "carl", PASSWORD, options=("/d:CORP",))
        corp.oriel.wait_state("carl", "active", 20)
        start = now()
        pid = int(say("pidof", "sssd_nss"))
        os.kill(pid, signal.SIGSTOP)
        waiting = Rdp(corp.oriel.port)
        try:
            waiting.login("not-asked-for-yet", PASSWORD, domain="CORP")
            wait_for(lambda: len(procs.named("oriel-leader")) > 2, 5, "the attempt that hangs, beside the session's leader")
            begun = time.monotonic()
            session = corp.oriel.session_of("carl")
            assert session and session["state"] == "active" and client.running()
            screen = Rdp(corp.oriel.port)       # somebody new: the logon screen needs no name
            screen.login("", "")
            assert screen.run(10 * SLACK, until=screen.updates) and screen.updates()
            screen.close()
            assert time.monotonic() - begun < 3 * SLACK
        finally:
            os.kill(pid, signal.SIGCONT)
        refusal = "audit refused user=CORP\\not-asked-for-yet"
        waiting.run(30 * SLACK, until=lambda: refusal in journal("-u", "oriel-monitor", "--since", start))
        assert refusal in journal("-u", "oriel-monitor", "--since", start)
        waiting.close()


def quiet(client):
    """The logon screen has done with what was typed."""
    last = [None]

    def same():
        picture = client.pixels()
        done = last[0] is not None and picture.shape == last[0].shape and (picture == last[0]).all()
        last[0] = picture
        return done
    try:
        wait_for(same, 10, "a picture that stays", 0.7)
    except Timeout:
        pass
