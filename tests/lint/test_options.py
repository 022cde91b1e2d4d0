# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option has a test of its effect. Such a test names the option: a story with @pytest.mark.option("login.attempts"), a unit test with
the comment "option: login.attempts" in the line above its function."""
import ast
import glob
import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


OPTIONS = ["%s.%s" % m for m in re.findall(r"^OPTION\((\w+), (\w+),", text("common/options.def"), re.M)]


def names_in(decorator):
    """The options in @pytest.mark.option(...), also under the short name `option`."""
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "option":
        return [a.value for a in decorator.args if isinstance(a, ast.Constant)]
    return []


def told_by_stories():
    for path in sorted(glob.glob(ROOT + "/tests/scenario/test_*.py") + glob.glob(ROOT + "/tests/pdu/test_*.py")):
        for f in ast.parse(text(path)).body:
            if isinstance(f, ast.FunctionDef) and f.name.startswith("test_"):
                for option in (o for d in f.decorator_list for o in names_in(d)):
                    yield option, "%s::%s" % (os.path.relpath(path, ROOT), f.name)


def told_by_units():
    """A comment that stands above no function that is also called or registered elsewhere in its file names nothing."""
    for path in sorted(glob.glob(ROOT + "/tests/unit/*/test_*.c")):
        source = text(path)
        for names, function in re.findall(r"^/\* option: ([\w., ]+) \*/\nstatic void (\w+)\(void \*\*", source, re.M):
            assert len(re.findall(r"\b%s\b" % function, source)) > 1, "%s: %s is never run" % (path, function)
            for option in names.replace(",", " ").split():
                yield option, "%s::%s" % (os.path.relpath(path, ROOT), function)


TOLD = {}
for _option, _test in [*told_by_stories(), *told_by_units()]:
    TOLD.setdefault(_option, []).append(_test)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_has_a_test_of_its_effect(option):
    assert TOLD.get(option), "no test is marked with " + option
    print(option, *TOLD[option], sep="\n    ")


def test_no_test_names_an_option_that_does_not_exist():
    assert not sorted(set(TOLD) - set(OPTIONS))


def test_every_option_comment_stands_above_a_test():
    for path in sorted(glob.glob(ROOT + "/tests/unit/*/*.c")):
        source = text(path)
        counted = re.findall(r"/\* option: ", source)
        assert len(counted) == len(re.findall(r"^/\* option: [\w., ]+ \*/\nstatic void \w+\(void \*\*", source, re.M)), path
