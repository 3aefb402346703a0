"""The mlir blocks in the descriptions of operations and passes, as tests.

    examples.py FOLDER... --out FOLDER   write them as ops.mlir, split by // -----
    examples.py FOLDER... --bytecode FOLDER   through pe-opt, bytecode and back
    examples.py FOLDER... --covers       fail unless each operation has one
    examples.py FOLDER... --passes       run each `pe-opt ...` of the files of passes
"""

import argparse
import os
import re
import subprocess
import sys
import textwrap

BLOCK = re.compile(r"```mlir\n(.*?)```", re.S)
DEFINITION = re.compile(r"^def (\w+) *:.*?^}", re.S | re.M)
MNEMONIC = re.compile(r':\s*(Posenc|Pgpu)_\w*(?:Op|Encoding)<"(\w+)"')


def definitions(folders):
    """(file, text) of each top-level `def` of the .td files."""
    for folder in folders:
        for root, _, names in sorted(os.walk(folder)):
            for name in sorted(n for n in names if n.endswith(".td")):
                path = os.path.join(root, name)
                with open(path) as file:
                    for match in DEFINITION.finditer(file.read()):
                        yield path, match.group(0)


def examples(folders):
    for path, text in definitions(folders):
        for block in BLOCK.findall(text):
            yield path, textwrap.dedent(block)


def run(arguments, text=None):
    process = subprocess.run(arguments, input=text, capture_output=True)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}\n{process.stderr.decode()}")
    return process.stdout


def covers(folders):
    missing = []
    for path, text in definitions(folders):
        if not (name := MNEMONIC.search(text)):
            continue
        blocks = "\n".join(BLOCK.findall(text))
        name = f"{name.group(1).lower()}.{name.group(2)}"
        if f"{name} " not in blocks and "Example: see `" not in text:
            missing.append(f"{path}: {name} has no example")
    return "\n".join(missing) or 0


def bytecode(folders, out):
    for number, (_, text) in enumerate(examples(folders)):
        path = os.path.join(out, f"{number}.mlirbc")
        text = run(["pe-opt"], text.encode())
        run(["pe-opt", "--emit-bytecode", "-o", path], text)
        if run(["pe-opt", path]) != text:
            sys.exit(f"bytecode changes\n{text.decode()}")


def passes(folders):
    """A pass example is a command, run on the dialect's own examples."""
    commands = [c for path, text in definitions(folders) if path.endswith("Passes.td")
                for c in re.findall(r"`pe-opt ([^`]+)`", text)]
    if not commands:
        sys.exit("no pass has an example")
    sources = [text for path, text in examples(folders)]
    for command in commands:
        for text in sources:
            run(["pe-opt", *command.split()], text.encode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--bytecode")
    parser.add_argument("--covers", action="store_true")
    parser.add_argument("--passes", action="store_true")
    options = parser.parse_args()
    if options.out:
        os.makedirs(options.out, exist_ok=True)
        with open(os.path.join(options.out, "ops.mlir"), "w") as file:
            file.write("\n// -----\n".join(text for _, text in examples(options.folders)))
    if options.bytecode:
        bytecode(options.folders, options.bytecode)
    if options.passes:
        passes(options.folders)
    return covers(options.folders) if options.covers else 0


if __name__ == "__main__":
    sys.exit(main())
