"""Runs the suites of pe-bench and writes docs/benchmarks.md with its charts.

    bench.py [SUITE...]    run these, or all for CPUs; results stay in build/bench
    bench.py --write       only write what the last runs of each suite gave

Suites without results here, as those for CPUs on a machine with a GPU, stay as they are.
"""

import json
import os
import subprocess
import sys

from report import write
from suites import SUITES

FOLDER = "build/bench"


def run(suite):
    """Writes the results of a suite, and the commit that they were measured at; returns
    what went wrong."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True)
    measured = {"commit": git.stdout.strip(), "notes": [], "results": []}
    for arguments in SUITES[suite][1]:
        print("pe-bench", *arguments, flush=True)
        process = subprocess.run(["build/bin/pe-bench", *arguments, "--json"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        measured["results"] += map(json.loads, process.stdout.splitlines())
        measured["notes"] += process.stderr.splitlines()
        # After each case, so that an interrupted suite keeps what it has.
        with open(f"{FOLDER}/{suite}.json", "w") as file:
            json.dump(measured, file, indent=1)
    return [note for note in measured["notes"] if note.startswith("error")]


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    os.makedirs(FOLDER, exist_ok=True)
    arguments, wrong = sys.argv[1:], []
    if unknown := [name for name in arguments if name not in SUITES and name != "--write"]:
        sys.exit(f"error: expected one of {', '.join(SUITES)} but got {unknown[0]}")
    if arguments != ["--write"]:
        if os.path.exists("build/models/minilm"):
            subprocess.run(["build/bin/pe-translate", "--import-huggingface", "build/models/minilm",
                            "-o", f"{FOLDER}/minilm.mlir"], check=True)
        for suite in arguments or [name for name in SUITES if not name.startswith("gpu")]:
            wrong += run(suite)
    measured = {}
    for suite in SUITES:
        path = f"{FOLDER}/{suite}.json"
        if os.path.exists(path):
            with open(path) as file:
                measured[suite] = json.load(file)
    write(SUITES, measured, "docs/benchmarks.md", "docs/benchmarks")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
