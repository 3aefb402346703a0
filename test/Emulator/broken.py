"""Kernels with one mistake each, which --check must name.

    broken.py [NAME]

Every kernel comes with the message, a regular expression, and with its repaired
form, about which nothing must be said. NAME prints the module of a broken one.
"""

import re
import sys

import numpy as np

from kernel import Kernel, constant, load, shared, store, take

X = np.arange(64, dtype=np.int32)
HEAD = r"error: kernel 'kernel', block \(0, 0, 0\)"


def reverse(body, count=64, **options):
    """A kernel whose body stores the array to @tile and loads it in reverse."""
    mirror, text = constant(count - 1, "i64")
    options.setdefault("variables", shared("tile", count, "i32"))
    return Kernel(take("%s", "tile") + text + f"%back = arith.subi {mirror}, %t : i64\n" + body,
                  [X[:count]], (count,), np.int32, block=(count, 1, 1), **options)


LOAD = load("%x", "%a0", "%t", "i32")
STORE = store("%x", "%s", "%t", "i32", 3)
BACK = load("%y", "%s", "%back", "i32", 3)
RESULT = store("%y", "%out", "%t", "i32")
BARRIER = "nvvm.barrier0\n"


def races():
    good = reverse(LOAD + STORE + BARRIER + BACK + RESULT)
    yield "read-after-write", reverse(LOAD + STORE + BACK + RESULT), good, (
        r"(data race: load of i32 reads shared offset \d+ \(byte \d+ of 'tile'\), which thread "
        r"\(\d+, 0, 0\) wrote, and no barrier is between the two"
        # In the other order nobody has written it yet.
        r"|load of i32: reads shared offset \d+ \(byte \d+ of 'tile'\), which nobody has written)")
    half, text = constant(32)
    again = (LOAD + STORE + BARRIER + BACK + RESULT + text + "{}"
             f"%isUpper = arith.cmpi uge, %tid, {half} : i32\nscf.if %isUpper {{{{\n"
             + store("%tid", "%s", "%t", "i32", 3) + "}}\n")
    yield "write-after-read", reverse(again.format("")), reverse(again.format(BARRIER)), (
        HEAD + r", thread \(32, 0, 0\): data race: store of i32 writes shared offset 128 \(byte 128 of 'tile'\), "
        r"which thread \(31, 0, 0\) reads, and no barrier is between the two")
    # A barrier of a warp is enough within the warp only.
    warp, text = constant(-1)
    sync = text + f"nvvm.bar.warp.sync {warp} : i32\n"
    yield ("warp barrier between warps", reverse(LOAD + STORE + sync + BACK + RESULT),
           reverse(LOAD + STORE + sync + BACK + RESULT, 32), r"(data race|nobody has written)")
    # Two blocks write one place.
    zero, text = constant(0, "i64")
    block = "%b = nvvm.read.ptx.sreg.ctaid.x : i32\n%w = arith.extui %b : i32 to i64\n"
    twice = lambda index: Kernel(block + text + store("%b", "%out", index, "i32"), [], (2,), np.int32,
                                 grid=(2, 1, 1), block=(1, 1, 1))
    yield ("blocks", twice(zero), twice("%w"),
           r"data race: store of i32 writes byte 0 of a buffer of 8 bytes, which a thread of "
           r"another block wrote")


def bounds():
    good = reverse(LOAD + STORE + BARRIER + BACK + RESULT)
    one, text = constant(1, "i64")
    more = text + f"%next = arith.addi %t, {one} : i64\n"
    yield "past a buffer", reverse(
        more + load("%x", "%a0", "%next", "i32") + STORE + BARRIER + BACK + RESULT), good, (
        HEAD + r", thread \(63, 0, 0\): load of i32: reads 4 bytes at byte 256 of a buffer of 256 bytes")
    yield "past shared memory", reverse(
        LOAD + STORE + BARRIER + more + load("%y", "%s", "%next", "i32", 3) + RESULT,
        variables=shared("tile", 64, "i32") + shared("other", 64, "i32")), good, (
        HEAD + r", thread \(63, 0, 0\): load of i32: reads 4 bytes at shared offset 256, past the end of 'tile' of 256 bytes")
    # A stride of three bytes, where four were meant.
    bytes_, text = constant(3, "i64")
    wrong = (text + f"%i = arith.muli %t, {bytes_} : i64\n"
             "%p = llvm.getelementptr %s[%i] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i8\n"
             "llvm.store %x, %p : i32, !llvm.ptr<3>\n")
    yield "wrong stride", reverse(LOAD + wrong + BARRIER + BACK + RESULT, 32), reverse(
        LOAD + STORE + BARRIER + BACK + RESULT, 32), (
        r"store of i32: writes 4 bytes at shared offset 3 \(byte 3 of 'tile'\), which is not a multiple of 4")
    # The launch gives 64 bytes, of which the second warp needs more.
    dynamic = "llvm.mlir.global external @tile() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>\n"
    body = LOAD + STORE + BARRIER + BACK + RESULT
    yield "past dynamic shared memory", reverse(body, variables=dynamic, dynamic=64), reverse(
        body, variables=dynamic, dynamic=256), (
        r"thread \(16, 0, 0\): store of i32: writes 4 bytes at shared offset 64, past the end of the 64 dynamic bytes of the launch, which start at 0")


def values():
    even, text = constant(1)
    zero, t0 = constant(0)
    guarded = (LOAD + text + t0 + f"%odd = arith.andi %tid, {even} : i32\n"
               f"%isEven = arith.cmpi eq, %odd, {zero} : i32\nscf.if %isEven {{\n{STORE}}}\n")
    good = reverse(LOAD + STORE + BARRIER + BACK + RESULT)
    yield "uninitialised shared memory", reverse(guarded + BARRIER + BACK + RESULT), good, (
        HEAD + r", thread \(0, 0, 0\): load of i32: reads shared offset 252 \(byte 252 of 'tile'\), which nobody has written")
    yield "result not written", reverse(
        LOAD + STORE + BARRIER + BACK + text + t0 + f"%odd = arith.andi %tid, {even} : i32\n"
        f"%isEven = arith.cmpi eq, %odd, {zero} : i32\nscf.if %isEven {{\n{RESULT}}}\n"), good, (
        r"error: the host reads byte 4 of a buffer of 256 bytes, which nobody has written")


def copies():
    copy = ("%p = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i32\n"
            "%g = llvm.getelementptr %a0[%t] : (!llvm.ptr, i64) -> !llvm.ptr, i32\n"
            "%g1 = llvm.addrspacecast %g : !llvm.ptr to !llvm.ptr<1>\n"
            "nvvm.cp.async.shared.global %p, %g1, 4, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>\n"
            "nvvm.cp.async.commit.group\n")
    wait = "nvvm.cp.async.wait.group {}\n"
    good = reverse(copy + wait.format(0) + BARRIER + BACK + RESULT)
    message = (r"load of i32 reads shared offset \d+ \(byte \d+ of 'tile'\), which a cp.async of thread "
               r"\(\d+, 0, 0\) may still be writing: no cp.async.wait_group is in between")
    yield "missing wait", reverse(copy + BARRIER + BACK + RESULT), good, message
    yield "wait for too few groups", reverse(copy + wait.format(1) + BARRIER + BACK + RESULT), good, message
    yield "wait without barrier", reverse(copy + wait.format(0) + BACK + RESULT), good, (
        r"(data race|may still be writing|nobody has written)")


def deadlocks():
    body = LOAD + STORE + "{}" + BARRIER + BACK + RESULT
    good = reverse(body.format(""))
    warp, text = constant(32)
    half, t0 = constant(16)
    leave = lambda limit, text: body.format(
        text + f"%stays = arith.cmpi uge, %tid, {limit} : i32\nscf.if %stays {{\nnvvm.barrier0\n}}\n")
    yield "barrier of some warps", reverse(leave(warp, text)), good, (
        r"error: kernel 'kernel', block \(0, 0, 0\): deadlock: threads 0 to 31 exited; threads 32 to 63 wait for "
        r"barrier 0; at barrier 0 32 of 64 threads have arrived")
    yield "divergent barrier", reverse(leave(half, t0)), good, (
        r"divergent barrier: barrier.cta.sync.aligned.all, but others of the warp are at a barrier elsewhere")
    # Lane 0 does not come to the shuffle that names it.
    mask, text = constant(-1)
    zero, t0 = constant(0)
    bound, t1 = constant(31)
    shuffle = f"%y = nvvm.shfl.sync idx {mask}, %x, {zero}, {bound} : i32 -> i32\n" + RESULT
    lonely = (text + t0 + t1 + f"%rest = arith.cmpi ne, %tid, {zero} : i32\n"
              "%v = scf.if %rest -> (i32) {{\n" + shuffle + "scf.yield %y : i32\n}} else {{\n"
              "{}scf.yield %x : i32\n}}\n")
    together = text + t0 + t1 + shuffle
    yield "divergent shuffle", reverse(LOAD + lonely.format(
        "nvvm.bar.warp.sync " + mask + " : i32\n") + store("%v", "%out", "%t", "i32"), 32), reverse(
        LOAD + together, 32), (
        r"divergent warp: (shfl.sync.idx.i32|bar.warp.sync), but others of the warp are in "
        r"(bar.warp.sync|shfl.sync.idx.i32)")
    # The mbarrier expects one more thread than there are.
    def arrivals(count):
        number, text = constant(count)
        ticks, t1 = constant(1000)
        return (take("%bar", "bar") + text + t0 + t1 + f"%first = arith.cmpi eq, %tid, {zero} : i32\n"
                f"scf.if %first {{\nnvvm.mbarrier.init %bar, {number} : !llvm.ptr<3>, i32\n}}\n{BARRIER}"
                "%state = nvvm.mbarrier.arrive %bar : !llvm.ptr<3> -> i64\n"
                f"nvvm.mbarrier.try_wait.parity %bar, {zero}, {ticks} : !llvm.ptr<3>, i32, i32\n")
    options = {"variables": shared("bar", 1, "i64", 8) + shared("tile", 64, "i32"), "chip": "sm_90", "ptx": 80}
    rest = LOAD + STORE + "{}" + BACK + RESULT
    yield "missing arrival", reverse(rest.format(arrivals(65)), **options), reverse(
        rest.format(arrivals(64)), **options), (
        r"deadlock: threads 0 to 63 wait for the mbarrier at shared offset 0; the mbarrier at shared offset 0 "
        r"lacks 1 of 65 arrivals")


def matrices():
    """ldmatrix of rows that are 12 elements apart, where 8 or 16 were meant."""
    def rows(distance):
        apart, text = constant(distance, "i64")
        return Kernel(take("%s", "tile") + text + f"%i = arith.muli %t, {apart} : i64\n"
                      "%p = llvm.getelementptr %s[%i] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i16\n"
                      "%v = arith.constant dense<0> : vector<8xi16>\n"
                      "llvm.store %v, %p {alignment = 2 : i64} : vector<8xi16>, !llvm.ptr<3>\n" + BARRIER +
                      "%r = nvvm.ldmatrix %p {num = 4 : i32, layout = #nvvm.mma_layout<row>, "
                      "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, "
                      "eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> "
                      "!llvm.struct<(i32, i32, i32, i32)>\n"
                      "%y = llvm.extractvalue %r[3] : !llvm.struct<(i32, i32, i32, i32)>\n" + RESULT,
                      [], (32,), np.int32, variables=shared("tile", 32 * 16, "i16"))
    yield "ldmatrix of misaligned rows", rows(12), rows(16), (
        HEAD + r", thread \(1, 0, 0\): ldmatrix.sync.aligned.m8n8.x4.b16.p3: expected 16 aligned bytes of shared "
        r"memory, but row 1 is at shared offset 24")


def all_cases():
    for group in (races, bounds, values, copies, deadlocks, matrices):
        yield from group()


def main():
    if len(sys.argv) > 1:
        print({name: broken for name, broken, *_ in all_cases()}[sys.argv[1]].module())
        return
    for name, broken, good, message in all_cases():
        have, text = broken.run("emulator", "--check")
        if have is not None:
            sys.exit(f"{name}: nothing is found\n{broken.module()}")
        if not re.search(message, text):
            sys.exit(f"{name}: expected {message}\nbut got {text}\n{broken.module()}")
        have, text = good.run("emulator", "--check")
        if have is None:
            sys.exit(f"{name}: the repaired form is refused: {text}\n{good.module()}")
        print(name)


if __name__ == "__main__":
    main()
