"""Functions, conversions and atomics."""

import numpy as np

from instructions.numbers import bf16, rng
from kernel import Kernel, constant, load, shared, store, take


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
