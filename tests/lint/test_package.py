# SPDX-License-Identifier: GPL-3.0-or-later
"""debian/ says what the rest of the tree says."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ESSENTIAL = {"gcc", "libc6-dev"}                        # a package may not name what every build has
TESTS_ONLY = {"libcmocka-dev", "libjpeg62-turbo-dev"}   # debian/rules builds no tests
DEBHELPER = {"debhelper-compat", "dh-sequence-installsysusers"}


def text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def listed(*sets):
    return set(subprocess.run([ROOT + "/scripts/packages", "list", *sets], check=True, stdout=subprocess.PIPE, text=True).stdout.split())


def field(name):
    return re.search(r"^%s:(.*(?:\n[ \t].*)*)" % name, text("debian/control"), re.M).group(1)


def test_what_the_package_is_built_with_is_the_list_of_scripts_packages():
    said = {re.match(r"\S+", part.strip()).group(0) for part in field("Build-Depends").split(",") if part.strip()}
    assert said - DEBHELPER == listed("build") - ESSENTIAL - TESTS_ONLY


def test_what_runs_beside_it_comes_from_there_too():
    assert "${oriel:Depends}" in field("Depends") and "scripts/packages list run" in text("debian/rules")
    # what the linker sees comes by itself
    assert [n for n in listed("run") if n.startswith("lib")] == ["libfreerdp-server3-3"]


def test_it_has_the_version_of_the_tree():
    version = re.search(r"^project\(.*?version: '([^']+)'", text("meson.build"), re.M).group(1)
    assert re.match(r"oriel \(([^)]+)\)", text("debian/changelog")).group(1) == version


def test_the_library_is_as_new_as_the_build_wants_it():
    wanted = re.search(r"freerdp_needed = '([^']+)'", text("server/meson.build")).group(1)
    assert "freerdp3-dev (>= %s)" % wanted in field("Build-Depends")


def test_purge_removes_the_accounts_that_sysusers_makes():
    made = re.findall(r"^u (\S+)", text("conf/oriel.sysusers"), re.M)
    assert re.search(r"for name in (.*); do remove_account", text("debian/oriel.postrm")).group(1).split() == made


def table(heading):
    """The rows of the first table below a heading of docs/PACKAGING.md, without its head."""
    chapter = text("docs/PACKAGING.md").split("## " + heading + "\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in chapter.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_page_for_distributions_names_the_libraries_and_their_versions():
    said = {}
    for names, version, _ in table("To build"):
        for name in names.split(", "):
            number = re.match(r"[\d.]+", version)
            said[name] = number.group(0) if number and (name in version or "(" not in version) else ""
    wanted = {}
    for folder in ("", "common", "session/agent", "session/leader", "session/logon", "session/monitor", "codecs", "server", "session/display"):
        path = os.path.join(folder, "meson.build")
        if os.path.exists(os.path.join(ROOT, path)):
            for name, version in re.findall(r"dependency\('([\w.-]+)'(?:, version: '>=([^']+)')?", text(path)):
                wanted[name] = max(wanted.get(name, ""), version)
    needed = re.search(r"freerdp_needed = '([^']+)'", text("server/meson.build")).group(1)
    wanted |= {"freerdp3": needed, "winpr3": needed}
    del wanted["threads"]
    assert said == wanted


def test_the_page_for_distributions_names_the_accounts_and_the_files():
    accounts = [re.sub("`", "", row[0]) for row in table("Accounts")]
    assert accounts == re.findall(r"^u (\S+)", text("conf/oriel.sysusers"), re.M)
    units = {re.sub(r"\.in$", "", n) for n in os.listdir(ROOT + "/conf") if re.search(r"\.(target|service\.in)$", n)}
    assert set(re.findall(r"`([\w-]+\.(?:target|service))`", " ".join(sum(table("Places"), [])))) == units
