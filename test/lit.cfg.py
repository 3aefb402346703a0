import os
import subprocess

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

# A tool or a pipeline that is not built makes its tests unsupported; so does a
# model that has not been fetched (`make run` fetches it).
flags = subprocess.run([os.path.join(tools, "pe-opt"), "--help"],
                       capture_output=True, text=True, check=True).stdout
for feature, flag in [("reference", "--posenc-reference "), ("cpu", "--posenc-cpu "),
                      ("fuse", "--posenc-fuse ")]:
    if flag in flags:
        config.available_features.add(feature)
for tool in ["pe-runner", "pe-translate", "pe-lsp-server"]:
    if os.path.exists(os.path.join(tools, tool)):
        config.available_features.add(tool)
plugin = os.path.join(config.build_dir, "lib", "PosencPlugin.so")
config.substitutions.append(("%plugin", plugin))
if os.path.exists(plugin):
    config.available_features.add("plugin")
model = os.path.join(config.build_dir, "models", "minilm")
config.substitutions.append(("%minilm", model))
if os.path.exists(os.path.join(model, "model.safetensors")):
    config.available_features.add("minilm")
