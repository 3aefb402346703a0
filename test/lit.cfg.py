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

config.substitutions += [
    ("%python", os.path.join(config.build_dir, "venv", "bin", "python")),
    ("%source", config.source_dir),
    ("%build", config.build_dir),
]

config.substitutions += [
    ("%plugin", os.path.join(config.build_dir, "lib", "PosencPlugin.so")),
    ("%minilm", os.path.join(config.build_dir, "models", "minilm")),
]
