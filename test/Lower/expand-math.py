"""Measures --posenc-expand-math against float64.

Each bound is what docs/numerics.md states; `relative` errors are of the
result, others absolute. Of a GELU that is rounded to bf16, what it errs by beyond
the rounding is measured.
"""
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def gelu(x):
    return np.where(x == -np.inf, 0, x / 2 * np.vectorize(math.erfc)(-x / math.sqrt(2)))


N = 65536
FUNCTIONS = {  # name: (numpy function, inputs, relative, bound)
    "exp": (np.exp, (-87.3, 88.7), True, 4e-7),
    "exp2": (np.exp2, (-126, 127.99), True, 4e-7),
    "erf": (np.vectorize(math.erf), (-6, 6), False, 1e-6),
    "gelu": (gelu, (-8, 8), False, 1e-6),
    "gelu-bf16": (gelu, (-8, 8), False, 3e-5),
    "tanh": (np.tanh, (-12, 12), True, 6e-7),
    "sin": (np.sin, (-3e5, 3e5), False, 3e-7),
    "cos": (np.cos, (-3e5, 3e5), False, 3e-7),
    "rsqrt": (lambda x: 1 / np.sqrt(x), (1e-20, 1e20), True, 3e-7),
}
PIPELINE = ("builtin.module(posenc-expand-math,convert-scf-to-cf,convert-vector-to-llvm,"
            "convert-math-to-llvm,finalize-memref-to-llvm,convert-func-to-llvm,convert-arith-to-llvm,"
            "convert-cf-to-llvm,convert-index-to-llvm,reconcile-unrealized-casts)")
PROGRAM = """
func.func @f(%x: memref<{n}xf32>) -> memref<{n}xf32> {{
  %c0 = arith.constant 0 : index
  %n = arith.constant {n} : index
  %step = arith.constant {lanes} : index
  %y = memref.alloc() : memref<{n}xf32>
  scf.for %i = %c0 to %n step %step {{
    %v = vector.load %x[%i] : memref<{n}xf32>, vector<{lanes}xf32>
{body}
    vector.store %r, %y[%i] : memref<{n}xf32>, vector<{lanes}xf32>
  }}
  return %y : memref<{n}xf32>
}}
"""
GELU = """
    %root = arith.constant dense<0.707106769> : vector<8xf32>
    %half = arith.constant dense<0.5> : vector<8xf32>
    %one = arith.constant dense<1.0> : vector<8xf32>
    %z = arith.mulf %v, %root : vector<8xf32>
    %e = math.erf %z : vector<8xf32>
    %h = arith.mulf %v, %half : vector<8xf32>
    %s = arith.addf %e, %one : vector<8xf32>
    %r = arith.mulf %h, %s : vector<8xf32>"""
ROUNDED = (GELU.replace("%r =", "%f =") + """
    %t = arith.truncf %f : vector<8xf32> to vector<8xbf16>
    %r = arith.extf %t : vector<8xbf16> to vector<8xf32>""").replace("<8x", "<16x")
SPECIAL = np.array([0, -0.0, np.inf, -np.inf, np.nan, 200, -200, 1e-30] * 2, np.float32)


def run(folder, name, x):
    source = folder / f"{name}.mlir"
    body = {"gelu": GELU, "gelu-bf16": ROUNDED}.get(name, f"%r = math.{name} %v : vector<8xf32>")
    source.write_text(PROGRAM.format(n=len(x), body=body, lanes=16 if name == "gelu-bf16" else 8))
    np.save(folder / "x.npy", x)
    subprocess.run(["pe-runner", source, f"--pipeline={PIPELINE}", f"--input=@{folder}/x.npy",
                    f"--output=@{folder}/y.npy"], check=True)
    return np.load(folder / "y.npy")


def main():
    generator = np.random.default_rng(5)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for function, (oracle, (low, high), relative, bound) in FUNCTIONS.items():
            x = generator.uniform(low, high, N).astype(np.float32)
            if function == "rsqrt":
                x = np.exp(generator.uniform(np.log(low), np.log(high), N)).astype(np.float32)
            else:
                x[: N // 4] = generator.uniform(-1, 1, N // 4)
            expected = oracle(x.astype(np.float64))
            error = np.abs(run(folder, function, x) - expected)
            if "bf16" in function:
                error -= np.abs(expected) / 256
            if relative:
                error /= np.maximum(np.abs(expected), 1e-30)
            worst = error.max()
            good = worst <= bound
            print(f"{function}: {worst:.2e} of {bound:.0e} at {x[error.argmax()]}")
            if function in ("exp", "exp2", "tanh", "erf") or "gelu" in function:
                with np.errstate(all="ignore"):
                    limits = oracle(SPECIAL.astype(np.float64)).astype(np.float32)
                got = run(folder, function, SPECIAL)
                if not np.allclose(got, limits, rtol=4e-3 if "bf16" in function else 1e-6, atol=1e-6, equal_nan=True):
                    print(f"{function}: expected {limits} for {SPECIAL}, but found {got}")
                    good = False
            failed |= not good
    sys.exit(failed)


main()
