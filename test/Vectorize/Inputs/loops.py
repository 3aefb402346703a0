"""Counts instructions in the innermost loops of the assembly on stdin.

    loops.py [CPU PRODUCTS]

A loop here is one basic block that jumps to itself. Prints, for each that
multiplies and adds, how many instructions do so, and how many cost what they
should not there: spills of vectors to the stack and reloads, shuffles of lanes. The
loop of the exponential function, known by its shift, is left out.

With a processor that does so many PRODUCTS in a cycle, llvm-mca adds which part
of these the loop reaches once it runs, in percent.
"""

import re
import subprocess
import sys

SHUFFLE = re.compile(r"\tv(perm|shuf|unpck|insert|extract|blend|pshuf|palign)\w*\s")
PRODUCT = re.compile(r"\tv(fn?madd\w*ps|dpbf16ps)\s")


def reached(block, products, cpu, rate):
    # The jump at the end is no part of what is repeated.
    text = "".join(line for line in block if not re.match(r"\tj", line))
    command = ["llvm-mca", "-mtriple=x86_64", f"-mcpu={cpu}", "--iterations=200"]
    report = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    cycles = int(re.search(r"Total Cycles:\s+(\d+)", report)[1])
    return round(100 * 200 * products / float(rate) / cycles)


def describe(block, target):
    count = lambda test: sum(bool(test(line)) for line in block)
    products = count(PRODUCT.match)
    if not products or count(lambda line: re.match(r"\tvpslld\s", line)):
        return None
    spills = count(lambda line: re.search("[xyz]mm.*(Spill|Reload)", line))
    text = f"{products} products, {spills} spills, {count(SHUFFLE.match)} shuffles"
    return text + f", {reached(block, products, *target)}%" if target else text


def main():
    function, label, block = "", "", []
    for line in sys.stdin:
        if match := re.match(r"([\w$.]+):", line):
            if not match[1].startswith("."):
                function = match[1]
            label, block = match[1], []
        elif re.match(r"\t[^.]", line):
            block.append(line)
            if re.match(rf"\tj\w+\s+{re.escape(label)}\s", line):
                if text := describe(block, sys.argv[1:]):
                    print(f"{function}: {text}")
            if re.match(r"\t(j|ret)", line):
                label, block = "", []


if __name__ == "__main__":
    main()
