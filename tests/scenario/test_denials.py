# SPDX-License-Identifier: GPL-3.0-or-later
"""Who must not get in does not get in, by any door: no session, no process, no channel, no logon notice; and the same attempt with
everything right does."""
import os
import pwd
import shutil
import subprocess

import pytest

from harness import procs, users
from harness.rdp import Closed, Rdp
from harness.world import PREFIX, find_program, wait_for

pytestmark = pytest.mark.core

PASSWORDS = ["wrong", "empty", "nul", "overlong", "right"]
USERS = ["unknown", "locked", "gone", "expired", "outsider", "anna"]


@pytest.fixture(scope="module")
def guarded(services):
    """A service that lets only one group in."""
    s = services.other("guarded", kept=True, login__allowed_groups="oriel-users", login__throttle_burst=1000, login__attempts=20)
    yield s
    services.end(s)


def person_of(name):
    return users.unknown() if name == "unknown" else users.user(name)


def password_for(user, kind):
    return {"wrong": "wrong", "empty": "", "nul": user.password + "\0x", "overlong": user.password + "x" * 240,
            "right": user.password}[kind]


def user_processes(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        return []
    return procs.of_user(name)


def verdicts(service, since):
    """Audit lines that tell of a login's end."""
    return [line for line in service.log()[since:].splitlines() if "audit" in line and (" refused" in line or " login" in line)]


def nothing_happened(service, client, name):
    assert not client.channel_data(), "a channel spoke: %r" % client.channel_data()[:2]
    assert not client.logon_info, "the server said that the user is logged on"
    assert not service.session_of(name), "there is a session"
    assert not user_processes(name), "there are processes: %r" % user_processes(name)


def through_client_info(service, name, password):
    client = Rdp(service.port)
    try:
        client.login(name, password)
    except Closed:
        pass
    return client


def through_logon_screen(service, name, password):
    """The name comes from Client Info, the password is typed."""
    client = Rdp(service.port)
    client.login(name, "")
    client.run(15, until=lambda: client.updates())
    client.run(0.4)
    client.type_unicode(password)
    client.scancode(0x1C)
    return client


DOORS = {"client-info": through_client_info, "logon-screen": through_logon_screen}
ALLOWED = {("anna", "right")}


@pytest.mark.option("login.allowed_groups")
@pytest.mark.parametrize("door", sorted(DOORS))
@pytest.mark.parametrize("kind", PASSWORDS)
@pytest.mark.parametrize("name", USERS)
def test_a_login_that_must_not_succeed_leaves_no_trace(guarded, name, kind, door):
    user = person_of(name)
    mark = len(guarded.log())
    client = DOORS[door](guarded, user.name, password_for(user, kind))
    try:
        if (name, kind) in ALLOWED:
            alive = client.run(20, until=lambda: guarded.session_of(user.name))
            assert alive and guarded.session_of(user.name), "the right password does not get in: %s" % guarded.log()[mark:][-1500:]
            guarded.logoff(user.name)
            return
        # The verdict is in the log, or the server ended the connection, or there was nothing to judge (an empty password only asks).
        client.run(15 if kind != "empty" else 1.5, until=lambda: verdicts(guarded, mark))
        client.run(0.3)
        nothing_happened(guarded, client, user.name)
        assert not [v for v in verdicts(guarded, mark) if "refused" not in v]
    finally:
        client.close()


def break_pam(service_name, which):
    """A service of which one call fails, by pam_deny, or, as no module of Debian's refuses in pam_setcred alone, by the test module."""
    lines = ["@include common-%s" % kind if kind != which else "%s required pam_deny.so" % kind for kind in ("auth", "account", "password", "session")]
    if which.startswith("setcred"):
        script = "/etc/%s.script" % service_name
        with open(script, "w") as f:
            f.write("setcred return %d\n" % (0 if which == "setcred-works" else 17))    # PAM_CRED_ERR
        lines.append("auth required %s/pam_oriel_test.so script=%s" % (PREFIX, script))
    with open("/etc/pam.d/" + service_name, "w") as f:
        f.write("\n".join(lines) + "\n")


@pytest.mark.option("login.pam_service")
@pytest.mark.parametrize("door", sorted(DOORS))
@pytest.mark.parametrize("which", ["auth", "account", "setcred", "session", "setcred-works", "none"])
def test_when_a_call_of_pam_fails_nobody_gets_in(services, door, which):
    break_pam("oriel-deny-" + which, which)
    s = services.other("pam-" + which, login__pam_service="oriel-deny-" + which, login__throttle_burst=1000)
    anna = users.user("anna")
    try:
        client = DOORS[door](s, "anna", anna.password)
        if which in ("none", "setcred-works"):
            assert client.run(20, until=lambda: s.session_of("anna")) and s.session_of("anna")
        else:
            client.run(15, until=lambda: "refused" in s.log() or "failed" in s.log())
            client.run(0.5)
            if which == "setcred":
                s.wait_log("pam_setcred failed")
            wait_for(lambda: not user_processes("anna"), 4, "no process of the user")
            # who is authenticated and gets no session is told why, with the channels of a client that is logged in
            told = which in ("session", "setcred")
            assert not client.logon_info and not [c for c in client.channel_data() if c[1] == "drdynvc"] or told
            wait_for(lambda: not s.session_of("anna"), 4, "no session")
        client.close()
    finally:
        services.end_private()


@pytest.fixture
def other_lets_everybody_in():
    with open("/etc/pam.d/other") as f:
        before = f.read()
    with open("/etc/pam.d/other", "w") as f:
        f.write("".join("%s required pam_permit.so\n" % k for k in KINDS))
    yield
    with open("/etc/pam.d/other", "w") as f:
        f.write(before)


KINDS = ("auth", "account", "password", "session")


def write_service(name, kinds):
    with open("/etc/pam.d/" + name, "w") as f:
        f.write("".join("@include common-%s\n" % k for k in kinds))


@pytest.mark.parametrize("missing", ("file",) + KINDS)
def test_a_service_that_pam_would_complete_from_other_does_not_start(services, other_lets_everybody_in, missing):
    name = "oriel-lacks-" + missing
    if missing != "file":
        write_service(name, [k for k in KINDS if k != missing])
    s = services.other("lacks", login__pam_service=name, start=False)
    checked = subprocess.run([find_program("oriel"), "--config", s.config, "--check-config"], capture_output=True, text=True)
    said = "/etc/pam.d/%s %s" % (name, "is not there" if missing == "file" else "has no line of the type %s:" % missing)
    assert checked.returncode == 2 and said in checked.stderr, checked
    with pytest.raises(AssertionError, match="oriel ended with"):
        s.start()
    assert "no PAM service" in s.log() and said in s.log(), s.log()


@pytest.mark.lived_in
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a_pam_file_that_is_taken_away_is_a_refusal_and_never_the_service_other(services, other_lets_everybody_in, door):
    write_service("oriel-for-now", KINDS)
    s = services.other("nofile", login__pam_service="oriel-for-now")
    anna = users.user("anna")
    try:
        os.unlink("/etc/pam.d/oriel-for-now")
        client = DOORS[door](s, "anna", anna.password)
        client.run(15, until=lambda: verdicts(s, 0))
        client.run(0.3)
        assert "reason=unavailable" in "".join(verdicts(s, 0)), s.log()[-1500:]
        nothing_happened(s, client, "anna")
        write_service("oriel-for-now", KINDS)
        client.close()
        client = DOORS[door](s, "anna", anna.password)
        assert client.run(20, until=lambda: s.session_of("anna")) and s.session_of("anna")
        client.close()
    finally:
        services.end_private()


@pytest.mark.option("paths.libexec_dir")
@pytest.mark.parametrize("door", sorted(DOORS))
def test_without_a_monitor_nobody_gets_in(services, door):
    folder = "/run/o/no-monitor"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    libexec = PREFIX + "/usr/libexec/oriel"
    for name in os.listdir(libexec):
        if name != "oriel-monitor":
            shutil.copy2(os.path.join(libexec, name), folder)
    with open(folder + "/oriel-monitor", "w") as f:
        f.write("#!/bin/sh\nkill -9 $$\n")
    os.chmod(folder + "/oriel-monitor", 0o755)
    s = services.other("no-monitor", paths__libexec_dir=folder, server__handshake_deadline=4, server__login_deadline=4)
    anna = users.user("anna")
    try:
        client = Rdp(s.port, timeout=8)
        try:
            client.login("anna", anna.password)
            alive = client.run(8)
            assert not alive, "the connection stays open without a monitor"
        except Closed:
            pass
        assert not client.channel_data() and not client.logon_info
        assert not procs.of_user("anna")
        client.close()
    finally:
        services.end_private()


@pytest.mark.option("login.allow_root")
@pytest.mark.parametrize("allowed", [False, True])
def test_root_gets_in_only_where_the_option_says_so(services, allowed):
    users.run("chpasswd", input=b"root:Root-pw-77\n")
    s = services.other("root", login__allow_root=str(allowed).lower(), login__throttle_burst=1000)
    try:
        client = through_client_info(s, "root", "Root-pw-77")
        if allowed:
            assert client.run(20, until=lambda: s.session_of("root")) and s.session_of("root")
        else:
            client.run(15, until=lambda: verdicts(s, 0))
            assert not client.channel_data() and not s.session_of("root")
        client.close()
    finally:
        services.end_private()


@pytest.mark.parametrize("protocols,code", [(0, 1), (2, 1), (0x2 | 0x8, 1)])
def test_a_client_that_insists_on_another_security_gets_the_right_failure(oriel, protocols, code):
    """RDP security or NLA alone: SSL_REQUIRED_BY_SERVER (1), MS-RDPBCGR 2.2.1.2.2."""
    from harness.rdp import Refused
    client = Rdp(oriel.port)
    try:
        with pytest.raises(Refused) as e:
            client.negotiate(protocols)
        assert e.value.code == code
    finally:
        client.close()
