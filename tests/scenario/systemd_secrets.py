# SPDX-License-Identifier: GPL-3.0-or-later
"""What a password opens besides the session, with the real modules: Kerberos, GNOME's keyring, KWallet."""
import os
import pwd
import re
import subprocess

import pytest

from conftest import give_session
from harness import users
from harness.document import follow
from harness.world import wait_for
from systemd_story import Installed, say, systemctl

MACHINE = "installed"
SETS = ("secrets",)

# Its own lines for PAM would stand in everybody's stack, and fail where no realm is.
PREPARE = "pam-auth-update --package --remove krb5"
REALM = """[libdefaults]
 default_realm = ORIEL.TEST
 dns_lookup_kdc = false
 dns_lookup_realm = false
[realms]
 ORIEL.TEST = {
  kdc = 127.0.0.1
 }
"""
KDC = """[realms]
 ORIEL.TEST = {
  max_life = 10h
 }
"""
PAM = "/etc/pam.d/oriel"
SECRET = "a deep secret"
INIT = "/usr/share/libpam-kwallet-common/pam_kwallet_init"


@pytest.fixture
def login(connect, person):
    """login(extra) is a login of anna's with these lines in her session; login.again() comes back to it."""
    users.run("groupadd", "-f", "oriel-users")
    systemctl("start", "oriel.target")
    oriel = Installed()
    oriel.wait_listening()

    class Login:
        user = client = None

        def __call__(self, extra):
            oriel.logoff("anna", 20)
            if "anna" not in users._users and os.path.isdir("/home/anna"):      # of an earlier class
                users.run("userdel", "-r", "anna")
            self.user = self.user or person("anna")
            give_session(self.user, self.user.stamp, extra=extra)
            for name in ("started", "done", "said"):
                self.user.remove(name)
            return self.attach()

        def attach(self):
            if self.client:
                self.client.close()
            self.client = connect(oriel, self.user)
            self.client.wait_stamp(self.user.stamp, 30)
            return self.user

        def said(self):
            """What the session's own command printed, and how it ended."""
            wait_for(lambda: self.user.read("done"), 30, "an answer, without a dialogue")
            return self.user.read("done").strip(), self.user.read("said")

    yield Login()
    if oriel.session_of("anna"):
        oriel.logoff("anna", 20)


def run(command):
    return "{ (%s) >$HOME/said 2>$HOME/said.err; echo $? >$HOME/done; } &" % command


class TestTickets:
    def test_who_comes_back_with_a_password_has_a_new_ticket(self, login):
        """pam_krb5 and a real KDC: the session's own cache gets it."""
        for path, text in (("/etc/krb5.conf", REALM), ("/etc/krb5kdc/kdc.conf", KDC)):
            with open(path, "w") as f:
                f.write(text)
        if not os.path.exists("/var/lib/krb5kdc/principal"):
            say("kdb5_util", "create", "-s", "-P", "story", "-r", "ORIEL.TEST")
        systemctl("restart", "krb5-kdc")
        anna = users.user("anna")
        users.run("kadmin.local", "-q", "addprinc -pw %s anna" % anna.password)
        with open(PAM) as f:
            text = f.read()
        with open(PAM, "w") as f:
            f.write(text.replace("@include common-auth\n", "@include common-auth\nauth optional pam_krb5.so use_first_pass\n") +
                    "session optional pam_krb5.so\n")
        anna = login("echo $KRB5CCNAME >$HOME/cache")
        cache = wait_for(lambda: re.fullmatch(r"FILE:(\S+)\n", anna.read("cache")), 10, "a ticket").group(1)

        def began():
            text = subprocess.run(["klist", "-c", cache], stdout=subprocess.PIPE, text=True, check=True).stdout
            return re.search(r"^(\S+ \S+) .*krbtgt", text, re.M).group(1)
        first = began()
        assert os.stat(cache).st_uid == anna.uid
        login.attach()
        wait_for(lambda: began() != first, 10, "a new ticket in %s" % cache)
        st = os.stat(cache)
        assert (st.st_uid, st.st_gid, st.st_mode & 0o7777) == (anna.uid, pwd.getpwnam("anna").pw_gid, 0o600)
        with open(PAM, "w") as f:
            f.write(text)


class TestKeyrings:
    def test_the_modules_are_those_that_the_page_for_administrators_names(self):
        follow("ADMIN.md", "Keyrings")      # they are there; the network has ended

    def test_gnomes_keyring_is_open(self, login):
        login(run("printf '%s' | secret-tool store --label=story story this" % SECRET))
        assert login.said()[0] == "0", login.user.read("said.err")
        login(run("secret-tool lookup story this"))
        assert login.said() == ("0", SECRET), login.user.read("said.err")
        # the daemon's sockets are in the user's runtime folder, and it ends with the session
        assert os.path.exists("/run/user/%d/keyring/control" % login.user.uid)

    def test_kwallet_is_open(self, login):
        """The wallet's daemon has it open, and gives it out without a dialogue, which open() would wait for."""
        call = "busctl --user call org.kde.kwalletd5 /modules/kwalletd5 org.kde.KWallet "
        login(run("%s; for i in $(seq 50); do %sisOpen s kdewallet | grep true && break; sleep 0.2; done; %sopen sxs kdewallet 0 story" %
                  (INIT, call, call)))
        status, said = login.said()
        assert status == "0" and re.fullmatch(r"b true\ni \d+\n", said), (said, login.user.read("said.err"))
