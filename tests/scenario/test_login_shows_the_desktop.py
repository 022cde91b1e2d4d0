# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from harness import procs
from harness.world import wait_for

pytestmark = pytest.mark.core


@pytest.mark.lived_in
def test_a_user_with_the_right_password_sees_her_desktop(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    s = oriel.wait_state("anna", "active")
    assert s["clients"] and s["clients"][0]["role"] in ("control", 1)
    assert anna.read("started").count("started-") == 1


@pytest.mark.lived_in
def test_letters_typed_at_the_client_stand_in_the_terminal(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    client.type("echo Grey-Fox_42 >typed; cat typed\n")
    client.wait_text("echo Grey-Fox_42 >typed; cat typed")
    wait_for(lambda: anna.read("typed") == "Grey-Fox_42\n", 5, "the typed command's effect")
    client.wait_text("Grey-Fox_42")


@pytest.mark.lived_in
def test_after_a_logoff_nothing_of_the_session_remains(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    session = oriel.wait_state("anna", "active")
    assert procs.of_user("anna")
    oriel.ctl("logoff", session["id"])
    client.wait_end()
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")
    oriel.wait_no_session("anna", 5)
