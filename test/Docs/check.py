"""Runs the blocks of the given documents.

    check.py SOURCE DOCUMENT...

    ```console     commands after "$ " are run in SOURCE; the lines that follow
                   are their output, in which a line or a part "..." stands for
                   anything
    <!-- FILE -->  the block that follows is this file of SOURCE, to the letter
    <!-- WRITE FILE -->  the block is written to a temporary folder, where the
                   commands below find it; a .td and a .cpp are an encoding's,
                   built with the flags of the others, and known to the tools
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:<!-- (?P<note>.*?) -->\n)?^(?P<fence>`{3,})(?P<kind>\w+)\n(?P<text>.*?)^(?P=fence)$",
                   re.S | re.M)


def matches(have, want):
    """`want` with "..." for anything, whole lines included."""
    first, *parts = re.split(r"^ *\.\.\.\n|\.\.\.", want, flags=re.M)
    if not parts or not have.startswith(first):
        return have == want
    *parts, last = parts
    # Each as early as possible, which leaves the most for the others.
    at = len(first)
    for part in parts:
        at = have.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return have.endswith(last) and at + len(last) <= len(have)


def console(where, text, source, folder, library):
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        run = command
        for name in os.listdir(folder):
            run = re.sub(rf"(?<![\w/-]){re.escape(name)}\b", os.path.join(folder, name), run)
        if library:
            run = run.replace("build/bin/", f"LD_PRELOAD={library} build/bin/")
        process = subprocess.run(["bash", "-c", run], cwd=source, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        if process.returncode:
            sys.exit(f"{where}: {command}\nfails:\n{process.stdout}")
        if not matches(process.stdout, output):
            sys.exit(f"{where}: {command}\nprints:\n{process.stdout}\ninstead of:\n{output}")


def build(source, stem, folder):
    """A library that registers the encoding when a tool loads it."""
    commands = json.load(open(os.path.join(source, "build", "compile_commands.json")))
    model = next(c for c in commands if "/Encodings/" in c["file"])
    includes = [f"-I{source}/include", "-I/usr/lib/llvm-22/include"]
    for suffix, flag in [("h", "-gen-op-decls"), ("cpp", "-gen-op-defs")]:
        subprocess.run(["mlir-tblgen", flag, "-dialect=posenc", *includes,
                        os.path.join(folder, stem + ".td"),
                        "-o", os.path.join(folder, f"{stem}.{suffix}.inc")], check=True)
    library = os.path.join(folder, "lib.so")
    arguments = [a.replace(model["file"], os.path.join(folder, stem + ".cpp"))
                 for a in shlex.split(model["command"])]
    arguments[arguments.index("-o") + 1] = library
    arguments[arguments.index("-c")] = "-shared"
    subprocess.run([*arguments, f"-I{folder}", f"-L{source}/build/lib", "-lPosenc"],
                   cwd=model["directory"], check=True)
    return library


def check(source, document, folder):
    library = None
    with open(os.path.join(source, document)) as file:
        text = file.read()
    for match in BLOCK.finditer(text):
        note, kind, block = match["note"] or "", match["kind"], match["text"]
        where = f"{document}:{text.count(chr(10), 0, match.start()) + 1}"
        if note.startswith("WRITE "):
            name = note.removeprefix("WRITE ")
            with open(os.path.join(folder, name), "w") as file:
                file.write(block)
            if name.endswith(".cpp"):
                library = build(source, name.removesuffix(".cpp"), folder)
        elif note:
            with open(os.path.join(source, note)) as file:
                if file.read() != block:
                    sys.exit(f"{where}: differs from {note}")
        elif kind == "console":
            console(where, block, source, folder, library)


def main():
    source, *documents = sys.argv[1:]
    for document in documents:
        with tempfile.TemporaryDirectory() as folder:
            check(source, document, folder)


if __name__ == "__main__":
    main()
