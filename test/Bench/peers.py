"""Fails unless a file of pe-bench --json holds our result, then that of numpy.

    peers.py FILE NAME
"""

import json
import math
import sys


def main():
    with open(sys.argv[1]) as file:
        ours, theirs = map(json.loads, file)
    assert ours["name"] == theirs["name"] == sys.argv[2], ours["name"]
    assert (ours["library"], theirs["library"]) == ("posenc", "numpy")
    assert "over_posenc" not in ours
    assert math.isclose(theirs["over_posenc"], theirs["ms"] / ours["ms"], rel_tol=1e-4)
    assert theirs["peak"] == ours["peak"] and 0 < theirs["error"] < 2e-5, theirs["error"]


if __name__ == "__main__":
    main()
