"""Copies from global to shared memory that go on beside other work."""

import numpy as np

from instructions.numbers import rng
from kernel import Kernel, constant, load, shared, store, take


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
