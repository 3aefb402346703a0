"""Kernels of one instruction each, and what they must compute."""

import numpy as np

from kernel import Kernel, constant, load, shared, store, take

LANE = np.arange(32)


def rng(seed):
    return np.random.default_rng(seed)


def bf16(array):
    """Rounded to nearest even, as bits."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def tf32(array):
    """The upper 19 bits."""
    return (np.asarray(array, np.float32).view(np.uint32) & 0xFFFFE000).view(np.float32)


#===-- Registers ------------------------------------------------------------===#


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


#===-- Warps ----------------------------------------------------------------===#


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


#===-- Matrices -------------------------------------------------------------===#


def ldmatrix():
    """Registers of ldmatrix, plain and transposed, from rows in any order."""
    for count in (1, 2, 4):
        for layout in ("row", "col"):
            x = rng(count).integers(0, 60000, (32, 8)).astype(np.uint16)
            rows = rng(7).permutation(32)
            tile = x[rows].reshape(4, 8, 8)  # the address of lane 8 m + r: row r of matrix m
            want = np.zeros((32, count), np.uint32)
            for lane in range(32):
                for m in range(count):
                    at = tile[m].T if layout == "col" else tile[m]
                    low, high = at[lane // 4, 2 * (lane % 4): 2 * (lane % 4) + 2].astype(np.uint32)
                    want[lane, m] = low | high << 16
            kind = "i32" if count == 1 else f"!llvm.struct<({', '.join(['i32'] * count)})>"
            eight, text = constant(8, "i64")
            number, t0 = constant(count, "i64")
            body = (take("%s", "tile") + text + t0 + f"%begin = arith.muli %t, {eight} : i64\n" +
                    load("%v", "%a0", "%begin", "vector<8xi16>").replace(
                        ", vector<8xi16>", ", i16") +
                    store("%v", "%s", "%begin", "vector<8xi16>", 3).replace(
                        ", vector<8xi16>\n", ", i16\n") +
                    "nvvm.barrier0\n" + load("%row32", "%a1", "%t", "i32") +
                    "%row = arith.extui %row32 : i32 to i64\n"
                    f"%first = arith.muli %row, {eight} : i64\n"
                    "%p = llvm.getelementptr %s[%first] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i16\n"
                    f"%r = nvvm.ldmatrix %p {{num = {count} : i32, layout = #nvvm.mma_layout<{layout}>, "
                    "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, "
                    f"eltType = #nvvm.ld_st_matrix_elt_type<b16>}} : (!llvm.ptr<3>) -> {kind}\n"
                    f"%o = arith.muli %t, {number} : i64\n")
            for m in range(count):
                value = "%r"
                if count > 1:
                    value = f"%r{m}"
                    body += f"{value} = llvm.extractvalue %r[{m}] : {kind}\n"
                index, text = constant(m, "i64")
                body += text + f"%o{m} = arith.addi %o, {index} : i64\n" + store(value, "%out", f"%o{m}", "i32")
            yield (f"ldmatrix.x{count} {layout}",
                   Kernel(body, [x, rows.astype(np.int32)], (32, count), np.int32,
                          variables=shared("tile", 256, "i16")),
                   want.view(np.int32), 0)


# From the PTX ISA, "Matrix Fragments for mma": with groupID = lane >> 2 and
# threadID_in_group = lane % 4, where element i of a fragment is.
def fragment_a(lane, i, k, per):
    group, thread = lane >> 2, lane % 4
    if per == 1:  # .tf32
        row = group if i % 2 == 0 else group + 8
        return row, thread + (4 if i >= 2 else 0)
    if k == 8:  # .f16, .bf16
        return (group if i < 2 else group + 8), thread * 2 + (i & 1)
    row = group if 0 <= i < 2 or 4 <= i < 6 else group + 8
    return row, thread * 2 + (i & 1) + (8 if i >= 4 else 0)


def fragment_b(lane, i, per):
    group, thread = lane >> 2, lane % 4
    if per == 1:
        return thread + 4 * i, group
    return thread * 2 + (i & 1) + (8 if i >= 2 else 0), group


def fragment_c(lane, i):
    group, thread = lane >> 2, lane % 4
    return (group if i < 2 else group + 8), thread * 2 + (i & 1)


MMA = [("f16", 16, "f32"), ("f16", 8, "f32"), ("f16", 16, "f16"), ("f16", 8, "f16"),
       ("bf16", 16, "f32"), ("bf16", 8, "f32"), ("tf32", 8, "f32"), ("tf32", 4, "f32")]


def mma():
    """D = A B + C, on registers that numpy fills."""
    for kind, k, accumulator in MMA:
        random = rng(k)
        a, b, c = (random.standard_normal(shape) for shape in ((16, k), (k, 8), (16, 8)))
        per = 1 if kind == "tf32" else 2
        pack = {"f16": lambda x: x.astype(np.float16).view(np.uint16), "bf16": bf16,
                "tf32": lambda x: tf32(x).view(np.uint32)}[kind]
        exact = {"f16": lambda x: x.astype(np.float16).astype(float),
                 "bf16": lambda x: from_bf16(bf16(x)).astype(float),
                 "tf32": lambda x: tf32(x).astype(float)}[kind]
        na, nb = 16 * k // 32 // per, 8 * k // 32 // per

        def registers(matrix, count, where):
            bits, image = pack(matrix), np.zeros((32, count), np.uint32)
            for lane in range(32):
                for i in range(count * per):
                    image[lane, i // per] |= bits[where(lane, i)].astype(np.uint32) << (16 * (i % per))
            return image.view(np.int32)

        narrow = accumulator == "f16"
        c = c.astype(np.float16 if narrow else np.float32)
        spread = np.array([[c[fragment_c(lane, i)] for i in range(4)] for lane in range(32)])
        product = exact(a) @ exact(b) + c.astype(float)
        want = np.array([[product[fragment_c(lane, i)] for i in range(4)] for lane in range(32)])

        image = [registers(a, na, lambda l, i: fragment_a(l, i, k, per)),
                 registers(b, nb, lambda l, i: fragment_b(l, i, per)), spread]
        element = "vector<2xf16>" if kind == "f16" else "i32"
        body, operands = "", {}
        for letter, base, count, each in (("A", "%a0", na, element), ("B", "%a1", nb, element),
                                          ("C", "%a2", 2 if narrow else 4,
                                           "vector<2xf16>" if narrow else "f32")):
            operands[letter] = []
            size, text = constant(count, "i64")
            body += text + f"%{letter} = arith.muli %t, {size} : i64\n"
            for n in range(count):
                index, text = constant(n, "i64")
                name = f"%{letter}{n}"
                body += text + f"{name}at = arith.addi %{letter}, {index} : i64\n"
                body += load(name, base, f"{name}at", each)
                operands[letter].append(name)
        result = (f"!llvm.struct<({', '.join(['vector<2xf16>'] * 2 if narrow else ['f32'] * 4)})>")
        types = "" if kind == "f16" else (
            f"multiplicandAPtxType = #nvvm.mma_type<{kind}>, "
            f"multiplicandBPtxType = #nvvm.mma_type<{kind}>, ")
        lists = " ".join(f"{letter}[{', '.join(names)}]" for letter, names in operands.items())
        accumulate = "vector<2xf16>" if narrow else "f32"
        body += (f"%d = nvvm.mma.sync {lists} {{layoutA = #nvvm.mma_layout<row>, "
                 f"layoutB = #nvvm.mma_layout<col>, {types}shape = #nvvm.shape<m = 16, n = 8, k = {k}>}}"
                 f" : ({element}, {element}, {accumulate}) -> {result}\n")
        for n in range(len(operands["C"])):
            body += (f"%d{n} = llvm.extractvalue %d[{n}] : {result}\n" +
                     store(f"%d{n}", "%out", f"%C{n}at", accumulate))
        yield (f"mma.m16n8k{k} {kind} {accumulator}",
               Kernel(body, image, (32, 4), np.float16 if narrow else np.float32), want,
               2e-3 if narrow else 2e-6)


def stmatrix():
    """What stmatrix leaves in shared memory."""
    for count in (1, 2, 4):
        for layout in ("row", "col"):
            pairs = rng(10 + count).integers(0, 2**31, (32, count)).astype(np.int32)
            want = np.zeros((count, 8, 8), np.uint16)
            for lane in range(32):
                for m in range(count):
                    for i in range(2):
                        at = (lane // 4, 2 * (lane % 4) + i)
                        value = pairs.view(np.uint32)[lane, m] >> (16 * i) & 0xFFFF
                        want[m][at[::-1] if layout == "col" else at] = value
            number, text = constant(count, "i64")
            eight, t0 = constant(8, "i64")
            zero, t1 = constant(0, "i64")
            body = take("%s", "tile") + text + t0 + t1 + f"%begin = arith.muli %t, {number} : i64\n"
            for m in range(count):
                index, text = constant(m, "i64")
                body += text + f"%i{m} = arith.addi %begin, {index} : i64\n" + load(f"%v{m}", "%a0", f"%i{m}", "i32")
            values = ", ".join(f"%v{m}" for m in range(count))
            live, text = constant(8 * count, "i64")
            body += text + (
                f"%row = arith.muli %t, {eight} : i64\n"
                "%p = llvm.getelementptr %s[%row] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i16\n"
                f"nvvm.stmatrix %p, {values} {{layout = #nvvm.mma_layout<{layout}>, "
                "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, "
                "eltType = #nvvm.ld_st_matrix_elt_type<b16>} : !llvm.ptr<3>"
                f"{', i32' * count}\nnvvm.barrier0\n"
                f"%has = arith.cmpi ult, %t, {live} : i64\nscf.if %has {{\n" +
                load("%line", "%p", zero, "vector<4xi32>", 3) +
                "%o = llvm.getelementptr %out[%row] : (!llvm.ptr, i64) -> !llvm.ptr, i16\n" +
                store("%line", "%o", zero, "vector<4xi32>") + "}\n")
            yield (f"stmatrix.x{count} {layout}",
                   Kernel(body, [pairs], (count, 8, 8), np.uint16, variables=shared("tile", 256, "i16"),
                          chip="sm_90", ptx=80), want, 0)


#===-- Asynchronous copies --------------------------------------------------===#


def cp_async():
    """Copies of each size, and those that fill up with zeros."""
    for size, cache in ((4, "ca"), (8, "ca"), (16, "ca"), (16, "cg")):
        for valid in (None, 0, size // 2, size):
            x = rng(size).integers(1, 255, (32, size)).astype(np.uint8)
            keep = size if valid is None else valid
            want = np.where(np.arange(size) < keep, x, 0).astype(np.uint8)
            words = size // 4
            count, text = constant(words, "i64")
            zero, t0 = constant(0, "i64")
            extra = ""
            if valid is not None:
                extra, t1 = constant(valid)
                text += t1
            kind = f"vector<{words}xi32>" if words > 1 else "i32"
            body = (take("%s", "tile") + text + t0 + f"%i = arith.muli %t, {count} : i64\n"
                    "%p = llvm.getelementptr %s[%i] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i32\n"
                    "%g = llvm.getelementptr %a0[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n"
                    "%g1 = llvm.addrspacecast %g : !llvm.ptr to !llvm.ptr<1>\n"
                    f"nvvm.cp.async.shared.global %p, %g1, {size}, cache = {cache}"
                    f"{', ' + extra if extra else ''} : !llvm.ptr<3>, !llvm.ptr<1>"
                    f"{', i32' if extra else ''}\n"
                    "nvvm.cp.async.commit.group\nnvvm.cp.async.wait.group 0\n" +
                    load("%v", "%p", zero, kind, 3) +
                    "%o = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n" +
                    store("%v", "%o", zero, kind))
            yield (f"cp.async {size} {cache} {valid}",
                   Kernel(body, [x.view(np.int32)], (32, words), np.int32,
                          variables=shared("tile", 32 * words, "i32")), want.view(np.int32), 0)


def cp_async_groups():
    """A ring of three stages, two of which are on their way: the first is read
    once all but two groups are complete."""
    stages, rows = 3, 7
    x = rng(5).integers(0, 10**6, (rows, 32)).astype(np.int32)
    lanes, text = constant(32, "i64")
    body = take("%s", "ring") + text

    def issue(row):
        index, text = constant(row * 32, "i64")
        place, t0 = constant(row % stages * 32, "i64")
        n = f"{row}"
        return (text + t0 + f"%gi{n} = arith.addi %t, {index} : i64\n%si{n} = arith.addi %t, {place} : i64\n"
                f"%g{n} = llvm.getelementptr %a0[%gi{n}] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n"
                f"%h{n} = llvm.addrspacecast %g{n} : !llvm.ptr to !llvm.ptr<1>\n"
                f"%p{n} = llvm.getelementptr %s[%si{n}] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i32\n"
                f"nvvm.cp.async.shared.global %p{n}, %h{n}, 4, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>\n"
                "nvvm.cp.async.commit.group\n")

    reverse, text = constant(31, "i64")
    body += text + f"%back = arith.subi {reverse}, %t : i64\n" + issue(0) + issue(1)
    for row in range(rows):
        body += issue(row + 2) if row + 2 < rows else "nvvm.cp.async.commit.group\n"
        place, text = constant(row % stages * 32, "i64")
        to, t0 = constant(row * 32, "i64")
        body += ("nvvm.cp.async.wait.group 2\nnvvm.barrier0\n" + text + t0 +
                 f"%ri{row} = arith.addi %back, {place} : i64\n%oi{row} = arith.addi %t, {to} : i64\n" +
                 load(f"%v{row}", "%s", f"%ri{row}", "i32", 3) +
                 store(f"%v{row}", "%out", f"%oi{row}", "i32") + "nvvm.barrier0\n")
    yield ("cp.async groups", Kernel(body, [x], (rows, 32), np.int32,
                                     variables=shared("ring", stages * 32, "i32")), x[:, ::-1], 0)


#===-- Barriers -------------------------------------------------------------===#


def named_barriers():
    """Warp 0 makes what warp 1 reads, and may go on; two barriers take turns."""
    x = rng(6).integers(0, 10**6, (5, 32)).astype(np.int32)
    count, text = constant(64)
    full, t0 = constant(1)
    empty, t1 = constant(2)
    warp, t2 = constant(32)
    body = (take("%s", "slot") + text + t0 + t1 + t2 +
            f"%produces = arith.cmpi ult, %tid, {warp} : i32\n"
            f"%lane32 = arith.remui %tid, {warp} : i32\n%lane = arith.extui %lane32 : i32 to i64\n"
            "scf.if %produces {\n")
    for row in range(5):
        index, text = constant(row * 32, "i64")
        body += text + f"%i{row} = arith.addi %lane, {index} : i64\n" + load(f"%v{row}", "%a0", f"%i{row}", "i32")
        if row:
            body += f"nvvm.barrier id = {empty} number_of_threads = {count}\n"
        body += store(f"%v{row}", "%s", "%lane", "i32", 3)
        body += f"nvvm.barrier.arrive id = {full} number_of_threads = {count}\n"
    mirror, text = constant(31, "i64")
    body += "} else {\n" + text + f"%back = arith.subi {mirror}, %lane : i64\n"
    for row in range(5):
        index, text = constant(row * 32, "i64")
        body += (f"nvvm.barrier id = {full} number_of_threads = {count}\n" +
                 load(f"%w{row}", "%s", "%back", "i32", 3) + text +
                 f"%j{row} = arith.addi %lane, {index} : i64\n" + store(f"%w{row}", "%out", f"%j{row}", "i32"))
        if row < 4:
            body += f"nvvm.barrier.arrive id = {empty} number_of_threads = {count}\n"
    body += "}\n"
    yield ("named barriers", Kernel(body, [x], (5, 32), np.int32, block=(64, 1, 1),
                                    variables=shared("slot", 32, "i32")), x[:, ::-1], 0)


def mbarrier():
    """The same with two mbarriers, waited for by parity, in each way to wait."""
    x = rng(8).integers(0, 10**6, (5, 32)).astype(np.int32)
    for wait in ("loop", "try", "test"):
        warp, text = constant(32)
        zero, t0 = constant(0)
        one64, t1 = constant(1, "i64")
        ticks, t2 = constant(1000)
        body = (take("%s", "slot") + take("%full", "bars") + text + t0 + t1 + t2 +
                f"%empty = llvm.getelementptr %full[{one64}] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i64\n"
                f"%first = arith.cmpi eq, %tid, {zero} : i32\nscf.if %first {{\n"
                f"nvvm.mbarrier.init %full, {warp} : !llvm.ptr<3>, i32\n"
                f"nvvm.mbarrier.init %empty, {warp} : !llvm.ptr<3>, i32\n}}\nnvvm.barrier0\n"
                f"%produces = arith.cmpi ult, %tid, {warp} : i32\n"
                f"%lane32 = arith.remui %tid, {warp} : i32\n%lane = arith.extui %lane32 : i32 to i64\n")

        def until(barrier, parity, n):
            value, text = constant(parity)
            if wait == "loop":
                return text + (f"nvvm.mbarrier.try_wait.parity {barrier}, {value}, {ticks} "
                               ": !llvm.ptr<3>, i32, i32\n")
            op = {"try": "try_wait", "test": "test.wait"}[wait]
            yes, t0 = constant("true", "i1")
            return text + t0 + (
                f"scf.while : () -> () {{\n%d{n} = nvvm.mbarrier.{op} {barrier}, {value} "
                f": !llvm.ptr<3>, i32 -> i1\n%n{n} = arith.xori %d{n}, {yes} : i1\n"
                f"scf.condition(%n{n})\n}} do {{\nscf.yield\n}}\n")

        body += "scf.if %produces {\n"
        for row in range(5):
            index, text = constant(row * 32, "i64")
            body += text + f"%i{row} = arith.addi %lane, {index} : i64\n" + load(f"%v{row}", "%a0", f"%i{row}", "i32")
            if row:
                body += until("%empty", (row - 1) % 2, f"e{row}")
            body += store(f"%v{row}", "%s", "%lane", "i32", 3)
            body += f"%fs{row} = nvvm.mbarrier.arrive %full : !llvm.ptr<3> -> i64\n"
        mirror, text = constant(31, "i64")
        body += "} else {\n" + text + f"%back = arith.subi {mirror}, %lane : i64\n"
        for row in range(5):
            index, text = constant(row * 32, "i64")
            body += (until("%full", row % 2, f"f{row}") + load(f"%w{row}", "%s", "%back", "i32", 3) +
                     text + f"%j{row} = arith.addi %lane, {index} : i64\n" +
                     store(f"%w{row}", "%out", f"%j{row}", "i32") +
                     f"%es{row} = nvvm.mbarrier.arrive %empty : !llvm.ptr<3> -> i64\n")
        body += "}\n"
        yield (f"mbarrier {wait}",
               Kernel(body, [x], (5, 32), np.int32, block=(64, 1, 1), chip="sm_90", ptx=80,
                      variables=shared("slot", 32, "i32") + shared("bars", 2, "i64", 8)),
               x[:, ::-1], 0)


def mbarrier_copies():
    """An mbarrier that cp.async completes."""
    x = rng(9).integers(0, 10**6, (64,)).astype(np.int32)
    count, text = constant(64)
    zero, t0 = constant(0)
    ticks, t1 = constant(1000)
    mirror, t2 = constant(63, "i64")
    body = (take("%s", "slot") + take("%bar", "bar") + text + t0 + t1 + t2 +
            f"%first = arith.cmpi eq, %tid, {zero} : i32\nscf.if %first {{\n"
            f"nvvm.mbarrier.init %bar, {count} : !llvm.ptr<3>, i32\n}}\nnvvm.barrier0\n"
            "%p = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i32\n"
            "%g = llvm.getelementptr %a0[%t] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n"
            "%g1 = llvm.addrspacecast %g : !llvm.ptr to !llvm.ptr<1>\n"
            "nvvm.cp.async.shared.global %p, %g1, 4, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>\n"
            "nvvm.cp.async.mbarrier.arrive %bar {noinc = true} : !llvm.ptr<3>\n"
            f"nvvm.mbarrier.try_wait.parity %bar, {zero}, {ticks} : !llvm.ptr<3>, i32, i32\n"
            f"%back = arith.subi {mirror}, %t : i64\n" + load("%v", "%s", "%back", "i32", 3) +
            store("%v", "%out", "%t", "i32"))
    yield ("cp.async.mbarrier.arrive", Kernel(body, [x], (64,), np.int32, block=(64, 1, 1),
                                              chip="sm_90", ptx=80,
                                              variables=shared("slot", 64, "i32") + shared("bar", 1, "i64", 8)),
           x[::-1], 0)


#===-- Arithmetic -----------------------------------------------------------===#


def approximations():
    """Functions of f32, as exact as the PTX ISA promises."""
    wide = rng(11).uniform(-20, 20, 32).astype(np.float32)
    positive = np.abs(wide) + np.float32(0.01)
    angles = rng(12).uniform(-3.1, 3.1, 32).astype(np.float32)
    functions = {"ex2.approx.ftz.f": (wide / 4, np.exp2), "lg2.approx.ftz.f": (positive, np.log2),
                 "sin.approx.ftz.f": (angles, np.sin), "cos.approx.ftz.f": (angles, np.cos),
                 "rcp.approx.ftz.f": (positive, np.reciprocal), "sqrt.approx.ftz.f": (positive, np.sqrt),
                 "rsqrt.approx.ftz.f": (positive, lambda x: 1 / np.sqrt(x))}
    for name, (x, function) in functions.items():
        body = (load("%x", "%a0", "%t", "f32") +
                f'%y = llvm.call_intrinsic "llvm.nvvm.{name}"(%x) : (f32) -> f32\n' +
                store("%y", "%out", "%t", "f32"))
        yield name, Kernel(body, [x], (32,)), function(x.astype(float)), 2e-6
    # Denormal operands and results are flushed.
    for name, x, want in (("ex2.approx.ftz.f", -140.0, 0.0), ("ex2.approx.ftz.f", 2.0**-130, 1.0),
                          ("rcp.approx.ftz.f", 2.0**-130, np.inf)):
        body = (load("%x", "%a0", "%t", "f32") +
                f'%y = llvm.call_intrinsic "llvm.nvvm.{name}"(%x) : (f32) -> f32\n' +
                store("%y", "%out", "%t", "f32"))
        yield (f"{name} of {x}", Kernel(body, [np.full(32, x, np.float32)], (32,)),
               np.full(32, want, np.float32), 0)


def conversions():
    """Pairs of floats to pairs of bf16, to the nearest, ties to even."""
    x = rng(13).standard_normal((32, 2)).astype(np.float32)
    x[0] = [1 + 2.0**-8, 1 + 3 * 2.0**-8]  # between two numbers
    two, text = constant(2, "i64")
    one, t0 = constant(1, "i64")
    body = (text + t0 + f"%i = arith.muli %t, {two} : i64\n%j = arith.addi %i, {one} : i64\n" +
            load("%x", "%a0", "%i", "f32") + load("%y", "%a0", "%j", "f32") +
            '%r = llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"(%y, %x) : (f32, f32) -> vector<2xbf16>\n' +
            store("%r", "%out", "%i", "vector<2xbf16>").replace(", vector<2xbf16>\n", ", bf16\n", 1))
    yield "ff2bf16x2", Kernel(body, [x], (32, 2), np.uint16), bf16(x), 0


def atomics():
    """Sums by atomics, of all blocks, in shared and in global memory."""
    x = rng(14).integers(-1000, 1000, (4, 64)).astype(np.int32)
    threads, text = constant(64)
    zero, t0 = constant(0)
    z64, t1 = constant(0, "i64")
    body = (take("%s", "sum") + text + t0 + t1 + "%b = nvvm.read.ptx.sreg.ctaid.x : i32\n"
            f"%first = arith.cmpi eq, %tid, {zero} : i32\nscf.if %first {{\n" +
            store(zero, "%s", z64, "i32", 3) + "}\nnvvm.barrier0\n"
            f"%begin = arith.muli %b, {threads} : i32\n%at = arith.addi %begin, %tid : i32\n"
            "%i = arith.extui %at : i32 to i64\n" + load("%x", "%a0", "%i", "i32") +
            "%old = llvm.atomicrmw add %s, %x monotonic : !llvm.ptr<3>, i32\nnvvm.barrier0\n"
            "scf.if %first {\n" + load("%sum", "%s", z64, "i32", 3) +
            "%last = llvm.atomicrmw add %a1, %sum monotonic : !llvm.ptr, i32\n}\n"
            "nvvm.barrier0\n"
            # The array is the sum so far, and only the last block knows that it is all.
            "%grid = nvvm.read.ptx.sreg.nctaid.x : i32\nscf.if %first {\n"
            f"%c1 = arith.constant 1 : i32\n%one = arith.constant 1 : i64\n"
            "%counter = llvm.getelementptr %a1[%one] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n"
            "%done = llvm.atomicrmw add %counter, %c1 acq_rel : !llvm.ptr, i32\n"
            "%all = arith.addi %done, %c1 : i32\n%isLast = arith.cmpi eq, %all, %grid : i32\n"
            "scf.if %isLast {\n"
            "%total = llvm.atomicrmw add %a1, %zero monotonic : !llvm.ptr, i32\n" +
            store("%total", "%out", z64, "i32") + "}\n}\n")
    body = body.replace("%zero", zero)
    yield ("atomics", Kernel(body, [x, np.zeros(2, np.int32)], (1,), np.int32, grid=(4, 1, 1),
                             block=(64, 1, 1), variables=shared("sum", 1, "i32")),
           x.sum(keepdims=True).reshape(1).astype(np.int32), 0)
