import ctypes
import os

import lit.formats

config.name = "posenc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.join(config.source_dir, "test")
config.test_exec_root = os.path.join(config.build_dir, "test")

tools = os.path.join(config.build_dir, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_tools_dir, os.environ["PATH"]])

# Compiled modules are kept here, and not with those of the user.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")

config.substitutions += [
    ("%python", os.path.join(config.build_dir, "venv", "bin", "python")),
    ("%source", config.source_dir),
    ("%build", config.build_dir),
    ("%cc", config.c_compiler),
    # Host code of programs whose kernels are in the LLVM and NVVM dialects.
    ("%lower-host", "builtin.module(gpu.module(convert-scf-to-cf),func.func(gpu-async-region),"
     "gpu-to-llvm{use-bare-pointers-for-kernels=1},convert-func-to-llvm,convert-arith-to-llvm,"
     "convert-cf-to-llvm,gpu.module(reconcile-unrealized-casts),reconcile-unrealized-casts)"),
]
config.environment["POSENC_LOWER_HOST"] = config.substitutions[-1][1]

config.substitutions += [
    ("%plugin", os.path.join(config.build_dir, "lib", "PosencPlugin.so")),
    ("%minilm", os.path.join(config.build_dir, "models", "minilm")),
]

# What kernels run on: where the CUDA driver finds a GPU, on that as well.
devices = "emulator"
try:
    driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
    if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value:
        config.available_features.add("cuda")
        devices += ",cuda"
        major = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(major), 75, 0)
        # Tests compile for sm_80 unless they say another chip.
        if major.value >= 8:
            config.environment["POSENC_RUNNER"] = os.path.join(tools, "pe-runner")
            config.environment["PATH"] = os.pathsep.join(
                [os.path.join(config.test_source_root, "Cuda", "everywhere"), config.environment["PATH"]])
except OSError:
    pass
config.substitutions.append(("%devices", devices))
