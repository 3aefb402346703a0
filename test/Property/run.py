"""Compares a fast pipeline with posenc-reference on random programs.

    run.py SEED COUNT [FOLDER [DEVICE]]

DEVICE is cpu, or emulator: kernels for GPUs, every access checked.

A program that differs stays in FOLDER, and the command that shows it is printed.
Program N of a seed is that of seed "SEED.N" alone, so one can be repeated.
"""

import os
import random
import subprocess
import sys
import tempfile

import programs


def check(seed, folder, device):
    rng = random.Random(seed)
    program = programs.make(rng)
    path = os.path.join(folder, f"{seed}.mlir")
    with open(path, "w") as file:
        file.write(program.text())
    options = rng.choice(["", "{vector-bits=256}", "{vector-bits=512}"])
    how = {"cpu": ["-O1", f"--pipeline=posenc-cpu{options}"],
           "emulator": ["-O0", "--device=emulator", "--check"]}
    command = ["pe-runner", path, *how[device],
               "--verify", "--check-leaks", f"--tolerance={program.tolerance}",
               *(f"--input={spec}" for spec in program.inputs)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode == 0:
        os.remove(path)
        return True
    print(f"{process.stderr}{' '.join(command)}\n{program.text()}")
    return False


def main():
    seed, count = sys.argv[1], int(sys.argv[2])
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()
    device = sys.argv[4] if len(sys.argv) > 4 else "cpu"
    os.makedirs(folder, exist_ok=True)
    print(f"seed {seed}")
    bad = [n for n in range(count) if not check(f"{seed}.{n}", folder, device)]
    if bad:
        sys.exit(f"seed {seed}: {len(bad)} of {count} programs differ: {bad}")


if __name__ == "__main__":
    main()
