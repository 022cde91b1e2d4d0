# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is meant by a name: people of a directory (CORP\\carl, carl@corp.example) beside people of the machine (carl), through whatever
a client sends and whatever is typed. The machine is called oriel-test here."""
import subprocess
import time

import pytest
from conftest import give_session

from harness import procs, users
from harness.client import Stamp
from harness.directory import Directory
from harness.rdp import Closed, Rdp
from harness.world import SLACK, find_program, wait_for

CARL, MANY, DORA = "CORP\\carl", "CORP\\many", "dora@other.example"
GROUPS = 300


class Corp:
    def __init__(self):
        self.directory = d = Directory()
        self.carl = d.person(CARL, ["carl@corp.example", "carl@CORP", "corp.example\\carl", "c.long@corp.example", "CORP\\CARL"], 70001, 70000)
        self.many = d.person(MANY, ["many@corp.example"], 70002, 70000)
        self.dora = d.person(DORA, ["OTHER\\dora"], 70003, 70100)
        d.person("CORP\\krbtgt", [], 70009, 70000)
        d.say("user", "CORP\\administrator", "root", 0, 0, "/root")
        d.group("CORP\\Domain Users", 70000)
        for asked in ("Domain Users@other.example", "OTHER\\Domain Users"):
            d.say("group", asked, "Domain Users@other.example", 70100)
        d.group("CORP\\Linux Admins", 70200, CARL)
        for n in range(GROUPS):
            d.group("CORP\\Group No %d of many with a name of some length" % n, 71000 + n, MANY)
        self.local = users.user("carl")
        for person in (self.carl, self.many, self.dora, self.local):
            person.stamp = Stamp()
            give_session(person, person.stamp)


@pytest.fixture(scope="module")
def corp(_group):
    c = Corp()
    yield c
    c.directory.end()


def audit(service, since, what):
    """The audit lines of that kind, each a dictionary of its fields."""
    found = []
    for line in service.log()[since:].splitlines():
        words = line.split()
        if "audit" in words and what in words:
            found.append(dict(w.split("=", 1) for w in words if "=" in w))
    return found


def ask(service, user, password, domain="", **kw):
    """What becomes of a login with these strings in Client Info: the audit's line."""
    mark = len(service.log())
    client = Rdp(service.port, **kw)
    try:
        client.login(user, password, domain=domain)
        client.run(20 * SLACK, until=lambda: audit(service, mark, "login") or audit(service, mark, "refused"))
    except Closed:
        pass
    finally:
        client.close()
    lines = audit(service, mark, "login") + audit(service, mark, "refused")
    assert len(lines) == 1, "one attempt is one line: %r" % lines
    return lines[0]


def logged_in(line, name):
    return line.get("method") == "password" and line["user"] == name


def refused(line, reason):
    return "method" not in line and line["reason"] == reason


def of_uid(person):
    return [p for p in procs.processes() if p.uid == person.uid]


def test_the_domain_of_the_client_counts(oriel, corp, connect):
    mark = len(oriel.log())
    client = connect(oriel, "carl", corp.carl.password, options=("/d:CORP",))
    client.wait_stamp(corp.carl.stamp, 20)
    session = oriel.wait_state(CARL, "active")
    assert session["uid"] == corp.carl.uid and of_uid(corp.carl) and not of_uid(corp.local)
    assert len(audit(oriel, mark, "login")) == 1 and not audit(oriel, mark, "refused")
    client.wait_text("$")
    client.type("id -un >~/typed\n")
    wait_for(lambda: corp.carl.read("typed").strip() == CARL, 10, "the shell knows who it is: %r" % corp.carl.read("typed"))
    other = connect(oriel, "carl", corp.local.password)     # the machine's own carl is somebody else
    other.wait_stamp(corp.local.stamp, 20)
    assert {s["user"] for s in oriel.sessions()} == {"carl", CARL}
    assert client.shows(corp.carl.stamp)


@pytest.mark.parametrize("domain,user", [("CORP", "carl"), ("corp.example", "carl"), ("", "CORP\\carl"), ("", "carl@corp.example"), ("", "carl@CORP"),
                                         ("ELSEWHERE", "carl@corp.example"), ("", "c.long@corp.example"), ("", "  CORP\\carl "), ("CORP", "CARL")])
def test_each_form_of_a_name_leads_to_the_same_session(oriel, corp, domain, user):
    assert logged_in(ask(oriel, user, corp.carl.password, domain), CARL)
    assert [s["user"] for s in oriel.sessions()] == [CARL]
    assert refused(ask(oriel, user, corp.local.password, domain), "credentials")


@pytest.mark.parametrize("domain,user", [("", "carl"), (".", "carl"), ("oriel-test", "carl"), ("ORIEL-TEST", "carl"), ("oriel-test.home.example", "carl"),
                                         ("story", "carl"), ("STORY.home.example", "carl"), ("NOWHERE", "carl"), ("", "carl@example.org"),
                                         ("", "carl@oriel-test"), ("", ".\\carl"), ("CORP", ".\\carl"), ("CORP", "story\\carl")])
def test_machines_and_unknown_domains_mean_the_machines_own_account(oriel, corp, domain, user):
    assert logged_in(ask(oriel, user, corp.local.password, domain), "carl")
    assert refused(ask(oriel, user, corp.carl.password, domain), "credentials")
    assert not of_uid(corp.carl)


def test_who_is_not_in_a_known_domain_is_nobody(oriel, corp):
    users.user("lone")
    lone = users.user("lone").password
    for domain in ("CORP", "OTHER", "other.example"):
        line = ask(oriel, "lone", lone, domain)
        assert refused(line, "credentials")
    assert logged_in(ask(oriel, "lone", lone, "NOWHERE"), "lone")
    assert logged_in(ask(oriel, "dora", corp.dora.password, "OTHER"), DORA)


def test_the_name_typed_on_the_screen_counts_likewise(oriel, corp, connect):
    for typed in ("CORP\\carl", "carl@corp.example"):
        client = connect(oriel, "", "")
        client.wait_picture()
        client.type(typed + "\t" + corp.carl.password + "\n")
        client.wait_stamp(corp.carl.stamp, 20)
        oriel.wait_state(CARL, "active")
        client.close()
    # what the client sent stands on the screen, with its domain: only the password is missing
    client = connect(oriel, "carl", "not the password", options=("/d:CORP",))
    client.wait_picture()
    client.save("logon-screen-domain")
    client.type(corp.carl.password + "\n")
    client.wait_stamp(corp.carl.stamp, 20)


def test_a_cut_client_comes_back_with_the_same_name(oriel, corp, connect, wire):
    w = wire(oriel)
    client = connect(oriel, "carl", corp.carl.password, port=w.port, options=("/d:CORP", "/auto-reconnect", "/auto-reconnect-max-retries:10"))
    client.wait_stamp(corp.carl.stamp, 20)
    mark = len(oriel.log())
    w.cut()
    line = wait_for(lambda: audit(oriel, mark, "login"), 30, "the login by cookie")[0]
    assert line["method"] == "cookie" and line["user"] == CARL
    oriel.wait_state(CARL, "active", 10)


def test_no_spelling_guesses_more_often_than_another(make_oriel, corp):
    oriel = make_oriel(login__throttle_burst=6, login__throttle_seconds=3600)
    spelled = [("CORP", "carl"), ("", "carl"), ("", "Carl"), ("", "carl@corp.example"), ("NOWHERE", "CARL"), ("", "c.long@corp.example")]
    for domain, user in spelled:
        assert refused(ask(oriel, user, "wrong", domain), "credentials")
    keys = {line.split()[0] for line in oriel.ctl("throttle").stdout.splitlines()}
    assert [k for k in keys if "carl" in k and not k.endswith("@*")] == ["carl@127.0.0.0/24"] and "carl@*" in keys
    assert not [k for k in keys if "long" in k or "CORP" in k]
    oriel.ctl("throttle", "clear", "127.0.0.0/24")
    for domain, user in spelled:
        assert refused(ask(oriel, user, corp.carl.password, domain), "throttled")
    assert logged_in(ask(oriel, "many", corp.many.password, "CORP"), MANY)


@pytest.mark.option("login.allowed_groups")
@pytest.mark.parametrize("groups,who", [('"CORP\\Domain Users"', {CARL, MANY}), ('nobodys "CORP\\Linux Admins",x', {CARL}),
                                        ('"Domain Users@other.example" oriel-users', {DORA, "carl"}),
                                        ('"CORP\\Group No %d of many with a name of some length"' % (GROUPS - 1), {MANY}), ('"CORP\\Domain" Users', None)])
def test_groups_with_blanks_can_be_said(make_oriel, corp, groups, who):
    if who is None:
        with pytest.raises(AssertionError) as e:
            make_oriel(login__allowed_groups='"CORP\\Domain Users')
        assert "allowed_groups cannot be read from" in str(e.value)
    oriel = make_oriel(login__allowed_groups=groups, login__throttle_burst=1000)
    for person in (corp.carl, corp.many, corp.dora, corp.local):
        line = ask(oriel, person.name, person.password)
        assert logged_in(line, person.name) if person.name in (who or ()) else refused(line, "policy"), line
    if who is None:
        assert 'login.allowed_groups: "CORP\\\\Domain" is unknown' in oriel.log() or "is unknown to the name service" in oriel.log()


@pytest.mark.option("control.group")
@pytest.mark.parametrize("group", ["CORP\\Linux Admins", '"CORP\\Linux Admins"'])
def test_the_control_group_may_have_a_blank(make_oriel, corp, group):
    oriel = make_oriel(control__group=group)

    def may(person, *gids):
        return subprocess.run(["setpriv", "--reuid", str(person.uid), "--regid", str(person.gid), *gids, find_program("orielctl"), "--config",
                               oriel.config, "status"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode == 0
    assert may(corp.carl, "--groups", "70200")
    assert not may(corp.many, "--clear-groups")


def test_three_hundred_groups_reach_the_session(oriel, corp, connect):
    client = connect(oriel, "many", corp.many.password, options=("/d:CORP",))
    client.wait_stamp(corp.many.stamp, 20)
    client.wait_text("$")
    client.type("id -G | wc -w >~/typed\n")
    wait_for(lambda: corp.many.read("typed").strip() == str(GROUPS + 1), 10, "all groups: %r" % corp.many.read("typed"))


def test_a_name_service_that_hangs_keeps_nobody_else_waiting(oriel, corp):
    anna = users.user("anna")
    ask(oriel, "anna", anna.password)
    begun = time.monotonic()
    assert logged_in(ask(oriel, "anna", anna.password), "anna")
    usual = time.monotonic() - begun
    corp.directory.say("sleep", "CORP\\slow", 10)
    clients = []
    mark = len(oriel.log())
    try:
        for _ in range(3):
            clients.append(Rdp(oriel.port))
            clients[-1].login("slow", "whatever", domain="CORP")
        begun = time.monotonic()
        assert logged_in(ask(oriel, "anna", anna.password), "anna")
        assert time.monotonic() - begun < usual + 1 * SLACK
        assert oriel.ctl("status", timeout=5).returncode == 0
        assert not [line for line in audit(oriel, mark, "refused")], "they are still asked for"
    finally:
        corp.directory.unsay("sleep", "CORP\\slow", 10)
        for c in clients:
            c.close()


@pytest.mark.option("login.allow_root")
@pytest.mark.parametrize("domain,user", [("", "root"), ("oriel-test", "root"), ("", "root@oriel-test"), ("", "ORIEL-TEST\\root"), (".", "root"), ("story", "root"),
                                         ("NOWHERE", "root"), ("", "root@example.org"), ("CORP", "administrator"), ("", "CORP\\administrator")])
def test_root_stays_out_under_each_name(oriel, corp, domain, user):
    users.run("chpasswd", input=b"root:Root-pw-77\n")
    line = ask(oriel, user, "Root-pw-77", domain)
    assert refused(line, "policy"), line
    assert not oriel.sessions()


@pytest.mark.parametrize("domain,user,password", [
    ("CORP\0", "carl\0", "%s\0"), ("CORP", "carl", "%s\0"), ("CORP\0", "carl", "%s")])
def test_a_client_may_count_its_terminators(oriel, corp, domain, user, password):
    assert logged_in(ask(oriel, user, password % corp.carl.password, domain), CARL)


@pytest.mark.parametrize("what,domain,user,password", [
    ("nul inside", "", "carl\0x", "right"), ("nul inside the domain", "CO\0RP", "carl", "right"), ("half a character", "", "carl".encode("utf-16-le") + b"\0\xd8", "right"),
    ("odd", "", "carl".encode("utf-16-le") + b"x", "right"), ("the longest", "d" * 255, "u" * 255, "p" * 255),
    ("the longest, counted", "d" * 255 + "\0", "u" * 255 + "\0", "p" * 255 + "\0"), ("signs that no name has", "", "a:b", "right"),
    ("a domain in the domain", "CORP", "A\\B\\carl", "right")])
def test_a_name_that_cannot_be_is_refused_in_words(oriel, corp, what, domain, user, password):
    client = Rdp(oriel.port)
    try:
        client.login(user, corp.local.password if password == "right" else password, domain=domain)
        alive = client.run(20 * SLACK, until=lambda: client.updates())
        assert alive and client.updates(), "%s: the client sees no logon screen that tells why" % what
    finally:
        client.close()
    assert not oriel.sessions() and not client.logon_info
