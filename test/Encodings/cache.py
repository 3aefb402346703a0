"""Attention to caches that are filled piece by piece, with every encoding, against its oracle.

    cache.py PIPELINE [STEP]

Runs every STEP-th case. A case appends pieces of one or several tokens to caches
that hold NaN at first, each call taking the caches that the last one gave back, and
every result is compared with attention to all tokens so far: keys are encoded when
they are appended. At the end the caches are compared with rows packed by numpy,
and read at other lengths, 0 among them. Shapes, blocks, element types, layouts and
how coordinates are given take turns:

    positions  the length of the cache is an index, from which coordinates are made
    rows       the same, and row numbers are the coordinates
    ragged     each sample has its length, and one of them takes back the last of
               several tokens, as what a draft proposed and was not accepted
"""

import itertools
import os
import sys
import tempfile

import numpy as np

import cases
import check
import decode
import oracle

# Heads, key heads, width, width of values; rows of a block, channels of a chunk of keys and of
# values; blocks; pieces.
SHAPES = [(4, 4, 64, 64, 32, 1, 64, 3, [37, 1, 40, 2]), (6, 2, 8, 40, 16, 1, 40, 5, [1, 5, 17, 1]),
          (8, 2, 128, 128, 32, 1, 64, 9, [211, 1, 47, 3]), (8, 1, 32, 96, 16, 1, 48, 7, [1, 1, 16, 5]),
          (9, 3, 24, 16, 16, 1, 16, 4, [3, 30, 20, 1]), (4, 2, 64, 64, 7, 4, 8, 5, [2, 17, 1, 1]),
          (12, 4, 16, 80, 64, 1, 16, 2, [63, 1, 50, 4]), (6, 1, 48, 48, 48, 1, 48, 12, [333, 200, 9, 1])]
KINDS = ["positions", "rows", "ragged", "rows", "positions", "ragged", "rows"]
BATCH = 2


def pack(rows, cache, past):
    """Puts rows [B, H, n, d] where they belong in the cache."""
    for b, i in itertools.product(range(BATCH), range(rows.shape[2])):
        block, row = divmod(past[b] + i, cache.shape[4])
        cache[b, :, block, :, row, :] = rows[b, :, i].reshape(rows.shape[1], *cache.shape[3::2])


class Program:
    """The functions of one case."""

    def __init__(self, name, case, layout, kind, elem, shape):
        self.name, self.case, self.layout, self.kind, self.elem = name, case, layout, kind, elem
        self.shape = shape
        heads, key_heads, width, value_width, rows, key_chunk, value_chunk, blocks, self.pieces = shape
        self.row = 2 if layout == "bhsd" else 1
        self.caches = [(BATCH, key_heads, blocks, width // key_chunk, rows, key_chunk),
                       (BATCH, key_heads, blocks, value_width // value_chunk, rows, value_chunk)]
        self.types = [f"tensor<{'x'.join('?' if d == 2 else str(n) for d, n in enumerate(cache))}x{elem}>"
                      for cache in self.caches]
        self.extras = [t.replace("ELEM", elem).replace("x6x", f"x{heads}x") for t in case.types]
        # Row numbers say where queries are, unless the first is to be at 0.
        if kind == "rows" and (case.top_left or case.site == "row"):
            self.kind = "positions"

    def rows(self, heads, n, width):
        dims = (heads, n) if self.layout == "bhsd" else (n, heads)
        return f"tensor<{BATCH}x{dims[0]}x{dims[1]}x{width}x{self.elem}>"

    def function(self, name, n, appends):
        heads, key_heads, width, value_width = self.shape[:4]
        case, (kc, vc) = self.case, self.types
        layout = f"layout = #posenc.layout<{self.layout}>"
        q, k, v = (self.rows(*of) for of in [(heads, n, width), (key_heads, n, width),
                                             (key_heads, n, value_width)])
        all_k, all_v = self.rows(key_heads, "?", width), self.rows(key_heads, "?", value_width)
        scores, lse = f"tensor<{BATCH}x{heads}x{n}x?xf32>", f"tensor<{BATCH}x{heads}x{n}xf32>"
        out = self.rows(heads, n, value_width)
        writable = " {bufferization.writable = true}" if appends else ""
        arguments = [("%q", q)] + ([("%k", k), ("%v", v)] if appends else [])
        ragged = appends and self.kind == "ragged"
        start, p0 = (f"tensor<{BATCH}xi64>", f"tensor<{BATCH}x?xi64>") if ragged else ("index", "tensor<?xi64>")
        arguments += [("%kc", kc), ("%vc", vc), ("%total64", "i64")] + [("%past", start)] * ragged
        arguments += [(f"%x{i}", t) for i, t in enumerate(self.extras)]
        body = ["%total = arith.index_cast %total64 : i64 to index", f"%n = arith.constant {n} : index",
                "%zero = arith.constant 0 : index",
                *[f"%past = arith.subi %total, %{'n' if appends else 'zero'} : index"] * (not ragged),
                f"%p0 = posenc.positions %n from %past : {start} -> {p0}",
                "%p1 = posenc.positions %total from %zero : index -> tensor<?xi64>"]
        query, key = "%q", "%k"
        if case.site == "row":
            for x, t in [("q", q), ("k", k)][:1 + appends]:
                body.append(f"%{x}r = posenc.{case.op} %{x} at(%p0) {{{case.attributes}, {layout}}} : "
                            f"({t}, {p0}) -> {t}")
            query, key = "%qr", "%kr"
        if appends:
            at_start = f" at {start}" if ragged else ""
            body += [f"%kn = posenc.append {key} into %kc at %past {{{layout}}} : {k} into {kc}{at_start}",
                     f"%vn = posenc.append %v into %vc at %past {{{layout}}} : {v} into {vc}{at_start}"]
        names = ("%kn", "%vn") if appends else ("%kc", "%vc")
        body += [f"%ka = posenc.rows %total of {names[0]} {{{layout}}} : {kc} -> {all_k}",
                 f"%va = posenc.rows %total of {names[1]} {{{layout}}} : {vc} -> {all_v}",
                 f"%s = posenc.scores {query}, %ka {{{layout}}} : ({q}, {all_k}) -> {scores}"]
        s, given = "%s", self.kind != "rows"
        at, at_types = (" at(%p0, %p1)", [p0, "tensor<?xi64>"]) if given else ("", [])
        if case.site != "row":
            of = (at, at_types) if case.positions else ("", [])
            body.append(f"%e = posenc.{case.op} {s}{of[0]} {case.operands} {{{case.attributes}}} : "
                        f"({', '.join([scores, *of[1], *self.extras])}) -> {scores}")
            s = "%e"
        if ragged or (case.site != "mask" and appends):
            body.append(f"%c = posenc.causal {s}{at} : ({', '.join([scores, *at_types])}) -> {scores}")
            s = "%c"
        results = [out, lse] + ([kc, vc] if appends else [])
        body += [f"%o:2 = posenc.attend {s}, %va {{{layout}}} : ({scores}, {all_v}) -> ({out}, {lse})",
                 f"return %o#0, %o#1{', %kn, %vn' if appends else ''} : {', '.join(results)}"]
        signature = ", ".join(f"{x}: {t}{writable if x in ('%kc', '%vc') else ''}" for x, t in arguments)
        return (f"func.func @{name}({signature}) -> ({', '.join(results)}) {{\n  " + "\n  ".join(body)
                + "\n}\n")

    def text(self):
        return "".join(self.function(f"{self.name}_{n}", n, True) for n in sorted(set(self.pieces))) + \
            self.function(f"{self.name}_read", 2, False)

    def swapped(self, array):
        return np.ascontiguousarray(np.swapaxes(array, 1, 2)) if self.layout == "bshd" else array

    def call(self, runner, entry, inputs, results):
        for n, value in enumerate(inputs):
            if not isinstance(value, str):
                np.save(f"{runner.folder}/{n}.npy", value)
        paths = [f"{runner.folder}/r{n}.npy" for n in range(results)]
        check.run(["pe-runner", runner.lowered, f"--entry={self.name}_{entry}", *runner.flags]
                  + [f"--input={x}" if isinstance(x, str) else f"--input=@{runner.folder}/{n}.npy"
                     for n, x in enumerate(inputs)] + [f"--output=@{path}" for path in paths])
        return [np.load(path) for path in paths]

    def compare(self, label, have, want):
        o, lse = have
        o = check.from_bf16(o) if o.dtype == np.uint16 else o.astype(float)
        label = f"{self.case.op} {{{self.case.attributes}}} {self.layout} {self.kind} {self.elem} " \
                f"{self.shape} {label}"
        # Encoded queries may be rounded, and those of a prompt are.
        rounded = self.case.site == "row" or o.shape[self.row] > 16
        return max(check.compare(label, self.swapped(o), want[0], decode.TOLERANCE[self.elem]),
                   check.compare(label + " lse", lse, want[1],
                                 decode.TOLERANCE[self.elem if rounded else "f32"]))

    def attend(self, q, k, v, extras, past, causal):
        """Keys are encoded already."""
        case = self.case
        pq = past[:, None] + np.arange(q.shape[2])
        pk = np.broadcast_to(np.arange(k.shape[2]), (BATCH, k.shape[2]))
        if self.kind == "rows":
            pq = pq - past[:, None] + k.shape[2] - q.shape[2]
        s = oracle.scores(case.oracle(q, pq) if case.site == "row" else q, k)
        if case.site == "score":
            s = case.oracle(s, pq, pk, *extras)
        visible = oracle.causal(pq, pk) if causal else np.ones((1, 1, 1, 1), bool)
        if case.site == "mask":
            visible = visible & case.oracle(*([pq, pk] if case.positions else []), *extras)
        return oracle.attend(np.where(visible, s, -np.inf), v)

    def run(self, runner, seed):
        heads, key_heads, width, value_width = self.shape[:4]
        rng, worst, past = np.random.default_rng(seed), 0.0, np.zeros(BATCH, np.int64)
        kind = f"x{self.elem}>"
        stored = lambda *shape: decode.stored(rng.standard_normal(shape), kind)
        nan = [decode.stored(np.full(cache, np.nan), kind)[0] for cache in self.caches]
        if self.elem == "bf16":
            nan = [np.full(cache, 0x7FC0, np.uint16) for cache in self.caches]
        caches, wanted = list(nan), [np.full(cache, np.nan) for cache in self.caches]
        keys, values = (np.zeros((BATCH, key_heads, sum(self.pieces), d)) for d in (width, value_width))
        for n in self.pieces:
            (q, q64), (k, k64), (v, v64) = (stored(BATCH, h, n, d) for h, d in
                                            [(heads, width), (key_heads, width), (key_heads, value_width)])
            if self.case.site == "row":
                k64 = self.case.oracle(k64, past[:, None] + np.arange(n))
                k64 = decode.stored(k64, kind)[1]
            for rows, new in ((keys, k64), (values, v64)):
                for b in range(BATCH):
                    rows[b, :, past[b]:past[b] + n] = new[b]
            total, ragged = int(past.max()) + n, self.kind == "ragged"
            extras = [decode.stored(x, t) for x, t in
                      zip(self.case.arrays(rng, BATCH, total, heads), self.extras)]
            have = self.call(runner, n, [*map(self.swapped, (q, k, v)), *caches, str(total), *[past] * ragged,
                                         *(x for x, _ in extras)], 4)
            caches = have[2:]
            want = self.attend(q64, keys[:, :, :total], values[:, :, :total], [x for _, x in extras], past,
                               ragged or self.case.site != "mask")
            worst = max(worst, self.compare(f"{past} + {n}", have[:2], want))
            for rows, cache in zip((k64, v64), wanted):
                pack(rows, cache, past)
            past = past + n
            if ragged and n > 1:
                past[0] -= 1
        for what, have, want in zip(("keys", "values"), caches, wanted):
            have = check.from_bf16(have) if have.dtype == np.uint16 else have.astype(float)
            error = np.nan_to_num(np.abs(have - want) / (1 + np.abs(want)), nan=0)
            # An angle is a product in f32.
            encoded = what == "keys" and self.case.site == "row"
            bound = decode.TOLERANCE[self.elem] + 1e-7 * past.max() if encoded else 0
            if (np.isnan(have) != np.isnan(want)).any() or error.max() > bound:
                sys.exit(f"{self.name} {self.shape} {self.elem}: {what} are not where they belong: "
                         f"error {error.max():.2g}, {np.isnan(have).sum()} of {np.isnan(want).sum()} NaN")
        rows = self.caches[0][4]
        for count in (0, 1, rows, int(past.min()) - 1):
            if count > past.min():
                continue
            q, q64 = stored(BATCH, heads, 2, width)
            extras = [decode.stored(x, t) for x, t in
                      zip(self.case.arrays(rng, BATCH, count, heads), self.extras)]
            have = self.call(runner, "read", [self.swapped(q), *caches, str(count), *(x for x, _ in extras)], 2)
            want = self.attend(q64, keys[:, :, :count], values[:, :, :count], [x for _, x in extras],
                               np.full(BATCH, count), False)
            worst = max(worst, self.compare(f"read {count}", have, want))
        return worst


class Runner:
    def __init__(self, folder, pipeline):
        self.folder, self.lowered = folder, f"{folder}/out.mlir"
        self.flags = [*check.FLAGS[pipeline.split("=")[0]], "--threads=3", "--check-leaks"]


def main():
    pipeline, step = (sys.argv[1:] + ["1"])[:2]
    turns = zip(itertools.cycle(SHAPES), itertools.cycle(("bhsd", "bhsd", "bshd")), itertools.cycle(KINDS),
                itertools.cycle(("f32", "bf16", "f32", "f32", "f16")))
    programs = []
    for case in itertools.chain.from_iterable(cases.CASES.values()):
        if case.site != "token":
            shape, layout, kind, elem = next(turns)
            if "nvptx" in pipeline:  # chunks of all channels, which GPUs read
                shape = (*shape[:5], *shape[2:4], *shape[7:])
            programs.append(Program(f"f{len(programs)}", case, layout, kind, elem, shape))
    worst = dict.fromkeys(decode.TOLERANCE, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(folder, pipeline)
        for seed, program in list(enumerate(programs))[::int(step)]:
            with open(f"{folder}/in.mlir", "w") as file:
                file.write(program.text())
            check.run(["pe-opt", f"--{pipeline}", f"{folder}/in.mlir", "-o", runner.lowered])
            worst[program.elem] = max(worst[program.elem], program.run(runner, seed))
    print(", ".join(f"{elem}: {error:.2g}" for elem, error in worst.items()))


if __name__ == "__main__":
    main()
