"""Attention of few queries after a cache, with every encoding, against its oracle.

    decode.py PIPELINE [STEP]

Runs every STEP-th. Each case of cases.py that acts on heads, scores or masks is run once per layout.
Shapes, element types and the kind of coordinates take turns, so that every value
of each meets several of the others:

    index      the length of the cache is an `index`
    ragged     caches of several lengths, one per sample
    explicit   coordinates in tensors, in any order

Without a mask of its own, an encoding comes with a causal one.
"""

import itertools
import os
import sys
import tempfile

import numpy as np

import cases
import check
import oracle

TOLERANCE = {"f32": 2e-6, "bf16": 5e-3, "f16": 1e-3}
# Heads, key heads, queries, width, width of values, keys.
SHAPES = [(4, 4, 1, 64, 64, 77), (6, 2, 1, 10, 5, 18), (9, 3, 2, 8, 8, 40), (8, 2, 3, 80, 80, 131), (8, 1, 2, 128, 128, 64),
          (3, 1, 16, 32, 24, 50), (4, 1, 5, 256, 256, 33), (2, 2, 2, 16, 16, 1), (6, 6, 16, 80, 8, 19),
          (16, 2, 5, 64, 64, 47), (5, 5, 3, 24, 40, 16), (4, 2, 1, 128, 128, 515), (4, 1, 2, 32, 32, 1030),
          (6, 2, 3, 10, 5, 37), (7, 1, 1, 24, 40, 45), (24, 4, 2, 36, 100, 263), (3, 1, 3, 128, 48, 34)]
KINDS = ["index", "ragged", "explicit"]


def build(name, case, layout, kind, elem, shape):
    """A function of q, k, v, further operands, and what gives coordinates."""
    heads, key_heads, queries, width, value_width, _ = shape

    def rows(h, n, d):
        dims = (h, n) if layout == "bhsd" else (n, h)
        return f"tensor<?x{dims[0]}x{dims[1]}x{d}x{elem}>"

    q, k, v = rows(heads, queries, width), rows(key_heads, "?", width), rows(key_heads, "?", value_width)
    scores, lse = f"tensor<?x{heads}x{queries}x?xf32>", f"tensor<?x{heads}x{queries}xf32>"
    out = rows(heads, queries, value_width)
    types = [t.replace("ELEM", elem).replace("x6x", f"x{heads}x") for t in case.types]
    arguments = [("%q", q), ("%k", k), ("%v", v)] + [(f"%x{n}", t) for n, t in enumerate(types)]
    row_dim = 2 if layout == "bhsd" else 1
    body = ["%z = arith.constant 0 : index", f"%d = arith.constant {row_dim} : index",
            f"%m = arith.constant {queries} : index", f"%n = tensor.dim %k, %d : {k}",
            "%p1 = posenc.positions %n from %z : index -> tensor<?xi64>"]
    at = ["%p0", "%p1"]
    if kind == "index":
        arguments.append(("%past64", "i64"))
        body += ["%past = arith.index_cast %past64 : i64 to index",
                 "%p0 = posenc.positions %m from %past : index -> tensor<?xi64>"]
        at_types = ["tensor<?xi64>"] * 2
    elif kind == "ragged":
        arguments.append(("%past", "tensor<?xi64>"))
        body += ["%p0 = posenc.positions %m from %past : tensor<?xi64> -> tensor<?x?xi64>"]
        at_types = ["tensor<?x?xi64>", "tensor<?xi64>"]
    else:
        arguments += [("%pq", "tensor<?x?xi64>"), ("%pk", "tensor<?x?xi64>")]
        at, at_types = ["%pq", "%pk"], ["tensor<?x?xi64>"] * 2
    attribute = f"layout = #posenc.layout<{layout}>"
    attributes = ", ".join(filter(None, [case.attributes, attribute if case.site == "row" else ""]))
    operands = ["%q", "%k"]
    if case.site == "row":
        for n, t in enumerate([q, k]):
            body.append(f"%r{n} = posenc.{case.op} {operands[n]} at({at[n]}) {{{attributes}}} : "
                        f"({t}, {at_types[n]}) -> {t}")
            operands[n] = f"%r{n}"
    body.append(f"%s = posenc.scores {', '.join(operands)} {{{attribute}}} : ({q}, {k}) -> {scores}")
    s, where = "%s", f" at({', '.join(at)})"
    if case.site != "row":
        of = where if case.positions else ""
        given = [scores] + (at_types if case.positions else []) + types
        body.append(f"%e = posenc.{case.op} %s{of} {case.operands} {{{case.attributes}}} : "
                    f"({', '.join(given)}) -> {scores}")
        s = "%e"
    if case.site != "mask":
        body.append(f"%c = posenc.causal {s}{where} : ({', '.join([scores] + at_types)}) -> {scores}")
        s = "%c"
    body += [f"%o:2 = posenc.attend {s}, %v {{{attribute}}} : ({scores}, {v}) -> ({out}, {lse})",
             f"return %o#0, %o#1 : {out}, {lse}"]
    signature = ", ".join(f"{n}: {t}" for n, t in arguments)
    return (f"func.func @{name}({signature}) -> ({out}, {lse}) {{\n  " + "\n  ".join(body) + "\n}\n",
            [t for _, t in arguments])


def expected(case, q, k, v, extras, pq, pk):
    if case.site == "row":
        q, k = case.oracle(q, pq), case.oracle(k, pk)
    s = oracle.scores(q, k)
    if case.site == "score":
        s = case.oracle(s, pq, pk, *extras)
    visible = oracle.causal(pq, pk)
    if case.site == "mask":
        visible = case.oracle(*([pq, pk] if case.positions else []), *extras)
    return oracle.attend(np.where(visible, s, -np.inf), v)


def stored(value, kind):
    """The array for a file, and the values that it stands for."""
    if "xbf16>" in kind:
        bits = check.to_bf16(value)
        return bits, check.from_bf16(bits).astype(float)
    if "xf16>" in kind or "xf32>" in kind:
        array = value.astype(np.float16 if "xf16>" in kind else np.float32)
        return array, array.astype(float)
    return np.ascontiguousarray(value), value


def run_case(name, case, layout, kind, elem, shape, kinds, lowered, pipeline, folder, seed):
    heads, key_heads, queries, width, value_width, keys = shape
    rng = np.random.default_rng(seed)
    batch = 3 if kind == "ragged" else 2
    arrays = [rng.standard_normal(s) for s in
              [(batch, heads, queries, width), (batch, key_heads, keys, width),
               (batch, key_heads, keys, value_width)]]
    arrays += case.arrays(rng, batch, keys, heads)
    # Queries at the end, and some that come before every key.
    past = {"index": np.array([keys - queries]), "ragged": np.array([keys - queries, keys // 2, -2])}
    pk = np.broadcast_to(np.arange(keys), (batch, keys))
    if kind == "explicit":
        pq, pk = rng.integers(0, 60, (batch, queries)), rng.integers(0, 60, (batch, keys))
        where = [pq, pk]
    else:
        pq = np.broadcast_to(past[kind][:, None] + np.arange(queries), (batch, queries))
        where = [past[kind]]
    command = ["pe-runner", lowered, f"--entry={name}", *check.FLAGS[pipeline.split("=")[0]], "--threads=8"]
    exact = []
    for n, (value, t) in enumerate(zip(arrays + where, kinds, strict=True)):
        if t == "i64":
            command.append(f"--input={int(value[0])}")
            continue
        array, values = stored(value, t)
        exact.append(values)
        if n < 3 and layout == "bshd":
            array = np.ascontiguousarray(np.swapaxes(array, 1, 2))
        np.save(f"{folder}/{n}.npy", array)
        command.append(f"--input=@{folder}/{n}.npy")
    want = expected(case, *exact[:3], exact[3:len(arrays)], pq, pk)
    check.run(command + [f"--output=@{folder}/o.npy", f"--output=@{folder}/l.npy"])
    o, lse = np.load(f"{folder}/o.npy"), np.load(f"{folder}/l.npy")
    o = check.from_bf16(o) if o.dtype == np.uint16 else o.astype(float)
    o = np.swapaxes(o, 1, 2) if layout == "bshd" else o
    label = f"{case.op} {{{case.attributes}}} {layout} {kind} {elem} {shape} {pipeline}"
    return max(check.compare(label, o, want[0], TOLERANCE[elem]),
               check.compare(label + " lse", lse, want[1], TOLERANCE[elem if "nvptx" in pipeline else "f32"]))


def main():
    pipeline, step = (sys.argv[1:] + ["1"])[:2]
    turns = zip(itertools.cycle(SHAPES), itertools.cycle(KINDS), itertools.cycle(["f32", "bf16", "f32", "f16"]))
    runs, text = [], ""
    for case in itertools.chain.from_iterable(cases.CASES.values()):
        for layout in ("bhsd", "bshd") if case.site != "token" else ():
            shape, kind, elem = next(turns)
            name = f"f{len(runs)}"
            source, kinds = build(name, case, layout, kind, elem, shape)
            text += source
            runs.append((name, case, layout, kind, elem, shape, kinds))
    worst = dict.fromkeys(TOLERANCE, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/in.mlir", "w") as file:
            file.write(text)
        check.run(["pe-opt", f"--{pipeline}", f"{folder}/in.mlir", "-o", f"{folder}/out.mlir"])
        for seed, case in list(enumerate(runs))[::int(step)]:
            error = run_case(*case, f"{folder}/out.mlir", pipeline, folder, seed)
            worst[case[4]] = max(worst[case[4]], error)
    print(", ".join(f"{elem}: {error:.2g}" for elem, error in worst.items()))


if __name__ == "__main__":
    main()
