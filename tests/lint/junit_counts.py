# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints "passed failed skipped" of JUnit files, summed. What is expected to fail counts as skipped, a missing file as a failure.
With --failed first: the pytest ids of what failed, one a line, instead."""
import os
import sys
import xml.etree.ElementTree as ET

if sys.argv[1:2] == ["--failed"]:
    for path in sys.argv[2:]:
        for case in ET.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                module = case.get("classname").replace(".", "/") + ".py"
                if not os.path.exists(module):  # pytest names it from its own root, which is the folder of the tests
                    module = os.path.join("tests/scenario", os.path.basename(module))
                print("%s::%s" % (module, case.get("name")))
    sys.exit(0)

total = failed = skipped = 0
for path in sys.argv[1:]:
    try:
        suites = list(ET.parse(path).getroot().iter("testsuite"))
    except (OSError, ET.ParseError) as e:
        print("%s: %s" % (path, e), file=sys.stderr)
        total, failed = total + 1, failed + 1
        continue
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
print(total - failed - skipped, failed, skipped)
