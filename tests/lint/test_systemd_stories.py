# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of stories under systemd ask for (tests/scenario/list_stories.py)."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = ROOT + "/tests/scenario"


def listed(folder, *names):
    return subprocess.run(["/usr/bin/python3", "-B", FOLDER + "/list_stories.py", str(folder), *names], capture_output=True, text=True)


@pytest.fixture
def told(tmp_path):
    """told(text, name...) is what is said of a file with that text."""
    def tell(text, *names):
        (tmp_path / "systemd_some.py").write_text(text)
        return listed(tmp_path, *names)
    return tell


def test_the_tree_s_files_can_be_told_and_their_sets_exist():
    run = listed(FOLDER)
    assert run.returncode == 0 and "systemd_story.py|TestInstalled|installed|own|-|600||" in run.stdout, run.stdout + run.stderr
    for line in run.stdout.splitlines():
        for name in line.split("|")[6].split():
            assert subprocess.run([ROOT + "/scripts/packages", "list", name], capture_output=True, text=True).stdout, name


def test_a_file_and_a_class_say_what_they_need(told):
    run = told('MACHINE = "bare"\nSETS = ("apps", "bench")\nPREPARE = "a | b"\n')
    assert run.returncode != 0 and "|" in run.stderr
    run = told('MACHINE = "bare"\nSETS = ("apps", "bench")\nPREPARE = "a && b"\nHEAVY = True\nclass TestA:\n    LIMIT_S = 9\n'
               'class TestB:\n    BOOT = "shared"\nclass Helper:\n    BOOT = "shared"\n')
    assert run.stdout.splitlines() == ["systemd_some.py|TestA|bare|own|heavy|9|apps bench|a && b",
                                       "systemd_some.py|TestB|bare|shared|heavy|600|apps bench|a && b"]


def test_names_choose_files_and_classes(told):
    both = "class TestA:\n    pass\nclass TestB:\n    pass\n"
    assert told(both, "some").stdout.count("\n") == 2
    assert told(both, "TestB").stdout.startswith("systemd_some.py|TestB|")
    run = told(both, "TestC")
    assert run.returncode != 0 and "TestC" in run.stderr and "TestA" in run.stderr


@pytest.mark.parametrize("text, word", [('MACHINE = "mine"\n', "bare"), ('SETS = "apps"\n', "tuple"), ("HEAVY = 1\n", "bool"),
                                        ('class TestA:\n    BOOT = "no"\n', "shared"), ("SETS = tuple([])\n", "literal")])
def test_what_nobody_can_give_is_refused_by_name(told, text, word):
    run = told(text + "class TestZ:\n    pass\n")
    assert run.returncode != 0 and "systemd_some.py" in run.stderr and word in run.stderr, run.stderr
