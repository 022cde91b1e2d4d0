# SPDX-License-Identifier: GPL-3.0-or-later
"""Only with scripts/check --apps: heavy applications at work in a session. What the client shows when it is still is, pixel for pixel,
what the session's X server shows."""
import os

import pytest

from harness.inside import Inside, changed, exact
from harness.screen import near
from harness.windows import MANAGED
from harness.world import wait_for

pytestmark = pytest.mark.apps


def begin(oriel, connect, person, application):
    anna = person("anna", terminal=False)
    anna.remove(".mozilla")
    anna.remove(".config")
    anna.xsession("%s%s &\n%s" % (MANAGED, anna.stamp.command(), application))
    client = connect(oriel, anna, size=(1280, 900), screen_size=(1340, 980))
    client.wait_stamp(anna.stamp, 20)
    return client, Inside(oriel, "anna")


def test_a_terminal_with_a_long_build_log(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, size=(1280, 900), screen_size=(1340, 980))
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    inside = Inside(oriel, "anna")
    client.type("for d in /usr/include /usr/share/doc /usr/lib; do find $d | head -n 15000 | sed 's/^/  CC  /'; done; echo build done, 45000 files\n")
    client.wait_text("build done, 45000 files", 60)
    first = exact(client, inside)
    client.type("seq 1 200 | sed 's/^/warning: line /'\n")
    client.wait_text("warning: line 200", 10)
    assert changed(first, exact(client, inside)) > 0.01


FLAT_ODT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
 office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.text">
<office:automatic-styles><style:style style:name="H" style:family="paragraph"><style:text-properties fo:font-size="20pt" fo:color="#%s"/>
</style:style></office:automatic-styles><office:body><office:text>%s</office:text></office:body></office:document>
"""


def test_a_document_in_a_word_processor_opens_and_scrolls(oriel, connect, person):
    words = "A session outlives its client, and the client shows what the session shows. " * 9
    body = "".join('<text:p text:style-name="H">Chapter %d</text:p><text:p>%s</text:p>' % (n, words) for n in range(1, 61))
    client, inside = begin(oriel, connect, person, "until [ -s $HOME/letter.fodt ]; do sleep 0.1; done\n"
                           "exec soffice --norestore --nologo --nofirststartwizard --writer $HOME/letter.fodt\n")
    path = "/home/anna/letter.fodt"
    with open(path + ".new", "w") as f:
        f.write(FLAT_ODT % ("c01030", body))
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
    try:
        wait_for(lambda: inside.window("letter.fodt"), 90, "the document's window", 0.5)
        wait_for(lambda: near(client.pixels(), (0xC0, 0x10, 0x30), 4).sum() > 200, 60, "the chapter's red letters", 0.3)
        first = exact(client, inside, 30)
        client.focus()
        for n in range(4):
            client.screen.press("Next")
        wait_for(lambda: changed(first, client.pixels()) > 0.02, 20, "another page", 0.2)
        exact(client, inside, 30)
    finally:
        os.unlink(path)


PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>a local page</title>
<style>body{margin:0;font:16px serif;background:#fff}div.top{height:200px;background:#2040e0}div.end{height:600px;background:#20a040}
p{margin:12px}div.moves{width:120px;height:120px;background:linear-gradient(45deg,red,gold);animation:m 1s 3 linear}
@keyframes m{to{transform:translateX(700px) rotate(360deg)}}</style>
<div class=top></div><div class=moves></div>%s<div class=end></div>"""


def test_a_browser_shows_a_local_page_and_scrolls_to_its_end(oriel, connect, person):
    profile = "mkdir -p $HOME/.mozilla/p && cat >$HOME/.mozilla/p/user.js <<'END'\n" + "".join('user_pref("%s", %s);\n' % p for p in (
        ("browser.shell.checkDefaultBrowser", "false"), ("browser.aboutwelcome.enabled", "false"), ("datareporting.policy.firstRunURL", '""'),
        ("toolkit.telemetry.reportingpolicy.firstRun", "false"), ("browser.sessionstore.resume_from_crash", "false"),
        ("ui.caretBlinkTime", "0"), ("general.smoothScroll", "true"), ("datareporting.policy.dataSubmissionEnabled", "false"))) + "END\n"
    text = "".join("<p>%d: pictures travel only where something changed, and text is exact from its first frame.</p>" % n for n in range(150))
    page = "/home/anna/page.html"
    client, inside = begin(oriel, connect, person, profile + "cat >$HOME/page.html <<'END'\n" + PAGE % text +
                           "\nEND\nexec firefox-esr --new-instance --profile $HOME/.mozilla/p --kiosk file://%s\n" % page)
    wait_for(lambda: near(client.pixels(), (0x20, 0x40, 0xE0), 4).mean() > 0.1, 90, "the page's blue head", 0.3)
    first = exact(client, inside, 30)
    client.focus()
    client.click(640, 500)

    def scrolled():
        if near(client.pixels(), (0x20, 0xA0, 0x40), 4).mean() > 0.3:
            return True
        client.screen.press("End")  # a browser that is still starting may not have heard the first one
        return False

    wait_for(scrolled, 20, "the page's green end", 1)
    assert changed(first, exact(client, inside, 30)) > 0.3
