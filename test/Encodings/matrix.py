"""Runs attention by matrix instructions with an encoding, and compares it with
its oracle.

    matrix.py NAME

Each case is run in f16 and bf16 on the emulator, which checks every access: for the
problems of check.py and for more queries and keys than one block has. The form is
asked for by name, so that another one would be an error. Encodings of rows encode
queries and keys. Six heads of widths 32 and 48 share two key heads.

The weights of keys, and queries and keys once they are encoded, are rounded to the
elements' type: errors are a few units of its last place.
"""

import os
import sys
import tempfile

import numpy as np

import cases
import check
import oracle

TOLERANCE = {"f16": 2e-3, "bf16": 1.2e-2}
WIDTH, VALUE_WIDTH = 32, 48
Q, K = (f"tensor<?x{h}x?x{WIDTH}xELEM>" for h in (6, 2))
V, O = (f"tensor<?x{h}x?x{VALUE_WIDTH}xELEM>" for h in (2, 6))
SCORES = "tensor<?x6x?x?xf32>"


def problems(case):
    """name, batch, queries, keys, past, coordinates of queries and keys."""
    pairs = case.site in ("score", "mask")
    for problem in check.problems(case):
        name, b, lq, lk, *_ = problem
        if case.site == "row" and name == "rows" and lq != lk:
            continue
        yield problem
    keys = 213 if pairs else 150
    first = 0 if case.top_left else keys - 150
    yield ("rows", 1, 150, keys, None, np.arange(150)[None] + first, np.arange(keys)[None])


def build(case, problem):
    """IR of one function: q, k, v, further operands, coordinates."""
    pairs = case.site in ("score", "mask")
    arguments = [("%q", Q), ("%k", K), ("%v", V)]
    arguments += [(f"%x{n}", t) for n, t in enumerate(case.types)]
    body = ["%z = arith.constant 0 : index", "%two = arith.constant 2 : index",
            f"%nq = tensor.dim %q, %two : {Q}", f"%nk = tensor.dim %k, %two : {K}"]
    at = []
    if problem == "explicit":
        at = [(f"%p{n}", "tensor<?x?xi64>") for n in range(2)]
        arguments += at
    elif problem in ("decode", "ragged"):
        past, kind = ("i64", "tensor<?xi64>") if problem == "decode" else ("tensor<?xi64>", "tensor<?x?xi64>")
        arguments.append(("%past", past))
        start = "%past : tensor<?xi64>"
        if problem == "decode":
            body.append("%start = arith.index_cast %past : i64 to index")
            start = "%start : index"
        body += [f"%p0 = posenc.positions %nq from {start} -> {kind}",
                 "%p1 = posenc.positions %nk from %z : index -> tensor<?xi64>"]
        at = [("%p0", kind), ("%p1", "tensor<?xi64>")]

    def encode(result, x, kind, at):
        where = f" at({', '.join(n for n, _ in at)})" if at else ""
        types = [kind] + [t for _, t in at] + case.types
        return (f"{result} = posenc.{case.op} {x}{where} {case.operands} {{{case.attributes}}}"
                f" : ({', '.join(types)}) -> {kind}")

    q, k, s = "%q", "%k", "%s"
    if not pairs:
        body += [encode("%qr", q, Q, at[:1]), encode("%kr", k, K, at[1:])]
        q, k = "%qr", "%kr"
    body.append(f"%s = posenc.scores {q}, {k} : ({Q}, {K}) -> {SCORES}")
    if pairs:
        body.append(encode("%e", s, SCORES, at))
        s = "%e"
    results = f"{O}, tensor<?x6x?xf32>"
    body += [f"%r:2 = posenc.attend {s}, %v {{posenc.schedule = #posenc.schedule<mma>}}"
             f" : ({SCORES}, {V}) -> ({results})", f"return %r#0, %r#1 : {results}"]
    signature = ", ".join(f"{n}: {t}" for n, t in arguments)
    return (f"func.func @{problem}({signature}) -> ({results}) {{\n  " + "\n  ".join(body) + "\n}\n",
            [t for _, t in arguments])


def expected(case, q, k, v, extras, pq, pk):
    if case.site == "row":
        return oracle.attend(oracle.scores(case.oracle(q, pq), case.oracle(k, pk)), v)
    s = oracle.scores(q, k)
    if case.site == "score":
        return oracle.attend(case.oracle(s, pq, pk, *extras), v)
    visible = case.oracle(*([pq, pk] if case.positions else []), *extras)
    return oracle.attend(np.where(visible, s, -np.inf), v)


def narrow(array, elem):
    """What is stored, and what that is in f64."""
    if elem == "f16":
        stored = array.astype(np.float16)
        return stored, stored.astype(float)
    stored = check.to_bf16(array)
    return stored, check.from_bf16(stored).astype(float)


def run(case, elem, folder, seed):
    named = list(problems(case))
    types, lowered = check.lower(case, elem, "posenc-nvptx", folder, named, build)
    worst = 0.0
    for problem, b, lq, lk, past, pq, pk in named:
        rng = np.random.default_rng(seed := seed + 1)
        arrays = [rng.standard_normal(shape) for shape in
                  [(b, 6, lq, WIDTH), (b, 2, lk, WIDTH), (b, 2, lk, VALUE_WIDTH)]]
        extras = case.arrays(rng, b, lk, 6)
        inputs = arrays + extras + {"explicit": [pq, pk], "decode": [past],
                                    "ragged": [past]}.get(problem, [])
        command = ["pe-runner", lowered, f"--entry={problem}", "-O0", "--device=emulator",
                   "--check", "--check-leaks"]
        exact = []
        for n, (value, kind) in enumerate(zip(inputs, types[problem], strict=True)):
            if kind == "i64":
                command.append(f"--input={value}")
                continue
            stored = np.ascontiguousarray(value)
            if "ELEM" in kind:
                stored, value = narrow(value, elem)
            exact.append(value)
            if n == 2 and case.op == "padding":
                # Values of padding may be anything.
                stored[np.broadcast_to(~extras[0][:, None, :, None], stored.shape)] = \
                    np.nan if elem == "f16" else 0x7FC0
            path = os.path.join(folder, f"{n}.npy")
            np.save(path, stored)
            command.append(f"--input=@{path}")
        want = expected(case, *exact[:3], exact[3:3 + len(extras)], pq, pk)
        paths = [os.path.join(folder, f"result{n}.npy") for n in range(2)]
        check.run(command + [f"--output=@{path}" for path in paths])
        for path, y in zip(paths, want):
            have = np.load(path)
            have = check.from_bf16(have) if have.dtype == np.uint16 else have
            where = f"{case.op} {{{case.attributes}}} {elem} {problem} {lq}x{lk}"
            worst = max(worst, check.compare(where, have.astype(float), y, TOLERANCE[elem]))
    return worst


def main():
    name, = sys.argv[1:]
    for number, case in enumerate(cases.CASES[name]):
        for elem in ("f16", "bf16"):
            with tempfile.TemporaryDirectory() as folder:
                worst = run(case, elem, folder, 100 * number)
            print(f"{name} {{{case.attributes}}} {elem}: {worst:.2g}", flush=True)


if __name__ == "__main__":
    main()
