"""Runs an encoding through a pipeline and compares it with its oracle.

    check.py NAME PIPELINE

Each case is run in f32 and bf16, for each of these problems:

    rows       row numbers are coordinates: as many queries as keys, one query,
               and more queries than keys, of which the first may see nothing
    decode     one query after a cache of 17 keys, its length is an `index`
    ragged     caches of three lengths, one per sample
    explicit   coordinates in tensors, in any order, with repetitions

Attention has 6 heads on 2 key heads of widths 8 and 5. Errors are relative to
1 + |expected|; docs/numerics.md says where the tolerances come from.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

import cases
import oracle

TOLERANCE = {"f32": 2e-6, "bf16": 5e-3}
# Scalar loops take longer to optimise than to run.
FLAGS = {"posenc-reference": ["-O0"], "posenc-cpu": ["-O1"],
         "posenc-nvptx": ["-O0", "--device=emulator", "--check", "--check-leaks"]}
Q, K, V = "tensor<?x6x?x8xELEM>", "tensor<?x2x?x8xELEM>", "tensor<?x2x?x5xELEM>"
TOKENS = "tensor<?x?x10xELEM>"
SCORES = "tensor<?x6x?x?xf32>"


def problems(case):
    """name, batch, queries, keys, past, coordinates of queries and keys."""
    pairs = case.site in ("score", "mask")
    start = lambda b, past, n: np.broadcast_to(np.reshape(past, (-1, 1)) + np.arange(n), (b, n))
    shift = lambda lq, lk: 0 if case.top_left else lk - lq
    yield "rows", 2, 13, 13, None, start(2, 0, 13), start(2, 0, 13)
    if pairs:
        yield "rows", 2, 1, 18, None, start(2, shift(1, 18), 1), start(2, 0, 18)
        yield "rows", 2, 7, 3, None, start(2, shift(7, 3), 7), start(2, 0, 3)
    if not case.positions:
        return
    yield "decode", 2, 1, 18, 17, start(2, 17, 1), start(2, 0, 18)
    past = np.array([0, 4, 11])
    yield "ragged", 3, 5, 16, past, start(3, past, 5), start(3, 0, 16)
    rng = np.random.default_rng(5)
    yield ("explicit", 2, 9, 11, None, rng.integers(0, 60, (2, 9)), rng.integers(0, 60, (2, 11)))


def build(case, problem):
    """IR of one function: operands of the site, further ones, coordinates."""
    pairs = case.site in ("score", "mask")
    inputs = {"score": [Q, K, V], "mask": [Q, K, V], "row": [Q], "token": [TOKENS]}[case.site]
    arguments = [(f"%a{n}", t) for n, t in enumerate(inputs)]
    arguments += [(f"%x{n}", t) for n, t in enumerate(case.types)]
    queries, body = 1 if case.site == "token" else 2, []
    body += ["%z = arith.constant 0 : index", f"%dq = arith.constant {queries} : index",
             f"%nq = tensor.dim %a0, %dq : {inputs[0]}"]
    if pairs:
        body += [f"%nk = tensor.dim %a1, %dq : {K}"]
    at = []
    if problem == "explicit":
        at = [(f"%p{n}", "tensor<?x?xi64>") for n in range(1 + pairs)]
        arguments += at
    elif problem in ("decode", "ragged"):
        if problem == "decode":
            arguments.append(("%past64", "i64"))
            body += ["%past = arith.index_cast %past64 : i64 to index",
                     "%p0 = posenc.positions %nq from %past : index -> tensor<?xi64>"]
            at = [("%p0", "tensor<?xi64>")]
        else:
            arguments.append(("%past", "tensor<?xi64>"))
            body += ["%p0 = posenc.positions %nq from %past : tensor<?xi64> -> tensor<?x?xi64>"]
            at = [("%p0", "tensor<?x?xi64>")]
        if pairs:
            body += ["%p1 = posenc.positions %nk from %z : index -> tensor<?xi64>"]
            at.append(("%p1", "tensor<?xi64>"))
    x, result = "%a0", [inputs[0]]
    if pairs:
        body += [f"%s = posenc.scores %a0, %a1 : ({Q}, {K}) -> {SCORES}"]
        x = "%s"
    types = [SCORES if pairs else inputs[0]] + [t for _, t in at] + case.types
    where = f" at({', '.join(n for n, _ in at)})" if at else ""
    body += [f"%e = posenc.{case.op} {x}{where} {case.operands} {{{case.attributes}}}"
             f" : ({', '.join(types)}) -> {types[0]}"]
    if pairs:
        result = ["tensor<?x6x?x5xELEM>", "tensor<?x6x?xf32>"]
        body += [f"%r:2 = posenc.attend %e, %a2 : ({SCORES}, {V}) -> ({', '.join(result)})"]
    body += [f"return {'%r#0, %r#1' if pairs else '%e'} : {', '.join(result)}"]
    signature = ", ".join(f"{n}: {t}" for n, t in arguments)
    return (f"func.func @{problem}({signature}) -> ({', '.join(result)}) {{\n  "
            + "\n  ".join(body) + "\n}\n"), [t for _, t in arguments]


def to_bf16(array):
    """Rounded to nearest even, as bits."""
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def expected(case, arrays, extras, pq, pk):
    where = [pq, pk][: 1 + (case.site in ("score", "mask"))]
    if case.site in ("token", "row"):
        return [case.oracle(arrays[0], *where, *extras)]
    s = oracle.scores(arrays[0], arrays[1])
    if case.site == "score":
        s = case.oracle(s, *where, *extras)
    else:
        s = np.where(case.oracle(*(where if case.positions else []), *extras), s, -np.inf)
    return list(oracle.attend(s, arrays[2]))


def run(arguments):
    process = subprocess.run(arguments, capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}\n{process.stderr}")


def compare(where, have, want, tolerance):
    """The largest error, relative to 1 + |want|; exits if it is too large."""
    if have.shape != want.shape:
        sys.exit(f"{where}: expected shape {want.shape}, but found {have.shape}")
    # Equal infinities agree; a NaN never does.
    with np.errstate(invalid="ignore"):
        error = np.where(have == want, 0.0, np.abs(have - want) / (1 + np.abs(want)))
    if not (error <= tolerance).all():
        at = np.unravel_index(np.argmax(np.nan_to_num(error, nan=np.inf)), error.shape)
        sys.exit(f"{where}: error {error[at]:.3g} at {[int(i) for i in at]}: "
                 f"expected {want[at]}, but found {have[at]}")
    return float(error.max())


def lower(case, elem, pipeline, folder, problems, build):
    """Lowers the functions of all problems at once; the types of each one's arguments,
    and the file."""
    functions = {name: build(case, name) for name, *_ in problems}
    source, lowered = os.path.join(folder, "in.mlir"), os.path.join(folder, "out.mlir")
    with open(source, "w") as file:
        file.write("\n".join(text for text, _ in functions.values()).replace("ELEM", elem))
    run(["pe-opt", f"--{pipeline}", source, "-o", lowered])
    return {name: types for name, (_, types) in functions.items()}, lowered


def check(case, elem, pipeline, folder, seed):
    """Runs each problem of the case."""
    named = list(problems(case))
    types, lowered = lower(case, elem, pipeline, folder, named, build)
    worst = 0.0
    for problem, b, lq, lk, past, pq, pk in named:
        rng = np.random.default_rng(seed := seed + 1)
        shapes = {"token": [(b, lq, 10)], "row": [(b, 6, lq, 8)]}.get(
            case.site, [(b, 6, lq, 8), (b, 2, lk, 8), (b, 2, lk, 5)])
        arrays = [rng.standard_normal(shape) for shape in shapes]
        extras = case.arrays(rng, b, lk if case.site in ("score", "mask") else lq, 6)
        inputs = arrays + extras + {"explicit": [pq, pk][: 1 + (len(shapes) == 3)],
                                    "decode": [past], "ragged": [past]}.get(problem, [])
        command, exact = ["pe-runner", lowered, f"--entry={problem}", *FLAGS[pipeline]], []
        for n, (value, kind) in enumerate(zip(inputs, types[problem], strict=True)):
            if kind == "i64":
                command.append(f"--input={value}")
                continue
            path = os.path.join(folder, f"{n}.npy")
            if "ELEM" in kind and elem == "bf16":
                stored = to_bf16(value)
                exact.append(from_bf16(stored).astype(float))
            elif "ELEM" in kind:
                stored = value.astype(np.float32)
                exact.append(stored.astype(float))
            else:
                stored = np.ascontiguousarray(value)
                exact.append(stored)
            np.save(path, stored)
            command.append(f"--input=@{path}")
        want = expected(case, exact[: len(arrays)], exact[len(arrays):len(arrays) + len(extras)],
                        pq, pk)
        paths = [os.path.join(folder, f"result{n}.npy") for n in range(len(want))]
        run(command + [f"--output=@{path}" for path in paths])
        for path, y in zip(paths, want):
            have = np.load(path)
            have = from_bf16(have) if have.dtype == np.uint16 else have
            where = f"{case.op} {{{case.attributes}}} {elem} {problem} {lq}x{lk} {pipeline}"
            worst = max(worst, compare(where, have, y, TOLERANCE[elem]))
    return worst


def main():
    name, pipeline = sys.argv[1:]
    for number, case in enumerate(cases.CASES[name]):
        for elem in ("f32", "bf16"):
            with tempfile.TemporaryDirectory() as folder:
                worst = check(case, elem, pipeline, folder, 100 * number)
            print(f"{name} {{{case.attributes}}} {elem}: {worst:.2g}")


if __name__ == "__main__":
    main()
