# SPDX-License-Identifier: GPL-3.0-or-later
"""rdesktop 1.9, as thin clients in the field still run it."""
import subprocess

import pytest

from harness.client import Client
from harness.screen import Screen


class Rdesktop(Client):
    """The same person at another program: no GFX, no dynamic channels, its own way with the first PDUs."""

    NAME = "rdesktop"

    def __init__(self, port, user, password="", size=(800, 600)):
        Client.count += 1
        self.number, self.own_screen, self.size, self.screen = Client.count, True, size, Screen(1000, 760)
        options = ["-p", password] if password else []
        self._begin(["rdesktop", "-u", user, "-g", "%dx%d" % size, *options, "127.0.0.1:%d" % port], stdin=subprocess.PIPE)
        self.process.stdin.write(b"yes\n")  # whether it trusts the certificate
        self.process.stdin.close()


@pytest.fixture
def rdesktop():
    clients = []

    def start(*args, **kw):
        clients.append(Rdesktop(*args, **kw))
        return clients[-1]
    yield start
    for c in clients:
        c.close()


def test_rdesktop_shows_the_session_and_types_into_it(oriel, person, rdesktop):
    anna = person("anna")
    client = rdesktop(oriel.port, "anna", anna.password)
    client.wait_stamp(anna.stamp, 20)
    client.save("rdesktop-session")
    client.wait_text("$")
    client.type("echo typed $((40+2))\n")
    client.wait_text("typed 42")


def test_rdesktop_without_a_password_shows_the_logon_screen(oriel, person, rdesktop):
    anna = person("anna")
    client = rdesktop(oriel.port, "anna")
    client.wait_picture(20)
    client.save("rdesktop-logon")
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp, 20)
