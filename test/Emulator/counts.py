"""What --counts says of kernels that are easy to count by hand.

Every case is a kernel and the lines that must be printed.
"""

import sys

import numpy as np

from kernel import Kernel, constant, load, shared, store, take

X = np.arange(1024, dtype=np.float32)
TILE = shared("tile", 33 * 32, "f32")


def scaled(name, factor):
    size, text = constant(factor, "i64")
    return text + f"{name} = arith.muli %t, {size} : i64\n"


def columns(stride):
    """Lane i writes column 0 of row i, then reads it."""
    body = (take("%s", "tile") + load("%x", "%a0", "%t", "f32") + scaled("%i", stride) +
            store("%x", "%s", "%i", "f32", 3) +
            "nvvm.barrier0\n" + load("%y", "%s", "%i", "f32", 3) + store("%y", "%out", "%t", "f32"))
    return Kernel(body, [X], (32,), variables=TILE)


def strided(stride):
    """Lane i reads number i * stride of global memory."""
    return Kernel(scaled("%i", stride) + load("%x", "%a0", "%i", "f32") + store("%x", "%out", "%t", "f32"),
                  [X], (32,))


def wide():
    """Four numbers at a time, which shared memory needs four turns for."""
    zero, text = constant(0, "i64")
    body = (take("%s", "tile") + text + scaled("%i", 4) +
            "%g = llvm.getelementptr %a0[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32\n"
            "%p = llvm.getelementptr %s[%i] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, f32\n"
            "%o = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32\n"
            "%x = llvm.load %g {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>\n"
            "llvm.store %x, %p {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>\nnvvm.barrier0\n"
            "%y = llvm.load %p {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>\n"
            "llvm.store %y, %o {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr\n")
    return Kernel(body, [X], (128,), variables=TILE)


def matrix(stride):
    """ldmatrix of rows that are `stride` 16-byte pieces apart."""
    eight, text = constant(8 * stride, "i64")
    body = (take("%s", "tile") + text + f"%i = arith.muli %t, {eight} : i64\n"
            "%p = llvm.getelementptr %s[%i] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i16\n"
            "%v = arith.constant dense<0> : vector<4xi32>\nllvm.store %v, %p : vector<4xi32>, !llvm.ptr<3>\n"
            "nvvm.barrier0\n"
            "%r = nvvm.ldmatrix %p {num = 1 : i32, layout = #nvvm.mma_layout<row>, "
            "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, "
            "eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> i32\n" +
            store("%r", "%out", "%t", "i32"))
    return Kernel(body, [], (32,), np.int32, variables=shared("tile", 32 * 64, "i16"))


def chain():
    """Two additions, a multiplication and an addition that fuse or do not, a root."""
    body = load("%x", "%a0", "%t", "f32")
    body += ("%y = arith.addf %x, %x : f32\n%z = arith.mulf %y, %x : f32\n"
             '%w = llvm.intr.sqrt(%z) : (f32) -> f32\n' + store("%w", "%out", "%t", "f32"))
    return Kernel(body, [X], (32,))


CASES = [
    ("one bank for all", columns(32), ["shared stores of warps: 1, 128 bytes, 32 turns, 31 bank conflicts",
                                       "shared loads of warps: 1, 128 bytes, 32 turns, 31 bank conflicts"]),
    ("two banks apart", columns(2), ["shared loads of warps: 1, 128 bytes, 2 turns, 1 bank conflicts"]),
    ("padded rows", columns(33), ["shared loads of warps: 1, 128 bytes, 1 turns, 0 bank conflicts"]),
    ("one number for all", strided(0), ["global loads of warps: 1, 128 bytes, 1 sectors"]),
    ("neighbours", strided(1), ["global loads of warps: 1, 128 bytes, 4 sectors",
                                "global stores of warps: 1, 128 bytes, 4 sectors",
                                "kernel 'kernel': 1 launches, 1 blocks, 32 threads"]),
    ("far apart", strided(8), ["global loads of warps: 1, 128 bytes, 32 sectors"]),
    ("wide", wide(), ["global loads of warps: 1, 512 bytes, 16 sectors",
                      "shared stores of warps: 1, 512 bytes, 4 turns, 0 bank conflicts"]),
    ("dense matrix", matrix(1), ["shared loads of warps: 1, 128 bytes, 1 turns, 0 bank conflicts",
                                 "ldmatrix.sync.aligned.m8n8.x1.b16.p3: 32"]),
    ("matrix in wide rows", matrix(8), ["shared loads of warps: 1, 128 bytes, 8 turns, 7 bank conflicts"]),
    ("arithmetic", chain(), ["instructions of threads: float 64, special 32, "]),
]


def main():
    for name, kernel, lines in CASES:
        _, text = kernel.run("emulator", "--counts")
        for line in lines:
            if line not in text:
                sys.exit(f"{name}: expected {line}\nbut got\n{text}")
        print(name)


if __name__ == "__main__":
    main()
