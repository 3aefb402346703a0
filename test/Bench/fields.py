"""Fails unless each line of a file is a result of pe-bench --json.

    fields.py FILE NAME... [--flops=N] [--over=NAME]

The results must have these names, in order; figures must agree with each other,
with the flops of a run, and with the times over that of the case `--over`.
"""

import argparse
import json
import math
import sys


def check(result, arguments, base):
    for field in ["ms", "p10", "p90", "peak", "fraction"]:
        assert result[field] > 0, field
    assert result["p10"] <= result["ms"] <= result["p90"], "quantiles"
    assert result["runs"] > 0 and result["threads"] > 0, "counts"
    assert 0 <= result["error"] < 0.02, "error"
    rate = {"fma": "gflops", "read": "gbps"}[result["bound"]]
    assert math.isclose(result[rate] / result["peak"], result["fraction"], rel_tol=1e-4), rate
    work = result["flops"] if rate == "gflops" else result["bytes"]
    assert math.isclose(result[rate] * result["ms"] * 1e6, work, rel_tol=1e-4), "work"
    if arguments.flops:
        assert result["flops"] == arguments.flops, "flops"
    if base and result is not base and result["name"].startswith("attention"):
        assert math.isclose(result["ms"] / base["ms"], result["over_base"], rel_tol=1e-4), "over_base"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--flops", type=float)
    parser.add_argument("--over")
    arguments = parser.parse_args()
    with open(arguments.file) as file:
        results = [json.loads(line) for line in file]
    names = [result["name"] for result in results]
    if names != arguments.names:
        sys.exit(f"expected {arguments.names} but got {names}")
    base = next((result for result in results if result["name"] == arguments.over), None)
    for result in results:
        try:
            check(result, arguments, base)
        except (AssertionError, KeyError) as error:
            sys.exit(f"{error} is wrong in {result}")


if __name__ == "__main__":
    main()
