"""Checks the PTX of the kernels of a program.

    ptx.py FILE CHIP

No kernel keeps anything in local memory or calls a function. Where there is a
ptxas, it accepts them without a warning or a spill. Prints, for each kernel, how
often it uses some instructions.
"""

import collections
import re
import shutil
import subprocess
import sys
import tempfile

COUNTED = ["ld.global.v4", "ld.global.v2", "ld.global.b", "ld.global.f", "st.global.v4",
           "st.global.v2", "ld.shared.v4", "ex2.approx", "shfl.sync", "bar.sync", "fma.rn.f32",
           "cp.async.cg", "ldmatrix", "mma.sync"]


def main():
    path, chip = sys.argv[1:]
    ptx = subprocess.run(["pe-translate", "--posenc-to-ptx", f"--chip={chip}", path], check=True,
                         capture_output=True, text=True).stdout
    for line in ptx.splitlines():
        if re.search(r"\.local|__local_depot|\.extern \.func|\bcall\b", line):
            sys.exit(f"a kernel uses local memory or calls a function: {line}")
    kernels = re.findall(r"\.visible \.entry (\w+)\((.*?)^}", ptx, re.S | re.M)
    if not kernels:
        sys.exit("no kernels")
    for name, body in kernels:
        found = collections.Counter()
        for line in body.splitlines():
            for instruction in COUNTED:
                found[instruction] += line.strip().startswith(instruction)
        print(f"{name}:", ", ".join(f"{n} {k}" for k, n in found.items() if n))
    if not shutil.which("ptxas"):
        return
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        process = subprocess.run(["ptxas", "-v", f"-arch={chip}", file.name, "-o", "/dev/null"],
                                 capture_output=True, text=True)
    log = process.stdout + process.stderr
    if "Unsupported .version" in log or "is not defined for option 'gpu-name'" in log:
        return  # an older or a newer toolkit than the chip
    if process.returncode or "warning" in log or re.search(r"[1-9]\d* bytes spill", log):
        sys.exit(log)


if __name__ == "__main__":
    main()
