"""Counts instructions in the innermost loops of the assembly on stdin.

A loop here is one basic block that jumps to itself. Prints, for each that
multiplies and adds, how many instructions do so, and how many cost what they
should not there: spills to and reloads from the stack, shuffles of lanes. The
loop of the exponential function, known by its shift, is left out.
"""

import re
import sys

SHUFFLE = re.compile(r"\tv(perm|shuf|unpck|insert|extract|blend|pshuf|palign)\w*\s")


def describe(block):
    count = lambda test: sum(bool(test(line)) for line in block)
    products = count(lambda line: re.match(r"\tvf(n?)madd\w*ps\s", line))
    if products and not count(lambda line: re.match(r"\tvpslld\s", line)):
        spills = count(lambda line: "Spill" in line or "Reload" in line)
        return f"{products} products, {spills} spills, {count(SHUFFLE.match)} shuffles"
    return None


def main():
    function, label, block = "", "", []
    for line in sys.stdin:
        if match := re.match(r"([\w$.]+):", line):
            if not match[1].startswith("."):
                function = match[1]
            label, block = match[1], []
        elif re.match(r"\t[^.]", line):
            block.append(line)
            if re.match(rf"\tj\w+\s+{re.escape(label)}\s", line) and describe(block):
                print(f"{function}: {describe(block)}")
            if re.match(r"\t(j|ret)", line):
                label, block = "", []


if __name__ == "__main__":
    main()
