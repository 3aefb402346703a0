"""Prints attention of bf16 for some head widths, one function for each of some masks
and encodings: what kernels need registers for.

    programs.py QUERIES WIDTH...

QUERIES is a number, or ? for any.
"""

import sys

FUNCTIONS = {
    "full": [],
    "causal": ["causal"],
    "computed": ["rope", "alibi", "window {left = 70 : i64, right = 5 : i64}"],
    "looked_up": ["t5_bucket", "padding"],
}


def function(name, steps, queries, width):
    q, k, s = f"tensor<1x{queries}x4x{width}xbf16>", f"tensor<1x?x2x{width}xbf16>", f"tensor<1x4x{queries}x?xf32>"
    layout = "layout = #posenc.layout<bshd>"
    extra = {"t5_bucket": (" table(%t)", ", tensor<32x4xf32>"),
             "padding": (" valid(%valid)", ", tensor<?x?xi1>")}
    lines, operands, scores = [], ["%q", "%k"], "%s"
    if "rope" in steps:
        for n, kind in enumerate((q, k)):
            lines.append(f"%r{n} = posenc.rope {operands[n]} {{pairing = #posenc.pairing<half>, "
                         f"{layout}}} : ({kind}) -> {kind}")
        operands = ["%r0", "%r1"]
    lines.append(f"%s = posenc.scores {', '.join(operands)} {{{layout}}} : ({q}, {k}) -> {s}")
    for step in steps:
        if step == "rope":
            continue
        words, types = extra.get(step, ("", ""))
        op, _, attributes = step.partition(" ")
        lines.append(f"{scores}x = posenc.{op} {scores}{words} {attributes} : ({s}{types}) -> {s}")
        scores += "x"
    lines.append(f"%o = posenc.attend {scores}, %v {{{layout}}} : ({s}, {k}) -> {q}")
    lines.append(f"return %o : {q}")
    return (f"func.func @{name}_{width}(%q: {q}, %k: {k}, %v: {k}, %t: tensor<32x4xf32>, "
            f"%valid: tensor<?x?xi1>) -> {q} {{\n  " + "\n  ".join(lines) + "\n}")


for width in sys.argv[2:]:
    for name, steps in FUNCTIONS.items():
        print(function(name, steps, sys.argv[1], width))
