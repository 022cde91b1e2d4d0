#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of the table is read by some program: an option that nothing reads would be a promise nobody keeps."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = ["common", "server", "session", "codecs", "remoteapp", "gateway"]
TABLE = {ROOT / "common/config.c", ROOT / "common/config.h"}

options = re.findall(r"^OPTION\((\w+), (\w+),", (ROOT / "common/options.def").read_text(encoding="utf-8"), re.M)
code = "\n".join(p.read_text(encoding="utf-8") for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.[ch]")) if p not in TABLE)
used = set(re.findall(r"(?:->|\.|offsetof\(struct config, )(\w+)", code))
unused = [f"{section}.{name}" for section, name in options if f"{section}_{name}" not in used]
for name in unused:
    print("no program reads", name)
print(len(options), "options,", len(unused), "unused")
sys.exit(1 if unused or not options else 0)
