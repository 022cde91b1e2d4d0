# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints "passed failed skipped" of JUnit files, summed. What is expected to fail counts as skipped, a missing file as a failure."""
import sys
import xml.etree.ElementTree as ET

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
