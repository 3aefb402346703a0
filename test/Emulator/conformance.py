"""Runs one instruction and compares it with what the PTX ISA says.

    conformance.py DEVICE[,DEVICE] FILE...

FILE is one of instructions, without its ending: each function there yields kernels.
Expected values come from numpy, from the formulas of the PTX ISA, and know
nothing of the emulator.
"""

import ctypes
import importlib
import inspect
import sys

import numpy as np


def get_version(device):
    """90 for sm_90; the emulator is any."""
    if device == "emulator":
        return 1000
    driver, parts = ctypes.CDLL("libcuda.so.1"), []
    for attribute in (75, 76):
        value = ctypes.c_int()
        driver.cuInit(0)
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, 0)
        parts.append(value.value)
    return 10 * parts[0] + parts[1]


def check(device, make):
    count = 0
    for what, kernel, want, tolerance in make():
        if int(kernel.chip[3:]) > get_version(device):
            print(f"{what}: needs {kernel.chip}")
            return
        flags = ["--check"] if device == "emulator" else []
        have, text = kernel.run(device, *flags)
        if have is None:
            sys.exit(f"{what}\n{kernel.module()}\n{text}")
        if want.dtype == np.float64:
            if have.dtype == np.uint16:
                have = (have.astype(np.uint32) << 16).view(np.float32)
            error = np.abs(have - want) / (1 + np.abs(want))
            bad = ~(error <= tolerance)
        else:
            bad = have != want
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            sys.exit(f"{what} at {at}: expected {want[at]} but got {have[at]} "
                     f"({int(bad.sum())} of {bad.size} differ)")
        count += 1
    if not count:
        sys.exit(f"{make.__name__}: nothing to check")
    print(f"{make.__name__}: {count} kernels on {device}")


for device in sys.argv[1].split(","):
    for name in sys.argv[2:]:
        file = importlib.import_module(f"instructions.{name}")
        for _, make in inspect.getmembers(file, inspect.isgeneratorfunction):
            check(device, make)
