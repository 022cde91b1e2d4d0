# SPDX-License-Identifier: GPL-3.0-or-later
"""How scripts/check --fresh keeps its machines and goes on, with a machine of paper; and which build folder is of use again."""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, as --fresh does")

# A machine is a folder, and what is run in it is written down.
PAPER = """
machine_make() { echo make >>"$PAPER/done"; mkdir -p "$2"/etc/ssl "$2"/etc/pam.d "$2"/etc/apt/sources.list.d "$2"/var/lib "$2"/root
    touch "$2"/etc/{passwd,group,pam.d/login}; }
machine_tree() { echo tree >>"$PAPER/done"; }
machine_run() {
    case "$*" in
    *UP-AFTER-KILL*) echo serve >>"$PAPER/done"; printf '%s\\n' "INTERRUPTED: 130" UP-AFTER-INTERRUPTION UP-AFTER-KILL "LEFT: 0 processes, 0 files"
        touch "$1"/root/serve-1.log ;;
    *"scripts/package --twice"*) echo package >>"$PAPER/done" ;;
    *scripts/check*) last=${!#}; echo "check ${last##*scripts/check}" | xargs >>"$PAPER/done"
        if [ -e "$PAPER/interrupt" ]; then rm "$PAPER/interrupt"; kill -TERM $$; sleep 5; fi
        echo "5 passed, $(cat "$PAPER/failures" 2>/dev/null || echo 0) failed, 1 skipped" ;;
    *dpkg-query*) echo 3.0 ;;
    *"install build run client test"*) echo packages >>"$PAPER/done" ;;
    esac
}
"""


class Fresh:
    def __init__(self, folder):
        self.folder, self.top, self.tree = folder, folder / "top", folder / "tree"
        (self.tree / "tests/scenario").mkdir(parents=True)
        with open(ROOT + "/tests/scenario/machine.sh") as f:
            (self.tree / "tests/scenario/machine.sh").write_text(f.read() + PAPER)
        systemd = self.tree / "tests/scenario/systemd.sh"
        systemd.write_text('#!/bin/bash\necho "systemd $*" | sed "s| /.*||" >>"$PAPER/done"\necho "2 passed, 0 failed"\n')
        systemd.chmod(0o755)

    def run(self, *argv, name="13"):
        """(exit status, what it printed, what was done)"""
        done = self.folder / "done"
        done.write_text("")
        env = dict(os.environ, PAPER=str(self.folder), ORIEL_FRESH_DIR=str(self.top))
        r = subprocess.run([ROOT + "/tests/scenario/fresh.sh", *argv, str(self.tree), *name.split()], env=env, capture_output=True, text=True)
        return r.returncode, r.stdout + r.stderr, done.read_text().split("\n")[:-1]


@pytest.fixture
def fresh():
    folder = subprocess.run(["mktemp", "-d", "/var/tmp/oriel-paper.XXXXXX"], capture_output=True, text=True, check=True).stdout.strip()
    yield Fresh(pathlib.Path(folder))
    shutil.rmtree(folder)


def test_all_parts_are_done_and_counted_and_the_machine_is_kept(fresh):
    status, text, done = fresh.run()
    assert status == 0 and done == ["make", "tree", "packages", "serve", "package", "check", "systemd"], text
    assert text.splitlines()[-1] == "16 passed, 0 failed, 1 skipped" and "no commit is known" in text
    _, text, done = fresh.run()
    assert done == ["tree", "packages", "serve", "package", "check", "systemd"], text


def test_a_run_that_was_interrupted_goes_on_and_counts_what_was_done(fresh):
    (fresh.folder / "interrupt").touch()
    status, text, done = fresh.run()
    assert status != 0 and done == ["make", "tree", "packages", "serve", "package", "check"]
    status, text, done = fresh.run()
    assert status == 0 and done == ["tree", "check", "systemd"], text
    assert text.splitlines()[-1] == "16 passed, 0 failed, 1 skipped"


def test_another_tree_is_tried_from_the_beginning(fresh):
    (fresh.folder / "interrupt").touch()
    fresh.run()
    (fresh.tree / "file").write_text("new")
    assert fresh.run()[2] == ["tree", "packages", "serve", "package", "check", "systemd"]


def test_parts_and_what_they_are_told(fresh):
    assert fresh.run("--only", "check:unit,lint", "--only", "systemd:story")[2] == ["make", "tree", "check --only unit,lint", "systemd --only story"]
    assert fresh.run("--only", "packages,check:unit,lint,systemd")[2] == ["tree", "packages", "check --only unit,lint", "systemd"]
    assert fresh.run("--only", "packages,systemd", "--apps")[2] == ["tree", "packages", "systemd --apps"]


def test_a_failure_within_is_one_outside(fresh):
    (fresh.folder / "failures").write_text("3")
    status, text, _ = fresh.run()
    assert status == 1 and text.splitlines()[-1] == "16 passed, 3 failed, 1 skipped"


def test_several_machines_and_their_removal(fresh):
    status, text, done = fresh.run(name="12 13-backports")
    assert status == 0 and done.count("make") == 2 and text.splitlines()[-1] == "32 passed, 0 failed, 2 skipped"
    assert fresh.run("--remove", name="12")[0] == 0
    assert not (fresh.top / "12").exists() and (fresh.top / "13-backports/machine").is_dir()


@pytest.mark.parametrize("argv, name, word", [(("--only", "nothing"), "13", "nothing"), (("--only", "check,nothing"), "13", "nothing"),
                                              ((), "11", "13-backports"), (("--nothing",), "13", "--nothing")])
def test_what_there_is_not_is_refused(fresh, argv, name, word):
    status, text, done = fresh.run(*argv, name=name)
    assert status == 2 and word in text and not done


def test_a_folder_that_others_have_a_hand_in_is_refused(fresh):
    open_to_all = fresh.folder / "open"
    for mode, owner, top in ((0o777, 0, "open"), (0o777, 0, "open/top"), (0o755, 1000, "open"), (0o755, 1000, "open/top")):
        open_to_all.mkdir()
        os.chown(open_to_all, owner, owner)
        open_to_all.chmod(mode)
        fresh.top = fresh.folder / top
        status, text, done = fresh.run()
        assert status == 2 and "ORIEL_FRESH_DIR" in text and not done, (mode, owner, top, text)
        shutil.rmtree(open_to_all)
    open_to_all.symlink_to("/var/tmp")
    fresh.top = open_to_all
    assert fresh.run()[0] == 2


def test_the_copy_of_the_tree_keeps_what_was_built_and_renews_what_changed(tmp_path):
    tree, copy = tmp_path / "tree", tmp_path / "machine/root/oriel"
    tree.mkdir()
    copy.parent.mkdir(parents=True)
    for name in ("same", "other", "gone"):
        (tree / name).write_text(name)
    refresh = ["bash", "-c", '. "$0/tests/scenario/machine.sh"; machine_tree "$1" "$2"', ROOT, str(tree), str(tmp_path / "machine")]
    subprocess.run(refresh, check=True)
    (copy / "build").mkdir()
    for path in list(tree.iterdir()) + list(copy.iterdir()):
        os.utime(path, (1000000000, 1000000000))
    (tree / "other").write_text("changed")
    (tree / "gone").unlink()
    os.utime(tree / "other", (900000000, 900000000))    # as from an older tree
    os.utime(tree / "same", (1100000000, 1100000000))
    subprocess.run(refresh, check=True)
    assert (copy / "same").stat().st_mtime == 1000000000 and (copy / "other").stat().st_mtime > 1200000000
    assert (copy / "other").read_text() == "changed" and not (copy / "gone").exists() and (copy / "build").is_dir()


def test_a_build_folder_is_used_again_only_as_long_as_it_fits(tmp_path):
    meson = tmp_path / "bin/meson"
    meson.parent.mkdir()
    meson.write_text('#!/bin/bash\necho setup >>"$LOG"\n[ -d "$2" ] && exit 0\nmkdir "$2"\ntouch "$2/build.ninja"\n')
    meson.chmod(0o755)
    log, build = tmp_path / "log", tmp_path / "build"

    def configured(packages):
        log.write_text("")
        subprocess.run(["bash", "-c", '. "$0/scripts/functions"; eval "$build_configure"; configure "$1" "$2" -Dsome=option', ROOT, str(build), packages],
                       env=dict(os.environ, PATH="%s:%s" % (meson.parent, os.environ["PATH"]), LOG=str(log)), check=True)
        return "setup" in log.read_text() and (build / "build.ninja").exists()
    assert configured("libraries")
    assert not configured("libraries")
    assert configured("newer libraries"), "ninja does not see that a header with an old date is another"
    (build / "build.ninja").unlink()
    assert configured("newer libraries"), "meson was interrupted"
