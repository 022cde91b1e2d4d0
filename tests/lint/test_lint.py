# SPDX-License-Identifier: GPL-3.0-or-later
"""House rules that a program can check. Runs without the private world."""
import collections
import json
import os
import re
import statistics
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tracked():
    r = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if r.returncode == 0:
        names = r.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
    return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n)) and not re.match(r"build|\.git/", n))


FILES = tracked()
C = [n for n in FILES if n.endswith((".c", ".h"))]
HEADERS = [n for n in C if n.endswith(".h")]
CODE = [n for n in FILES if n.endswith((".c", ".h", ".def", ".py", ".sh", ".ts")) or os.path.basename(n) in ("meson.build", "meson_options.txt")
        or n.startswith("scripts/") or n == ".ci/run"]


def text(name):
    with open(os.path.join(ROOT, name), errors="replace") as f:
        return f.read()


def bare(source):
    """C without comments and string contents; line numbers stay."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0)) if m.group(0)[0] == "/" else '""'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, source, flags=re.S)


def hits(pattern, names, strip=True):
    found = []
    for n in names:
        source = bare(text(n)) if strip else text(n)
        for i, line in enumerate(source.split("\n"), 1):
            if re.search(pattern, line):
                found.append("%s:%d: %s" % (n, i, line.strip()[:100]))
    return found


@pytest.mark.parametrize("call", ["strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "gets", "alloca", "system", "atoi", "atol", "strtok",
                                  "tmpnam", "mktemp"])
def test_a_banned_call_is_nowhere(call):
    assert not hits(r"(?<![A-Za-z0-9_>.])%s\s*\(" % call, C)


def test_signals_go_to_one_process():
    """kill(0) is one's own group, kill(-1) everybody: process_signal refuses both."""
    assert not hits(r"(?<![A-Za-z0-9_>.])kill(pg)?\s*\(", [n for n in C if not n.startswith(("tests/", "bench/")) and n != "common/process.c"])


def test_one_file_asks_what_time_it_is():
    """common/clock.h says in which units and since when. time() is left for dates; codecs/ is told the time, and so cannot call even that."""
    product = [n for n in C if not n.startswith(("tests/", "bench/")) and n != "common/clock.c"]
    calls = r"clock_gettime|gettimeofday|timespec_get|ftime|times|clock|timerfd_create|g_get_monotonic_time|event_base_gettimeofday_cached"
    assert not hits(r"(?<![A-Za-z0-9_>.])(%s)\s*\(" % calls, product)
    assert not hits(r"(?<![A-Za-z0-9_>.])(time\s*\(|clock_(u|m|boottime_m|wall_m)?s\s*\(|loop_arm)", [n for n in product if n.startswith("codecs/")])


def test_timers_that_fire_once_are_armed_by_one_function():
    """loop_arm_*: nobody else turns microseconds into a struct timeval."""
    assert not hits(r"\bevtimer_add\s*\(", [n for n in C if not n.startswith(("tests/", "bench/")) and n != "common/loop.c"])


def test_sizes_are_not_multiplied_in_malloc():
    assert not hits(r"(?<![A-Za-z0-9_])(malloc|realloc)\s*\([^;]*[A-Za-z0-9_)\]]\s\*\s[A-Za-z0-9_(]", [n for n in C if not n.startswith(("tests/", "bench/"))])


def test_every_source_file_has_its_licence_line():
    assert not [n for n in CODE if "SPDX-License-Identifier: GPL-3.0-or-later" not in "\n".join(text(n).split("\n")[:5])]


def test_lines_of_c_are_at_most_120_columns_and_have_no_tabs():
    assert not hits(r"^.{121,}", C, strip=False)
    assert not hits(r"\t", C, strip=False)


@pytest.mark.parametrize("top", sorted({n.split("/")[0] for n in C}))
def test_c_looks_as_clang_format_makes_it(top):
    """Columns, order of includes, everything that .clang-format says; versions 14 and 19 agree on this tree."""
    names = [n for n in C if n.startswith(top + "/")]
    r = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *names], cwd=ROOT, capture_output=True, text=True)
    assert r.returncode == 0, "clang-format -i would change:\n" + r.stderr[:3000]


def test_nothing_is_left_to_do():
    words = "TO" + "DO|FIX" + "ME|\\bX" + "XX\\b"
    assert not hits(words, [n for n in CODE if not n.startswith("tests/lint/")], strip=False)


def test_no_path_or_host_of_a_workplace_stands_in_the_tree():
    bad = "/wo" + r"rk/(h|main|shared)|/tmp/b-|/root/\.pyenv|\.\./shared/"
    host = r"https?://[^\s\"'<>)]*(deb" + r"\.debian|security\.debian|registry\.npm|pypi\.)"
    names = [n for n in FILES if n != "tests/lint/test_lint.py"]
    assert not hits("%s|%s" % (bad, host), [n for n in names if not n.endswith((".png", ".bin")) and "/corpus" not in n], strip=False)


def test_folders_keep_their_promises():
    """server/ draws nothing, session/ knows no RDP type, codecs/ has neither sockets nor globals of the others."""
    include = r'^\s*#\s*include\s*[<"]'
    assert not hits(include + r"(X11/|xcb/|security/pam)", [n for n in C if n.startswith("server/")], strip=False)
    assert not hits(include + r"(freerdp|winpr)/", [n for n in C if n.startswith(("session/", "codecs/", "common/"))], strip=False)
    # a name service that hangs must hold up one attempt, not the monitor's loop: main.c asks when it starts
    assert not hits(r"\b(get(pw|gr)(nam|uid|gid|ent)\w*|getgrouplist|initgroups)\s*\(",
                    [n for n in C if n.startswith("session/monitor/") and not n.endswith("/main.c")])
    assert not hits(include + r"(sys/socket|event2/|X11/|xcb/|session/|server/)", [n for n in C if n.startswith("codecs/")], strip=False)


# Who may include whom: a room's own headers are its own, and these besides.
ENGINE_CONTRACT = "codecs/engine/engine.h"
ROOMS = {
    "server/listen": (),
    "server/peer": (ENGINE_CONTRACT, "codecs/video/h264.h", "codecs/encoder/proto.h"),
    "server/rdp": ("server/peer/", "codecs/wire/", ENGINE_CONTRACT),
    "codecs/change": (ENGINE_CONTRACT,),
    "codecs/exact": ("codecs/change/",),
    "codecs/picture": ("codecs/change/",),
    "codecs/video": (),
    "codecs/wire": (ENGINE_CONTRACT,),
    "codecs/engine": ("codecs/change/", "codecs/exact/", "codecs/picture/", "codecs/video/"),
    "codecs/encoder": ("codecs/video/yuv.h",),
}
IN_EVERY_ROOM_OF_CODECS = ("codecs/pixel.h", "codecs/simd.h", "codecs/color_avx2.h")


def room_of(name):
    return next((room for room in ROOMS if name.startswith(room + "/")), None)


def test_server_and_codecs_have_no_file_without_a_room():
    assert not [n for n in C if n.startswith(("server/", "codecs/")) and not room_of(n) and n not in IN_EVERY_ROOM_OF_CODECS]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_includes_only_what_it_may(room):
    allowed = (room + "/", *ROOMS[room], *(IN_EVERY_ROOM_OF_CODECS if room.startswith("codecs/") else ()))
    includes = [(n, i) for n in C if room_of(n) == room for i in re.findall(r'^#include "((?:server|codecs)/[^"]+)"', text(n), flags=re.M)]
    assert includes
    assert not [(n, i) for n, i in includes if not i.startswith(allowed)]


def test_the_library_is_known_in_one_room():
    """server/rdp; besides, the daemon says its version, and the tests compare with its decoders."""
    names = [n for n in C if n.startswith(("server/listen/", "server/peer/")) and n != "server/listen/monitor_link.c"]
    assert not hits(r"^\s*#\s*include\s*[<\"](freerdp|winpr)/", names, strip=False)


def test_one_file_asks_for_the_version_of_the_library():
    assert not hits(r"(FREERDP|WINPR)_VERSION", [n for n in C if n != "server/rdp/freerdp_compat.c"])


def pkg_flags():
    wanted = "freerdp3 winpr3 libevent openssl xcb xkbcommon cairo pangocairo sqlite3 inih libseccomp x264 libavcodec freerdp-server3 freerdp-client3"
    flags = []
    for p in wanted.split():
        r = subprocess.run(["pkg-config", "--cflags", p], capture_output=True, text=True)
        if r.returncode == 0:
            flags += r.stdout.split()
    return sorted(set(flags))


FLAGS = pkg_flags()


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_compiles_alone(header, tmp_path):
    source = tmp_path / "alone.c"
    source.write_text('#include "%s"\n' % header)
    r = subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DORIEL_VERSION="0"', "-fsyntax-only", "-Wall", "-I" + ROOT, *FLAGS, str(source)],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[:1500]


PRODUCT = [n for n in C if not n.startswith(("tests/", "bench/"))]


def tags(names, kinds):
    """What ctags finds; headers are C, which it does not take for granted."""
    r = subprocess.run(["ctags", "--fields=+neS", "--extras=+F", "--output-format=json", "--kinds-C=" + kinds, "--languages=C", "--langmap=C:.c.h",
                        "-f", "-", *names], cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in r.stdout.splitlines()]


def defined_twice(found):
    """Names that stand in more than one file, but for main and what has no name."""
    places = collections.defaultdict(set)
    for tag in found:
        if tag["name"] != "main" and not tag["name"].startswith("__anon"):
            places[tag["name"]].add(tag["path"])
    return {name: sorted(paths) for name, paths in places.items() if len(paths) > 1}


def test_a_struct_has_its_name_for_itself():
    """Also those that one file alone sees: who looks for a name finds one thing."""
    found = tags(PRODUCT, "sug")
    assert len(found) > 300
    assert not defined_twice(found)


def test_a_function_that_others_call_has_its_name_for_itself():
    """Static functions of a .c file may share a name; those of a header may not."""
    found = [t for t in tags(PRODUCT, "f") if not t.get("file")]
    assert len(found) > 600
    assert not defined_twice(found)


def test_a_name_in_two_files_is_found(tmp_path):
    for name, source in ({"a.h": "struct client { int x; };\nstatic inline int twice(void) { return 1; }\n",
                          "b.c": "struct client { int y; };\nint twice(void) { return 2; }\nstatic int own(void) { return 3; }\n",
                          "c.c": "static int own(void) { return 4; }\nint main(void) { return 0; }\n"}).items():
        (tmp_path / name).write_text(source)
    names = [str(tmp_path / n) for n in ("a.h", "b.c", "c.c")]
    assert set(defined_twice(tags(names, "sug"))) == {"client"}
    assert set(defined_twice([t for t in tags(names, "f") if not t.get("file")])) == {"twice"}


def test_a_parameter_that_is_not_used_needs_no_word():
    """-Wno-unused-parameter is on. (A result that is dropped says so: `(void)write(…)`.)"""
    names = [n for n in C if n.endswith(".c")]
    lines = {n: text(n).split("\n") for n in names}
    idle = ["%s:%d" % (tag["path"], i) for tag in tags(names, "f") if "end" in tag for i in range(tag["line"], tag["end"] + 1)
            for word in re.findall(r"^\s*\(void\)(\w+)[,;]", lines[tag["path"]][i - 1]) if re.search(r"\b%s\b" % word, tag.get("signature", ""))]
    assert not idle


def slots_of(header):
    """Of each table of functions in a header: its slots, and whether each may be absent, as its comment says."""
    for table, body in re.findall(r"^struct (\w+_(?:ops|events|def)) \{(.*?)^\};", header, flags=re.S | re.M):
        slots, comment = {}, ""
        for line in re.sub(r"/\*.*?\*/", lambda m: m.group(0).replace("\n", " "), body, flags=re.S).split("\n"):
            slot = re.search(r"\(\*(\w+)\)\(", line)
            said = re.search(r"/\*.*\*/", line)
            comment = said.group(0) if said else comment
            if slot:
                slots[slot.group(1)] = bool(re.search(r"Absent:|NULL:", comment)) and "andatory" not in comment
        yield table, slots


def test_a_mandatory_slot_is_looked_for():
    """Who takes a table of functions looks whether it is whole (common/slots.h). Those in codecs/ are kernels, each called by its tests."""
    wanted, found = set(), set()
    for n in [n for n in PRODUCT if not n.startswith("codecs/")]:
        if n.endswith(".h"):
            wanted |= {(table, slot) for table, slots in slots_of(text(n)) for slot, absent in slots.items() if not absent}
        else:
            found |= set(re.findall(r"\bSLOT\((\w+_(?:ops|events|def)), (\w+)\)", text(n)))
    assert len({table for table, _ in wanted}) >= 8
    assert not wanted - found, "mandatory, but nobody looks"
    assert not {(table, slot) for table, slot in found - wanted if slot != "name"}, "looked for, but it may be absent"


def functions(names):
    for tag in tags(names, "f"):
        if "end" in tag:
            yield tag["end"] - tag["line"] + 1, "%s:%d %s" % (tag["path"], tag["line"], tag["name"])


def test_functions_are_short():
    product = [n for n in PRODUCT if n.endswith(".c")]
    lengths = sorted(functions(product))
    numbers = [n for n, _ in lengths]
    longest = [f for f in functions([n for n in C if n.endswith(".c")]) if f[0] > 200]
    p90 = numbers[int(len(numbers) * 0.9)]
    assert statistics.median(numbers) <= 15 and p90 <= 50, "median %s, p90 %s; longest: %s" % (statistics.median(numbers), p90, lengths[-10:])
    assert not longest, longest
