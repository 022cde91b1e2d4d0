# SPDX-License-Identifier: GPL-3.0-or-later
"""For systemd.sh: the classes of stories in tests/scenario/systemd_*.py, a line each, fields parted by "|":

    file | class | machine | boot | heavy | limit | sets | prepare

    list_stories.py FOLDER [NAME...]    NAME: a file without "systemd_" and ".py", or a class. None: all of them

A file says at its top level what machine it needs, and a class how it is run; all are literals, and all may be left out:

    MACHINE = "installed"   Oriel is installed by README's "Keep it"; "packages": only what it needs to be built and run, and the tree;
                            "bare": a new Debian with systemd, the clients and the tree, and nothing else of Oriel's
    SETS = ("apps",)        these sets of scripts/packages are there, too
    PREPARE = "COMMAND"     run by bash in /root/oriel before the first boot, while the network is there
    HEAVY = True            told only with --apps, or when it is asked for by name
    class TestSomething:
        BOOT = "own"        it begins with a boot; "shared": it goes on in the boot of the class above it
        LIMIT_S = 600       seconds until it is ended
"""
import ast
import glob
import os
import sys

FILE = {"MACHINE": "installed", "SETS": (), "PREPARE": "", "HEAVY": False}
CLASS = {"BOOT": "own", "LIMIT_S": 600}
ALLOWED = {"MACHINE": ("installed", "packages", "bare"), "BOOT": ("own", "shared")}


def said(body, usual, where):
    """The literals of these names among the statements, with what is usual where nothing is said."""
    found = dict(usual)
    for statement in body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        if name not in usual:
            continue
        try:
            value = ast.literal_eval(statement.value)
        except ValueError:
            sys.exit("%s: %s is no literal" % (where, name))
        if type(value) is not type(usual[name]):
            sys.exit("%s: %s has to be a %s" % (where, name, type(usual[name]).__name__))
        if value not in ALLOWED.get(name, (value,)):
            sys.exit("%s: %s has to be one of %s" % (where, name, ", ".join(ALLOWED[name])))
        found[name] = value
    if any(c in str(value) for value in found.values() for c in "|\n"):
        sys.exit('%s: no value may have a "|" or a line break' % where)
    return found


def stories(path):
    with open(path) as f:
        tree = ast.parse(f.read(), path)
    name = os.path.basename(path)
    file = said(tree.body, FILE, name)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            story = said(node.body, CLASS, "%s: %s" % (name, node.name))
            yield (name, node.name, file["MACHINE"], story["BOOT"], "heavy" if file["HEAVY"] else "-", str(story["LIMIT_S"]),
                   " ".join(file["SETS"]), file["PREPARE"])


def main(folder, *names):
    told, known = [], set()
    for path in sorted(glob.glob(folder + "/systemd_*.py")):
        short = os.path.basename(path)[len("systemd_"):-len(".py")]
        for story in stories(path):
            known |= {short, story[1]}
            if not names or short in names or story[1] in names:
                told.append(story)
    unknown = set(names) - known
    if unknown:
        sys.exit("no such story: %s; there are: %s" % (", ".join(sorted(unknown)), ", ".join(sorted(known))))
    for story in told:
        print("|".join(story))


if __name__ == "__main__":
    main(*sys.argv[1:])
