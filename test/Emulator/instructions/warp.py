"""Where threads are, and what the threads of a warp tell each other."""

import numpy as np

from instructions.numbers import LANE, rng
from kernel import Kernel, constant, load, store


def registers():
    """Where a thread is, in a grid and blocks of three dimensions."""
    grid, block = (3, 2, 2), (5, 4, 3)
    names = [f"{kind}.{axis}" for kind in ("tid", "ntid", "ctaid", "nctaid") for axis in "xyz"]
    body, values = "", {}
    for name in [*names, "laneid"]:
        values[name] = f"%r_{name.replace('.', '_')}"
        body += f"{values[name]} = nvvm.read.ptx.sreg.{name} : i32\n"
    fold = lambda out, z, y, x, ny, nx: (
        f"{out}0 = arith.muli {z}, {ny} : i32\n{out}1 = arith.addi {out}0, {y} : i32\n"
        f"{out}2 = arith.muli {out}1, {nx} : i32\n{out} = arith.addi {out}2, {x} : i32\n")
    v = lambda name: values[name]
    body += fold("%cell", v("tid.z"), v("tid.y"), v("tid.x"), v("ntid.y"), v("ntid.x"))
    body += fold("%where", v("ctaid.z"), v("ctaid.y"), v("ctaid.x"), v("nctaid.y"), v("nctaid.x"))
    threads, text = constant(60)
    body += text + (f"%first = arith.muli %where, {threads} : i32\n"
                    "%at32 = arith.addi %first, %cell : i32\n%at = arith.extui %at32 : i32 to i64\n")
    size, text = constant(len(values), "i64")
    body += text + f"%begin = arith.muli %at, {size} : i64\n"
    for n, value in enumerate(values.values()):
        index, text = constant(n, "i64")
        body += text + f"%i{n} = arith.addi %begin, {index} : i64\n" + store(value, "%out", f"%i{n}", "i32")
    want = []
    for number in range(12):
        ctaid = [number % 3, number // 3 % 2, number // 6]
        for thread in range(60):
            tid = [thread % 5, thread // 5 % 4, thread // 20]
            want.append([*tid, *block, *ctaid, *grid, thread % 32])
    yield ("registers", Kernel(body, [], (720, len(values)), np.int32, grid=grid, block=block),
           np.array(want, np.int32), 0)


def shuffle():
    """The formulas of shfl.sync: lane, bound and predicate of each mode."""
    x = rng(1).integers(-10**9, 10**9, 32).astype(np.int32)
    cases = [(mode, b, width) for mode in ("up", "down", "bfly", "idx") for b in (0, 1, 5, 17)
             for width in (32, 8)]
    for mode, b, width in cases:
        segment = (32 - width) << 8
        c = segment | (0 if mode == "up" else 31)
        masked, clamp = LANE & (c >> 8), c & 31
        most = masked | (clamp & ~(c >> 8) & 31)
        if mode == "up":
            j = LANE - b
            inside = j >= most
        else:
            j = {"down": LANE + b, "bfly": LANE ^ b, "idx": masked | (b & ~(c >> 8) & 31)}[mode]
            inside = j <= most
        j = np.where(inside, j, LANE)
        want = np.stack([x[j], inside.astype(np.int32)])
        mask, t0 = constant(-1)
        by, t1 = constant(b)
        bound, t2 = constant(c)
        lanes, t3 = constant(32, "i64")
        body = (load("%x", "%a0", "%t", "i32") + t0 + t1 + t2 + t3 +
                f"%r = nvvm.shfl.sync {mode} {mask}, %x, {by}, {bound} {{return_value_and_is_valid}} "
                ": i32 -> !llvm.struct<(i32, i1)>\n"
                "%v = llvm.extractvalue %r[0] : !llvm.struct<(i32, i1)>\n"
                "%p = llvm.extractvalue %r[1] : !llvm.struct<(i32, i1)>\n"
                "%q = arith.extui %p : i1 to i32\n" + store("%v", "%out", "%t", "i32") +
                f"%u = arith.addi %t, {lanes} : i64\n" + store("%q", "%out", "%u", "i32"))
        yield f"shfl.{mode} {b} width {width}", Kernel(body, [x], (2, 32), np.int32), want, 0


def vote():
    """Votes of all lanes, and of the even ones."""
    x = rng(2).integers(0, 2, 32).astype(np.int32)
    for values in (x, np.ones(32, np.int32), np.zeros(32, np.int32)):
        for mask in (0xFFFFFFFF, 0x55555555):
            member = mask >> LANE & 1
            ballot = int(((values & member) << LANE).astype(np.int64).sum())
            results = {"ballot": ballot, "any": ballot != 0, "all": ballot == mask,
                       "uni": ballot in (0, mask)}
            for name, want in results.items():
                m, text = constant(mask if mask < 2**31 else mask - 2**32)
                zero, t0 = constant(0)
                one, t1 = constant(1)
                kind = "i32" if name == "ballot" else "i1"
                use = "" if name == "ballot" else "%w = arith.extui %v : i1 to i32\n"
                body = (load("%x", "%a0", "%t", "i32") + text + t0 + t1 +
                        f"%p = arith.cmpi ne, %x, {zero} : i32\n"
                        f"%s0 = arith.shrui {m}, %tid : i32\n%s1 = arith.andi %s0, {one} : i32\n"
                        f"%in = arith.cmpi ne, %s1, {zero} : i32\n"
                        "scf.if %in {\n" f"%v = nvvm.vote.sync {name} {m}, %p -> {kind}\n" + use +
                        store("%v" if name == "ballot" else "%w", "%out", "%t", "i32") +
                        "} else {\n" + store(zero, "%out", "%t", "i32") + "}\n")
                full = np.where(member, int(want), 0).astype(np.uint32).view(np.int32)
                yield f"vote.{name} {mask:x}", Kernel(body, [values], (32,), np.int32), full, 0


def redux():
    """Reductions of integers over a warp."""
    x = rng(3).integers(-10**6, 10**6, 32).astype(np.int32)
    unsigned = x.view(np.uint32)
    results = {"add": x.sum(dtype=np.int32), "min": x.min(), "max": x.max(),
               "umin": unsigned.min(), "umax": unsigned.max(), "and": np.bitwise_and.reduce(x),
               "or": np.bitwise_or.reduce(x), "xor": np.bitwise_xor.reduce(x)}
    for name, want in results.items():
        mask, text = constant(-1)
        body = (load("%x", "%a0", "%t", "i32") + text +
                f"%r = nvvm.redux.sync {name} %x, {mask} : i32 -> i32\n" +
                store("%r", "%out", "%t", "i32"))
        full = np.full(32, int(want) & 0xFFFFFFFF, np.uint32).view(np.int32)
        yield f"redux.{name}", Kernel(body, [x], (32,), np.int32), full, 0
