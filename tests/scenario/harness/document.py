# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page of docs/ tells an administrator to do, section by section, so that a story does just that.

A section is what stands below one heading of any depth, up to the next. In it a block that is indented by four blanks is commands, a line each, and a
fenced block whose first line names a path after the language (```ini /etc/krb5.conf) is the whole text of that file. Other fenced blocks are
for the reader only. Knows nothing of the private world: tests/lint uses it, too."""
import os
import re
import subprocess
from collections import namedtuple

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

Run = namedtuple("Run", "line")             # a command; "sudo " stands before what needs root
File = namedtuple("File", "path text")


def sections(text):
    """{heading: [Run or File, in their order]} of a page's text."""
    found, steps, fence = {}, None, None
    for line in text.splitlines():
        if fence is not None:
            if line.startswith("```"):
                if fence[0]:
                    steps.append(File(fence[0], "".join(x + "\n" for x in fence[1])))
                fence = None
            else:
                fence[1].append(line)
        elif line.startswith("```"):
            words = line[3:].split()
            fence = (words[1] if len(words) > 1 else "", [])
        elif re.match(r"#+ ", line):
            steps = found.setdefault(line.lstrip("#").strip(), [])
        elif line.startswith("    ") and line.strip():
            steps.append(Run(line.strip()))
    assert fence is None, "a fenced block without an end: %r" % (fence,)
    return found


def steps(page, heading):
    """The steps of one section of docs/PAGE."""
    with open(os.path.join(TREE, "docs", page), encoding="utf-8") as f:
        found = sections(f.read())
    assert found.get(heading), "%s has no section %r with something to do" % (page, heading)
    return found[heading]


def commands(page, heading):
    """The commands of one section, as root types them."""
    return [as_root(s.line) for s in steps(page, heading) if isinstance(s, Run)]


def as_root(line):
    return re.sub(r"(?<![\w-])sudo (?=\S)", "", line)


def filled(text, words):
    """The page's words for what is the reader's own (NAME, ID) become these."""
    for word, own in words.items():
        text = re.sub(r"(?<![\w-])%s(?![\w-])" % re.escape(word), lambda m, own=own: str(own), text)
    return text


def write(step, words):
    path = filled(step.path, words)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(filled(step.text, words))


def run(line, typed=""):
    """What the command printed; it has to succeed."""
    r = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=TREE, input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=900, text=True, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    assert r.returncode == 0, "%s: exit %d: %s" % (line, r.returncode, r.stdout[-3000:])
    return r.stdout


def follow(page, heading, typed="", **words):
    """Do as root what the section says, in its order: write its files, run its commands in the tree, each in a shell of its own, with
    `typed` as its input. NAME="anna" puts anna where the section says NAME. Returns what each command printed."""
    steps_left = steps(page, heading)
    said = []
    for step in steps_left:
        if isinstance(step, File):
            write(step, words)
        else:
            said.append(run(filled(as_root(step.line), words), typed))
    return said


def told_by(source):
    """The (page, heading) pairs that a story's text asks for, in literals."""
    return set(re.findall(r"\b(?:follow|commands)\(\"([\w.]+\.md)\", \"([^\"\n]+)\"", source))
