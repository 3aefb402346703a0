"""Barriers by number and in shared memory."""

import numpy as np

from instructions.numbers import rng
from kernel import Kernel, constant, load, shared, store, take


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
