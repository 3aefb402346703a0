"""Fails unless each line of a file is a result of pe-bench --json.

    fields.py FILE NAME...

The results must have these names, in order; figures must agree with each other.
"""

import json
import math
import sys


def check(result):
    for field in ["ms", "p10", "p90", "peak", "fraction"]:
        assert result[field] > 0, field
    assert result["p10"] <= result["ms"] <= result["p90"], "quantiles"
    assert result["runs"] > 0 and result["threads"] > 0, "counts"
    assert 0 <= result["error"] < 0.02, "error"
    rate = {"fma": "gflops", "read": "gbps"}[result["bound"]]
    assert math.isclose(result[rate] / result["peak"], result["fraction"], rel_tol=1e-4), rate


def main():
    path, *names = sys.argv[1:]
    with open(path) as file:
        results = [json.loads(line) for line in file]
    if [result["name"] for result in results] != names:
        sys.exit(f"expected {names} but got {[result['name'] for result in results]}")
    for result in results:
        try:
            check(result)
        except (AssertionError, KeyError) as error:
            sys.exit(f"{error} is wrong in {result}")


if __name__ == "__main__":
    main()
