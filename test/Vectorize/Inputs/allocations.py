"""Prints the allocations of the IR on stdin, and of what degree in the dynamic
lengths the size of each is: a constant has 0, a length 1, a product of two 2.
"""

import re
import sys

DEFINITION = re.compile(r"(%\w+) = ([\w.]+)(.*)")


def find_degree(value, definitions):
    """What is not known to be constant counts as a length; sums, quotients,
    minima and casts count as the largest of their operands."""
    name, text = definitions.get(value, ("", ""))
    if name == "arith.constant":
        return 0
    operands = re.findall(r"%\w+", text)
    if not name.startswith(("arith.", "affine.apply", "affine.min", "affine.max")) or not operands:
        return 1
    degrees = [find_degree(operand, definitions) for operand in operands]
    return sum(degrees) if name in ("arith.muli", "affine.apply") else max(degrees)


def main():
    for function in re.split(r"\n(?=  func\.func)", sys.stdin.read()):
        definitions = {}
        for line in function.splitlines():
            match = DEFINITION.search(line)
            if not match:
                continue
            definitions.setdefault(match[1], match.group(2, 3))
            if match[2] in ("memref.alloc", "memref.alloca"):
                sizes = re.findall(r"%\w+", match[3].split(")")[0])
                degree = sum(find_degree(size, definitions) for size in sizes)
                print(f"{match[2]} of degree {degree}: {match[3].rsplit(' : ')[-1]}")


if __name__ == "__main__":
    main()
