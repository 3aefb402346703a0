"""Counts what a warp executes in the loop of each kernel with matrix instructions.

    loop.py FILE CHIP

Prints, for each kernel, the straight pieces of the code of its longest loop that are
longer than 30 instructions, and how often they use some kinds.
"""

import collections
import re
import subprocess
import sys

KINDS = {"mma.sync": "products", "ldmatrix": "fragments", "cp.async.cg": "copies", "ex2": "powers",
         "max": "maxima", "fma": "fmas", "add.rn.f32": "sums", "add.f32": "sums", "mul": "factors",
         "cvt.rn.bf16x2": "halves", "selp": "choices", "setp": "comparisons", "shfl": "shuffles"}


def pieces(body):
    """Labels with the instructions that follow; a branch ends a piece."""
    label, found = "", [("", [])]
    for line in re.sub(r"\n\t\t", " ", body).splitlines():
        if named := re.match(r"(\$\w+):", line):
            label = named.group(1)
            found.append((label, []))
        elif instruction := re.match(r"\s+(?:@!?%p\d+\s+)?([a-z][\w.]*)(.*);", line):
            found[-1][1].append(instruction.groups())
            if instruction.group(1).startswith("bra"):
                found.append((label, []))
    return found


def longest_loop(found):
    first = {}
    for n, (label, _) in enumerate(found):
        first.setdefault(label, n)
    loops = [(n - first[to], first[to], n) for n, (_, code) in enumerate(found) for kind, rest in code
             for to in re.findall(r"\$\w+", rest) if kind.startswith("bra") and first[to] <= n]
    _, begin, end = max(loops, key=lambda loop: sum(len(found[n][1]) for n in range(loop[1], loop[2] + 1)))
    return found[begin:end + 1]


def main():
    path, chip = sys.argv[1:]
    ptx = subprocess.run(["pe-translate", "--posenc-to-ptx", f"--chip={chip}", path], check=True,
                         capture_output=True, text=True).stdout
    for name, body in re.findall(r"\.visible \.entry (\w+)\((.*?)^}", ptx, re.S | re.M):
        if "mma.sync" not in body:
            continue
        print(f"{name}:")
        for _, code in longest_loop(pieces(body)):
            found = collections.Counter()
            for instruction, _ in code:
                found.update(word for kind, word in KINDS.items() if instruction.startswith(kind))
            if len(code) > 30:
                print(f"  {len(code)} instructions:", ", ".join(f"{n} {k}" for k, n in found.items()))


if __name__ == "__main__":
    main()
