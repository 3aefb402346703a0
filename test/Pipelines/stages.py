"""Stops a pipeline after each of its stages and takes it up again.

    stages.py PIPELINE FILE

The stages are those that the message about an unknown one lists.
"""

import re
import subprocess
import sys


def opt(flag, text):
    process = subprocess.run(["pe-opt", flag], input=text, capture_output=True, text=True)
    return process.stdout if process.returncode == 0 else sys.exit(f"{flag}: {process.stderr}")


def list_stages(pipeline):
    process = subprocess.run(["pe-opt", f"--{pipeline}=to=none"], input="", capture_output=True,
                             text=True)
    listed = re.search("unknown stage 'none', expected one of: (.*)", process.stderr)
    if process.returncode == 0 or not listed:
        sys.exit(f"no stages listed: {process.stderr}")
    return listed[1].split(", ")


def main():
    pipeline, path = sys.argv[1:]
    with open(path) as file:
        source = file.read()
    stages = list_stages(pipeline)
    whole = opt(f"--{pipeline}", source)
    step = source
    for stage, following in zip(stages, stages[1:]):
        stopped = opt(f"--{pipeline}=to={stage}", source)
        if opt(f"--{pipeline}=from={following}", stopped) != whole:
            sys.exit(f"to={stage}, then from={following}, is not the whole")
        step = opt(f"--{pipeline}=from={stage} to={stage}", step)
        if step != stopped:
            sys.exit(f"stage {stage} alone is not what to={stage} ends with")
    print(" ".join(stages))


if __name__ == "__main__":
    main()
