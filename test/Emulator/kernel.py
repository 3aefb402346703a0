"""Writes a program around the body of a kernel, and runs it.

A kernel takes arrays and writes one. Its body is text in the LLVM, NVVM, arith
and scf dialects; it finds the arrays at %a0, %a1, ... and %out, the number of its
thread in %tid, i32, and %t, i64.
"""

import os
import subprocess
import tempfile

import numpy as np

# numpy has no bf16; its bits are uint16.
TYPES = {np.dtype(np.float32): "f32", np.dtype(np.float16): "f16", np.dtype(np.uint16): "bf16",
         np.dtype(np.int32): "i32", np.dtype(np.int64): "i64"}

LOWER = os.environ.get("POSENC_LOWER_HOST")

names = iter(f"%_{n}" for n in range(10**9))


def address(base, index, kind, space=0):
    """The name of the address, and the text that computes it."""
    name, pointer = next(names), "!llvm.ptr<3>" if space else "!llvm.ptr"
    return name, (f"{name} = llvm.getelementptr {base}[{index}] : ({pointer}, i64) -> {pointer}, "
                  f"{kind}\n")


def load(value, base, index, kind, space=0, suffix=""):
    name, text = address(base, index, kind, space)
    return text + f"{value} = llvm.load {name}{suffix} : !llvm.ptr{'<3>' if space else ''} -> {kind}\n"


def store(value, base, index, kind, space=0, suffix=""):
    name, text = address(base, index, kind, space)
    return text + f"llvm.store {value}, {name}{suffix} : {kind}, !llvm.ptr{'<3>' if space else ''}\n"


def constant(value, kind="i32"):
    name = next(names)
    return name, f"{name} = arith.constant {value}{'' if kind == 'i1' else f' : {kind}'}\n"


def shared(name, count, kind, alignment=16):
    """A variable in shared memory."""
    return (f"llvm.mlir.global internal @{name}() {{addr_space = 3 : i32, alignment = {alignment} : i64}}"
            f" : !llvm.array<{count} x {kind}>\n")


def take(value, name):
    return f"{value} = llvm.mlir.addressof @{name} : !llvm.ptr<3>\n"


def memref(shape, dtype):
    return f"memref<{''.join(f'{n}x' for n in shape)}{TYPES[np.dtype(dtype)]}>"


class Kernel:
    def __init__(self, body, inputs, shape, dtype=np.float32, variables="", grid=(1, 1, 1),
                 block=(32, 1, 1), dynamic=0, chip="sm_80", ptx=70):
        self.body, self.inputs, self.variables = body, inputs, variables
        self.shape, self.dtype = shape, dtype
        self.grid, self.block, self.dynamic, self.chip, self.ptx = grid, block, dynamic, chip, ptx

    def module(self):
        types = [memref(a.shape, a.dtype) for a in self.inputs]
        result = memref(self.shape, self.dtype)
        pointers = ", ".join(f"%a{n}: !llvm.ptr" for n in range(len(types))) + ", " * bool(types)
        extent = lambda e: ", ".join(f"%c{n}" for n in e)
        lines = [f"%c{n} = arith.constant {n} : index" for n in sorted({*self.grid, *self.block})]
        lines += [f"%shared = arith.constant {self.dynamic} : i32",
                  f"%result = memref.alloc() : {result}", f"%y = gpu.alloc () : {result}"]
        for n, kind in enumerate(types):
            lines += [f"%d{n} = gpu.alloc () : {kind}",
                      f"gpu.memcpy %d{n}, %x{n} : {kind}, {kind}"]
        operands = ", ".join([f"%d{n} : {kind}" for n, kind in enumerate(types)] + [f"%y : {result}"])
        lines += [f"gpu.launch_func @kernels::@kernel blocks in ({extent(self.grid)}) "
                  f"threads in ({extent(self.block)}) dynamic_shared_memory_size %shared "
                  f"args({operands})",
                  f"gpu.memcpy %result, %y : {result}, {result}", f"gpu.dealloc %y : {result}"]
        lines += [f"gpu.dealloc %d{n} : {kind}" for n, kind in enumerate(types)]
        arguments = ", ".join(f"%x{n}: {kind}" for n, kind in enumerate(types))
        newline = "\n    "
        return f"""module attributes {{gpu.container_module}} {{
  gpu.module @kernels [#nvvm.target<O = 3, chip = "{self.chip}", features = "+ptx{self.ptx}">] {{
    {self.variables}
    llvm.func @kernel({pointers}%out: !llvm.ptr) attributes {{gpu.kernel, nvvm.kernel}} {{
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %t = arith.extui %tid : i32 to i64
{self.body}
    llvm.return
    }}
  }}
  func.func @main({arguments}) -> {result} {{
    {newline.join(lines)}
    return %result : {result}
  }}
}}
"""

    def run(self, device, *flags):
        """The result, or None, and what was printed."""
        with tempfile.TemporaryDirectory() as folder:
            source, output = os.path.join(folder, "kernel.mlir"), os.path.join(folder, "out.npy")
            with open(source, "w") as file:
                file.write(self.module())
            command = ["pe-runner", source, f"--pipeline={LOWER}", f"--device={device}",
                       "--check-leaks", f"--output=@{output}", *flags]
            for n, array in enumerate(self.inputs):
                path = os.path.join(folder, f"in{n}.npy")
                np.save(path, array)
                command.append(f"--input=@{path}")
            process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True)
            return (None if process.returncode else np.load(output)), process.stdout
