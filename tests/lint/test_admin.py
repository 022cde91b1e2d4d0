# SPDX-License-Identifier: GPL-3.0-or-later
"""Each command and file of docs/ADMIN.md and of the pages like it is run and written by a story under systemd."""
import glob
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT + "/tests/scenario")

from harness import document  # noqa: E402

PAGES = ("ADMIN.md",)
# What a sentence may not hide: it stands in a block, where a story finds it. (Words that only name a program are fine.)
COMMAND = re.compile(r"`(?:sudo |\$ )?((?:apt(?:-get)?|systemctl|loginctl|journalctl|pam-auth-update|adcli|sssctl|getent|findmnt|mkhomedir_helper|gpasswd|"
                     r"groupadd|openssl|dpkg|ss|chmod|install) [^`]+)`")
# Named as what others may do, or with a word of the reader's that the block beside it has for all; other stories run them.
SAID_OF_OTHERS = {"systemctl --user", "systemctl --user import-environment DISPLAY"}


def text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def told():
    pairs = set()
    for path in glob.glob(ROOT + "/tests/scenario/systemd_*.py"):
        pairs |= document.told_by(text(os.path.relpath(path, ROOT)))
    return pairs


TO_DO = [(page, heading) for page in PAGES for heading, steps in document.sections(text("docs/" + page)).items() if steps]


@pytest.mark.parametrize("page, heading", TO_DO)
def test_a_section_with_commands_is_done_by_a_story(page, heading):
    assert (page, heading) in told(), "no tests/scenario/systemd_*.py says follow(\"%s\", \"%s\")" % (page, heading)


def test_no_story_follows_a_section_that_does_not_exist():
    for page, heading in told():
        assert document.sections(text("docs/" + page)).get(heading), "%s has no section %r with commands" % (page, heading)


@pytest.mark.parametrize("page", PAGES)
def test_headings_are_not_said_twice_and_no_command_hides_in_a_sentence(page):
    source = text("docs/" + page)
    headings = re.findall(r"^#+ (.*)", re.sub(r"(?ms)^```.*?^```", "", source), re.M)
    assert len(headings) == len(set(headings))
    run = [s.line for steps in document.sections(source).values() for s in steps if isinstance(s, document.Run)]
    hidden = [c for c in COMMAND.findall(source) if c not in SAID_OF_OTHERS and not any(c in line for line in run)]
    assert not hidden


@pytest.mark.parametrize("page", PAGES)
def test_a_file_s_name_can_be_read_above_it(page):
    """What stands after ``` is not shown."""
    above = re.findall(r"(?m)^(.*)\n\n```\w+ (/\S+)$", text("docs/" + page))
    assert above and all("`%s`" % path in line for line, path in above), above
    assert len(above) == sum(isinstance(s, document.File) for steps in document.sections(text("docs/" + page)).values() for s in steps)


@pytest.mark.parametrize("page", PAGES)
def test_options_and_links_of_the_page_exist(page):
    source = text("docs/" + page)
    options = {"%s.%s" % m for m in re.findall(r"^OPTION\((\w+), (\w+),", text("common/options.def"), re.M)}
    rooms = {o.split(".")[0] for o in options}
    named = {n for n in re.findall(r"`(\w+\.\w+)(?: = [^`]*)?`", source) if n.split(".")[0] in rooms}
    assert named and not named - options - {"session.log"}, named - options
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)", source, re.M)}
    for link in re.findall(r"\]\(([^)]+)\)", source):
        file, _, anchor = link.partition("#")
        assert (os.path.exists(ROOT + "/docs/" + file) if file else anchor in anchors), link


def test_the_reader_of_pages(tmp_path):
    found = document.sections("# T\n\n## A\n\n    sudo one && sudo two\n\n```ini /etc/x.conf\n[a]\n    b = NAME\n```\n\n    three NAME\n\n```\nno file\n```\n### B\n")
    assert found["A"] == [("sudo one && sudo two",), ("/etc/x.conf", "[a]\n    b = NAME\n"), ("three NAME",)] and found["B"] == []
    assert document.as_root("sudo one && sudo two | x-sudo y") == "one && two | x-sudo y"
    assert document.filled("NAME ~NAME/NAMES ID", {"NAME": "anna", "ID": 7}) == "anna ~anna/NAMES 7"
    with pytest.raises(AssertionError, match="without an end"):
        document.sections("## A\n```ini /etc/x\n")
    assert document.told_by('follow("A.md", "B", NAME=x) commands("C.md", "D\'s") follow(page, "E")') == {("A.md", "B"), ("C.md", "D's")}


def test_a_failing_command_of_a_page_fails():
    assert document.run("echo $((1 + 1))") == "2\n"
    with pytest.raises(AssertionError, match="exit 3"):
        document.run("exit 3")
    with pytest.raises(AssertionError):
        document.run("false | cat")
    assert subprocess.run(["bash", "-c", "false | cat"], check=False).returncode == 0, "why pipefail is there"
