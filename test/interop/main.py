"""Runs the tests of this directory and writes how they ended to the file that INTEROP_RESULTS names."""

import json
import logging
import os
import sys
import unittest

# taxii2client logs refusals, which some tests ask for.
logging.disable(logging.CRITICAL)


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)


suite = unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__)), pattern="test_*.py")
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)

# A test with several subtests that fail counts once.
failed = len({test.id().split(" ")[0] for test, _ in result.failures + result.errors})
with open(os.environ["INTEROP_RESULTS"], "w", encoding="utf-8") as file:
    json.dump({"passed": result.passed, "failed": failed, "skipped": len(result.skipped)}, file)
sys.exit(1 if failed else 0)
