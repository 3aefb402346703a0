"""Fragments of matrices, from shared memory, multiplied, and back."""

import numpy as np

from instructions.numbers import bf16, from_bf16, rng, tf32
from kernel import Kernel, constant, load, shared, store, take


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
