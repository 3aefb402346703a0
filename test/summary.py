"""Prints "N passed, N failed" of a report of lit and fails if a test did."""

import json
import sys

GOOD = {"PASS", "XFAIL", "FLAKYPASS"}
IGNORED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def main():
    try:
        with open(sys.argv[1]) as report:
            codes = [test["code"] for test in json.load(report)["tests"]]
    except OSError:
        sys.exit("error: lit has left no report")
    passed = sum(code in GOOD for code in codes)
    failed = sum(code not in GOOD | IGNORED for code in codes)
    ignored = len(codes) - passed - failed
    if ignored:
        print(f"{ignored} unsupported (what they need is missing)")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
