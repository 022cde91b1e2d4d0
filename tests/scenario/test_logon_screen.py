# SPDX-License-Identifier: GPL-3.0-or-later
"""The logon screen: what it asks, shows, and never lets through."""
import subprocess

import numpy as np
import pytest

from harness import procs, users
from harness.client import FREERDP2
from harness.screen import colours
from harness.world import Timeout, wait_for


def settled(client, seconds=8):
    """Wait for a picture that stays the same for 0.4 s; returns it."""
    client.wait_picture(seconds)
    last, same = None, 0

    def quiet():
        nonlocal last, same
        now = client.pixels()
        same = same + 1 if last is not None and now.shape == last.shape and np.count_nonzero(now != last) < 180 else 0
        last = now
        return same >= 4
    wait_for(quiet, seconds, "a settled logon screen", 0.1)
    return last


def changes(client, before, seconds=6, least=80):
    def changed():
        now = client.pixels()
        return now.shape == before.shape and (now != before).any(axis=2).sum() >= least
    wait_for(changed, seconds, "a change on the logon screen", 0.05)


@pytest.mark.core
def test_a_wrong_password_leads_to_the_logon_screen_and_the_right_one_in(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, "anna", "not the password")
    settled(client)
    client.save("logon-screen")
    assert not client.shows(anna.stamp) and not procs.of_user("anna") and not oriel.session_of("anna")
    client.type("still wrong\n")
    settled(client, 12)
    assert client.running() and not procs.of_user("anna")
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)
    oriel.wait_state("anna", "active")


@pytest.mark.core
def test_without_a_name_the_logon_screen_asks_for_both(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, "", "")
    settled(client)
    client.type("anna\t" + anna.password + "\n")
    client.wait_stamp(anna.stamp)


def test_the_logon_screen_works_in_freerdp_2(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, "anna", "wrong", program=FREERDP2)
    settled(client)
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)


@pytest.mark.parametrize("size", [(640, 480), (1600, 1200), (601, 1003)])
def test_the_logon_screen_fits_any_size(oriel, connect, person, size):
    anna = person("anna")
    client = connect(oriel, "anna", "wrong", size=size, screen_size=(size[0] + 60, size[1] + 80))
    picture = settled(client)
    client.save("logon-%dx%d" % size)
    # something stands in the middle third, and it is not cut off: the outermost lines are background only
    h, w = picture.shape[:2]
    middle = picture[h // 3:2 * h // 3, w // 3:2 * w // 3]
    assert colours(middle, 4) > 4
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)


@pytest.mark.option("login.attempts")
def test_the_screen_ends_after_the_allowed_attempts(make_oriel, connect, person):
    person("anna")
    oriel = make_oriel(login__attempts=2)
    client = connect(oriel, "anna", "wrong")
    for _ in range(2):
        if not client.running():
            break
        try:
            settled(client, 6)
            client.type("wrong again\n")
        except (Timeout, AssertionError):
            break
    client.wait_end(20)
    assert not procs.of_user("anna")


@pytest.mark.lived_in
@pytest.mark.takes(11)
def test_an_expired_password_is_changed_on_the_screen(oriel, connect, person):
    dora = person("expired")
    users.run("chage", "-d", "0", "expired")
    old, new = dora.password, "Nw-8fjQ2-xorM-4kVz"
    client = connect(oriel, "expired", old)
    try:
        settled(client, 12)
        client.save("expired-1")
        assert not procs.of_user("expired")
        answers = [old, old, new, new]
        # PAM asks for the current password once more, or not, as its stack is set up: the logon screen shows what it asks.
        for n in range(6):
            if client.shows(dora.stamp):
                break
            before = settled(client, 8)
            client.save("expired-step-%d" % n)
            if n < len(answers):
                client.type(answers[n] + "\n")
            else:
                client.type("\n")
            try:
                wait_for(lambda: client.shows(dora.stamp) or _differs(client, before), 6, "the next step")
            except Timeout:
                pass
        client.wait_stamp(dora.stamp)
        dora.password = new
        oriel.logoff("expired")
        client = connect(oriel, "expired", new)
        client.wait_stamp(dora.stamp)
    finally:
        users.run("chage", "-d", "20000", "expired")
        dora.set_password(new)


def _differs(client, before):
    now = client.pixels()
    return now.shape == before.shape and (now != before).any(axis=2).sum() >= 80


MESSAGES = {
    "latin": "Wartung heute ab zwölf Uhr",
    "cyrillic": "Обслуживание сегодня в полдень",
    "greek": "Συντήρηση σήμερα το μεσημέρι",
    "arabic": "صيانة اليوم عند الظهر",
    "devanagari": "आज दोपहर को रखरखाव",
    "japanese": "本日正午にメンテナンスを行います",
}


@pytest.fixture(scope="module")
def message_service(services):
    with open("/etc/pam.d/oriel-message", "w") as f:
        f.write("auth optional pam_echo.so file=/etc/oriel-message\n@include common-auth\n@include common-account\n"
                "@include common-password\n@include common-session\n")
    s = services.other("message", kept=True, login__pam_service="oriel-message", login__throttle_burst=1000)
    yield s
    services.end(s)


_pictures = {}


@pytest.mark.parametrize("script", sorted(MESSAGES))
def test_a_message_of_pam_is_shown_in_its_script(message_service, connect, person, script):
    with open("/etc/oriel-message", "w") as f:
        f.write(MESSAGES[script] + "\n")
    anna = person("anna")
    client = connect(message_service, "anna", "")
    before = settled(client)
    client.type(anna.password + "\n")
    seen = []

    def message_or_desktop():
        now = client.pixels()
        if now.shape == before.shape and (now != before).any(axis=2).sum() > 150:
            seen.append(now)
        return client.shows(anna.stamp) or len(seen) > 3
    wait_for(message_or_desktop, 10, "the message")
    client.save("message-" + script)
    if not client.shows(anna.stamp):
        client.type("\n")      # "continue"
    client.wait_stamp(anna.stamp)
    message_service.logoff("anna")
    assert seen, "the message was never on the screen"
    for other, picture in _pictures.items():
        assert (picture != seen[-1]).any(), "the same picture as for " + other
    _pictures[script] = seen[-1]


@pytest.mark.lived_in
def test_nologin_keeps_users_out_and_says_why(oriel, connect, person):
    anna = person("anna")
    with open("/etc/nologin", "w") as f:
        f.write("Down for maintenance\n")
    try:
        client = connect(oriel, anna)
        settled(client)
        client.save("nologin")
        assert not client.shows(anna.stamp) and not procs.of_user("anna")
    finally:
        subprocess.run(["rm", "-f", "/etc/nologin"], check=True)
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
