"""Runs kernels of tiles and fragments, and compares them with numpy.

    execute.py DEVICE[,DEVICE] NAME...

A kernel has one block. Its body finds the arrays at %a0, %a1, ... and %out, the
constants %c0, %c8, ... and the first row of its warp, of 16, in %row.
"""

import os
import re
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Emulator"))
from kernel import TYPES, Kernel, memref  # noqa: E402

LOWER = ("builtin.module(gpu.module(posenc-lower-fragments,canonicalize,cse,"
         "expand-strided-metadata,lower-affine,convert-scf-to-cf,"
         "convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1},reconcile-unrealized-casts))")
CONSTANTS = (0, 8, 16, 32, 48, 64, 80, 96, 112, 128, 256)


class FragmentKernel(Kernel):
    """A kernel in the dialect pgpu, which comes to NVVM before the host's part."""

    def module(self):
        arguments = [f"%a{n}: {memref(a.shape, a.dtype)}" for n, a in enumerate(self.inputs)]
        arguments.append(f"%out: {memref(self.shape, self.dtype)}")
        lines = [f"%c{n} = arith.constant {n} : index" for n in CONSTANTS]
        lines += ["%t = gpu.thread_id x", "%w = arith.divui %t, %c32 : index",
                  "%row = arith.muli %w, %c16 : index", self.body, "gpu.return"]
        block = ", ".join(map(str, self.block))
        function = (f"gpu.func @kernel({', '.join(arguments)}) kernel attributes "
                    f"{{known_block_size = array<i32: {block}>}} {{\n" + "\n".join(lines) + "\n}\n")
        text = re.sub(r"llvm.func @kernel.*llvm.return\n *}\n", lambda _: function,
                      super().module(), flags=re.S)
        process = subprocess.run(["pe-opt", f"--pass-pipeline={LOWER}"], input=text,
                                 capture_output=True, text=True)
        return process.stdout if process.returncode == 0 else sys.exit(process.stderr + text)


def bf16(array):
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def exact(array):
    """What f16 or bf16 hold, in f64."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64)


def random(seed, shape, kind):
    x = np.random.default_rng(seed).standard_normal(shape)
    return x.astype(np.float16) if kind == "f16" else bf16(x)


def copies(*tiles):
    """Tiles %t0, %t1, ... of the arrays, which are complete when this ends."""
    text = ""
    for n, (kind, end) in enumerate(tiles):
        columns, element = kind.split("x")[2:]
        text += (f"%t{n} = pgpu.alloc : !pgpu.tile<{kind}>\n"
                 f"%end{n} = arith.constant {end} : index\n"
                 f"pgpu.copy %a{n}[%c0 to %end{n}], %t{n}[%c0] : "
                 f"memref<{end}x{columns}x{element}>, !pgpu.tile<{kind}>\n")
    return text + "nvvm.cp.async.commit.group\nnvvm.cp.async.wait.group 0\ngpu.barrier\n"


def product():
    """x (rows in four warps) by y, which is a tile of columns or, transposed, of rows."""
    for kind in ("f16", "bf16"):
        for width, outputs in ((16, 16), (32, 8), (48, 32), (64, 64), (96, 48), (80, 16), (256, 8)):
            for transposed in (True, False):
                # The last rows of x are behind its end.
                x = random(1, (51, width), kind)
                y = random(2, (outputs, width) if transposed else (width, outputs), kind)
                if not transposed and outputs % 16:
                    continue # a tile cannot have so few columns, but rows, which become zeros
                most = max(outputs, 16)
                half = most // 2
                tile = f"1x{most}x{width}x{kind}" if transposed else f"1x{width}x{outputs}x{kind}"
                where = "%c0, %k] as transposed right" if transposed else "%k, %c0] as right"
                body = copies((f"1x64x{width}x{kind}", 51), (tile, y.shape[0])) + f"""
                  %zero = arith.constant dense<0.0> : vector<{half}xf32>
                  %width = arith.constant {width} : index
                  %sum = scf.for %k = %c0 to %width step %c16 iter_args(%acc = %zero) -> (vector<{half}xf32>) {{
                    %l = pgpu.load %t0[%c0, %row, %k] as left : !pgpu.tile<1x64x{width}x{kind}> -> vector<8x{kind}>
                    %r = pgpu.load %t1[%c0, {where} : !pgpu.tile<{tile}> -> vector<{half}x{kind}>
                    %next = pgpu.mma %l, %r, %acc : vector<8x{kind}>, vector<{half}x{kind}>, vector<{half}xf32>
                    scf.yield %next : vector<{half}xf32>
                  }}
                  pgpu.store %sum, %out[%row to %end0, %c0] : vector<{half}xf32>, memref<51x{2 * half}xf32>
                """
                want = np.zeros((51, 2 * half))
                want[:, :outputs] = exact(x) @ (exact(y).T if transposed else exact(y))
                bytes = 2 * 64 * width + 2 * most * width
                yield (f"{kind} {width} {outputs} {transposed}",
                       FragmentKernel(body, [x, y], want.shape, block=(128, 1, 1), dynamic=bytes),
                       want, 2e-5)


def chain():
    """A rounded sum is the left operand of the next product, two steps of 16 here."""
    for kind in ("f16", "bf16"):
        x, y, z = (random(n, (32, 32), kind) for n in (3, 4, 5))
        tile = f"1x32x32x{kind}"
        body = copies(*[(tile, 32)] * 3) + f"%zero = arith.constant dense<0.0> : vector<16xf32>\n"
        accumulated = "%zero"
        for step in (0, 16):
            body += f"""
              %l{step} = pgpu.load %t0[%c0, %row, %c{step}] as left : !pgpu.tile<{tile}> -> vector<8x{kind}>
              %r{step} = pgpu.load %t1[%c0, %c0, %c{step}] as transposed right : !pgpu.tile<{tile}> -> vector<16x{kind}>
              %s{step} = pgpu.mma %l{step}, %r{step}, {accumulated} : vector<8x{kind}>, vector<16x{kind}>, vector<16xf32>
            """
            accumulated = f"%s{step}"
        body += f"%p = arith.truncf {accumulated} : vector<16xf32> to vector<16x{kind}>\n"
        accumulated = "%zero"
        for step in (0, 16):
            mask = ", ".join(str(step // 2 + i) for i in range(8))
            body += f"""
              %p{step} = vector.shuffle %p, %p [{mask}] : vector<16x{kind}>, vector<16x{kind}>
              %v{step} = pgpu.load %t2[%c0, %c{step}, %c0] as right : !pgpu.tile<{tile}> -> vector<16x{kind}>
              %o{step} = pgpu.mma %p{step}, %v{step}, {accumulated} : vector<8x{kind}>, vector<16x{kind}>, vector<16xf32>
            """
            accumulated = f"%o{step}"
        body += f"""
          %narrow = arith.truncf {accumulated} : vector<16xf32> to vector<16x{kind}>
          pgpu.store %narrow, %out[%row to %c32, %c0] : vector<16x{kind}>, memref<32x32x{kind}>
        """
        s = exact(x) @ exact(y).T
        s = exact(s.astype(np.float16) if kind == "f16" else bf16(s))
        dtype = x.dtype
        # The sums are rounded in f32 and a rounding may go the other way: one unit.
        yield (kind, FragmentKernel(body, [x, y, z], (32, 32), dtype, block=(64, 1, 1), dynamic=3 * 2048),
               s @ exact(z), 2e-3 if kind == "f16" else 1e-2)


def coordinates():
    """Each element is stored where its coordinates say."""
    for columns in (8, 24, 64):
        n = columns // 2
        body = f"""
          %rows, %columns = pgpu.coordinates : vector<{n}xindex>
          %hundred = arith.constant dense<100> : vector<{n}xindex>
          %r = arith.muli %rows, %hundred : vector<{n}xindex>
          %s = arith.addi %r, %columns : vector<{n}xindex>
          %i = arith.index_cast %s : vector<{n}xindex> to vector<{n}xi32>
          %f = arith.sitofp %i : vector<{n}xi32> to vector<{n}xf32>
          %zeros = arith.constant dense<0.0> : vector<4xf32>
          pgpu.store %zeros, %out[%c0 to %c16, %c0] : vector<4xf32>, memref<16x{columns + 8}xf32>
          pgpu.store %f, %out[%c0 to %c16, %c8] : vector<{n}xf32>, memref<16x{columns + 8}xf32>
        """
        want = np.zeros((16, columns + 8))
        want[:, 8:] = 100 * np.arange(16)[:, None] + np.arange(columns)
        yield f"{columns} columns", FragmentKernel(body, [], want.shape), want, 0


def reduce():
    """The largest and the sum of each row, in every column."""
    x = np.random.default_rng(6).standard_normal((16, 32)).astype(np.float32)
    for how, want in (("max", x.max(axis=1)), ("add", x.astype(np.float64).sum(axis=1))):
        body = "%rows, %columns = pgpu.coordinates : vector<16xindex>\n"
        elements = []
        for i in range(16):
            body += (f"%r{i} = vector.extract %rows[{i}] : index from vector<16xindex>\n"
                     f"%k{i} = vector.extract %columns[{i}] : index from vector<16xindex>\n"
                     f"%x{i} = memref.load %a0[%r{i}, %k{i}] : memref<16x32xf32>\n")
            elements.append(f"%x{i}")
        body += f"""
          %x = vector.from_elements {", ".join(elements)} : vector<16xf32>
          %own = pgpu.row_reduce {how} %x : vector<16xf32>
          %all = pgpu.quad_reduce {how} %own
          %result = pgpu.spread %all : vector<16xf32>
          pgpu.store %result, %out[%c0 to %c16, %c0] : vector<16xf32>, memref<16x32xf32>
        """
        yield how, FragmentKernel(body, [x], (16, 32)), np.repeat(want[:, None], 32, axis=1), 1e-6


def put():
    """Threads store what they have, of each width, and read a fragment."""
    for kind in ("f16", "bf16"):
        for width in (1, 2, 4, 8):
            x = random(7, (16, 32), kind)
            element = TYPES[x.dtype]
            body = f"""
              %tile = pgpu.alloc : !pgpu.tile<2x16x32x{kind}>
              %one = arith.constant 1 : index
              %low = arith.remui %t, %c16 : index
              %half = arith.divui %t, %c16 : index
              %first = arith.muli %half, %c16 : index
              %last = arith.addi %first, %c16 : index
              %step = arith.constant {width} : index
              scf.for %k = %first to %last step %step {{
                %v = vector.load %a0[%low, %k] : memref<16x32x{element}>, vector<{width}x{kind}>
                pgpu.put %v, %tile[%one, %low, %k] : vector<{width}x{kind}>, !pgpu.tile<2x16x32x{kind}>
              }}
              gpu.barrier
              %l = pgpu.load %tile[%one, %c0, %c0] as left : !pgpu.tile<2x16x32x{kind}> -> vector<16x{kind}>
              pgpu.store %l, %out[%c0 to %c16, %c0] : vector<16x{kind}>, memref<16x32x{kind}>
            """
            yield (f"{width} {kind}", FragmentKernel(body, [x], (16, 32), x.dtype, dynamic=2048),
                   exact(x), 0)


def wide():
    """Fragments of several instructions, at columns that a loop counts."""
    x = random(9, (16, 64), "bf16")
    body = copies(("1x16x64xbf16", 16)) + """
      scf.for %k = %c0 to %c64 step %c32 {
        %l = pgpu.load %t0[%c0, %c0, %k] as left : !pgpu.tile<1x16x64xbf16> -> vector<16xbf16>
        pgpu.store %l, %out[%c0 to %c16, %k] : vector<16xbf16>, memref<16x64xbf16>
      }
    """
    yield "left", FragmentKernel(body, [x], (16, 64), x.dtype, dynamic=2048), exact(x), 0


def strided():
    """Rows of a part of a matrix, from an offset on."""
    x = random(8, (40, 64), "f16")
    body = """
      %part = memref.subview %a0[8, 16] [24, 32] [1, 1] : memref<40x64xf16> to memref<24x32xf16, strided<[64, 1], offset: 528>>
      %tile = pgpu.alloc : !pgpu.tile<1x16x32xf16>
      %three = arith.constant 3 : index
      %end = arith.constant 12 : index
      pgpu.copy %part[%three to %end], %tile[%c0] : memref<24x32xf16, strided<[64, 1], offset: 528>>, !pgpu.tile<1x16x32xf16>
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 0
      gpu.barrier
      %isFirst = arith.cmpi ult, %t, %c32 : index
      scf.if %isFirst {
        %l = pgpu.load %tile[%c0, %c0, %c0] as left : !pgpu.tile<1x16x32xf16> -> vector<16xf16>
        pgpu.store %l, %out[%c0 to %c16, %c0] : vector<16xf16>, memref<16x32xf16>
      }
    """
    want = np.zeros((16, 32))
    want[:9] = exact(x)[11:20, 16:48]
    yield "part", FragmentKernel(body, [x], (16, 32), np.float16, block=(96, 1, 1), dynamic=1024), want, 0


def check(device, name):
    count = 0
    for what, kernel, want, tolerance in globals()[name]():
        have, text = kernel.run(device, *(["--check"] if device == "emulator" else []))
        if have is None:
            sys.exit(f"{name} {what}\n{kernel.module()}\n{text}")
        error = np.abs(exact(have) - want) / (1 + np.abs(want))
        if not (error <= tolerance).all():
            at = tuple(np.argwhere(~(error <= tolerance))[0])
            sys.exit(f"{name} {what} at {at}: expected {want[at]} but got {exact(have)[at]}")
        if device == "emulator":
            _, text = kernel.run(device, "--counts")
            found = re.search(r"shared loads .*(?<! 0) bank conflicts", text)
            if found or "shared loads" not in text and "tile" in kernel.body:
                sys.exit(f"{name} {what}: expected no bank conflicts, but found\n{text}")
        count += 1
    print(f"{name}: {count} kernels on {device}")


for device in sys.argv[1].split(","):
    for name in sys.argv[2:]:
        check(device, name)
