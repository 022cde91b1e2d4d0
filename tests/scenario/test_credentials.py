# SPDX-License-Identifier: GPL-3.0-or-later
"""What a password opens besides the session: tickets and keyrings."""
import os
import re
import shutil

import pytest

from harness import users
from harness.client import have
from harness.world import PREFIX, wait_for

from test_logon_screen import _differs as differs, settled

SECRET = "a deep secret"
HAS_KEYRING = all(have(p) for p in ("gnome-keyring-daemon", "secret-tool"))


@pytest.fixture(scope="module")
def ticket_service(services):
    """A service whose logins fetch a ticket each, as with sssd: into a cache of the login's own, named by KRB5CCNAME."""
    os.makedirs("/etc/oriel-tickets", exist_ok=True)
    shutil.copy(PREFIX + "/pam_oriel_test.so", "/etc/oriel-tickets/")
    with open("/etc/oriel-tickets/script", "w") as f:
        f.write("authenticate ticket /tmp/krb5cc_story_XXXXXX\n")
    with open("/etc/pam.d/oriel-tickets", "w") as f:
        f.write("@include common-auth\nauth required /etc/oriel-tickets/pam_oriel_test.so script=/etc/oriel-tickets/script\n"
                "@include common-account\n@include common-password\n@include common-session\n")
    s = services.other("tickets", kept=True, login__pam_service="oriel-tickets")
    yield s
    services.end(s)


def test_who_comes_back_with_a_password_renews_the_sessions_ticket(ticket_service, connect, person):
    anna = person("anna", extra="echo $KRB5CCNAME >$HOME/cache-name")
    client = connect(ticket_service, anna)
    client.wait_stamp(anna.stamp)
    cache = re.fullmatch(r"FILE:(/tmp/krb5cc_story_\w+)\n", anna.read("cache-name")).group(1)

    def ticket():
        with open(cache) as f:
            return f.read()
    first = ticket()
    assert first.startswith("ticket of ")
    client.close()
    ticket_service.wait_state("anna", "detached")
    connect(ticket_service, anna).wait_stamp(anna.stamp)
    wait_for(lambda: ticket() != first, 5, "a new ticket in the session's own cache")
    assert ticket().startswith("ticket of ")
    st = os.stat(cache)
    assert (st.st_uid, st.st_mode & 0o7777) == (anna.uid, 0o600)
    ticket_service.logoff("anna")


def store(extra=""):
    return "(printf %%s '%s' | secret-tool store --label=story story this; echo $? >$HOME/stored) 2>&1%s &" % (SECRET, extra)


LOOK_UP = "(secret-tool lookup story this >$HOME/found; echo $? >$HOME/looked) &"


def clear(user):
    for name in ("stored", "found", "looked", ".local", ".cache"):
        user.remove(name)


def found(user, oriel):
    wait_for(lambda: user.read("looked"), 15, "an answer of the keyring, without a dialogue")
    assert (user.read("looked"), user.read("found")) == ("0\n", SECRET)
    oriel.logoff(user.name)


@pytest.mark.skipif(not HAS_KEYRING, reason="gnome-keyring and secret-tool are not installed")
@pytest.mark.takes(10)
def test_the_login_opens_the_keyring(oriel, connect, person):
    anna = person("anna", extra=store())
    clear(anna)
    connect(oriel, anna).wait_stamp(anna.stamp)
    wait_for(lambda: anna.read("stored"), 15, "a secret in the keyring")
    assert anna.read("stored") == "0\n"
    oriel.logoff("anna")
    assert os.path.exists(anna.home + "/.local/share/keyrings/login.keyring")

    # with the password in the client's request
    anna = person_again(person, anna)
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    found(anna, oriel)

    # typed on the logon screen
    anna = person_again(person, anna)
    client = connect(oriel, "anna", "not the password")
    settled(client)
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)
    found(anna, oriel)

    # changed on the logon screen, where PAM asks for the present one once more
    anna = person_again(person, anna)
    users.run("chage", "-d", "0", "anna")
    old, new = anna.password, "Neu-Pw-9x7kq2"
    client = connect(oriel, "anna", old)
    for n, answer in enumerate((old, old, new, new)):
        before = settled(client, 12)
        client.save("keyring-change-%d" % n)
        client.type(answer + "\n")
        wait_for(lambda b=before: client.shows(anna.stamp) or differs(client, b), 12, "the next step")
    anna.password = new
    client.wait_stamp(anna.stamp)
    found(anna, oriel)

    # and the login after that
    anna = person_again(person, anna)
    connect(oriel, anna).wait_stamp(anna.stamp)
    found(anna, oriel)


def person_again(person, user):
    """The same person with another start-up; the keyring stays."""
    keep = user.home + "/.local"
    os.rename(keep, keep + ".kept")
    again = person(user.name, extra=LOOK_UP)
    os.rename(keep + ".kept", keep)
    for name in ("found", "looked"):
        again.remove(name)
    return again
