# SPDX-License-Identifier: GPL-3.0-or-later
"""What the build says where it cannot go on."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def set_up(folder, **versions):
    """meson setup on a machine whose pkg-config knows these packages in these versions. Returns its words, all in one line."""
    for name, version in versions.items():
        (folder / (name + ".pc")).write_text("Name: %s\nDescription: %s\nVersion: %s\n" % (name, name, version))
    r = subprocess.run(["meson", "setup", "-Dtests=false", str(folder / "build")], cwd=ROOT, env=dict(os.environ, PKG_CONFIG_PATH=str(folder)),
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
    assert r.returncode != 0, r.stdout
    return " ".join(r.stdout.split())


def test_an_old_library_is_named_with_its_version_and_where_a_newer_one_is(tmp_path):
    text = set_up(tmp_path, freerdp3="3.5.1", winpr3="3.5.1")
    assert "libfreerdp is 3.5.1 here, and Oriel needs 3.10.3 or newer" in text
    assert "Debian 13" in text and "bookworm-backports" in text
