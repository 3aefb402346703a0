"""Prints "N passed, N failed" of a report of lit and fails if a test did.

A test that was skipped has failed: the build has all that tests need.
"""

import json
import sys

GOOD = {"PASS", "XFAIL", "FLAKYPASS"}


def main():
    try:
        with open(sys.argv[1]) as report:
            tests = [(test["code"], test["name"]) for test in json.load(report)["tests"]]
    except OSError:
        sys.exit("error: lit has left no report")
    for code, name in tests:
        if code == "UNSUPPORTED":
            print(f"skipped: {name}")
    passed = sum(code in GOOD for code, _ in tests)
    failed = len(tests) - passed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
