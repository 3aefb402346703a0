"""docs/benchmarks.md and its charts, from results of pe-bench --json."""

import os
import platform
import re
import shlex

try:
    from chart import draw
except ImportError:  # without matplotlib, the tables alone
    draw = None


def machine():
    with open("/proc/cpuinfo") as file:
        text = file.read()
    field = lambda name: re.search(rf"^{name}\s*: (.*)$", text, re.M).group(1)
    flags = field("flags").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16") if flag in flags]
    return (f"{field('model name')} (family {field('cpu family')}, model {field('model')}), "
            f"{os.cpu_count()} cores, {', '.join(has)}; {platform.system()}")


def groups(results):
    """Our result of each case, with those of other libraries by name."""
    cases = []
    for result in results:
        if result["library"] == "posenc":
            cases.append((result, {}))
        else:
            cases[-1][1][result["library"]] = result
    return cases


def rate(result):
    unit = "gflops" if "gflops" in result else "gbps"
    return f"{result[unit]:.0f} {'GFLOP/s' if unit == 'gflops' else 'GB/s'}"


def table(results):
    """The time of each library is followed by its ratio to ours."""
    cases = groups(results)
    libraries = sorted({name for _, peers in cases for name in peers},
                       key=["onnxruntime", "openvino", "torch", "jax", "iree", "numpy", "torch_cuda"].index)
    over = any("over_base" in ours for ours, _ in cases)
    header = ["case", "ms", "reached", "of the bound", "error", *(["over plain"] if over else []), *libraries]
    rows = [header, ["---"] * len(header)]
    for ours, peers in cases:
        row = [ours["name"], f"{ours['ms']:.4g}", rate(ours),
               f"{100 * ours['fraction']:.0f} % of {ours['peak']:.0f} ({ours['bound']})",
               f"{ours['error']:.0e}"]
        if over:
            row.append(f"{ours['over_base']:.3f}" if "over_base" in ours else "")
        for name in libraries:
            peer = peers.get(name)
            row.append(f"{peer['ms']:.4g} ({peer['over_posenc']:.2f} x)" if peer else "")
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def versions(measured):
    found = {}
    for suite in measured.values():
        for result in suite["results"]:
            if "version" in result:
                found.setdefault(result["library"], result["version"].split()[0])
    return ", ".join(f"{name} {version}" for name, version in found.items())


def gpu(suite):
    """What pe-bench says of the GPU of a suite, as a paragraph."""
    found = {note.removeprefix("note: ") for note in suite["notes"] if ", code for sm_" in note}
    if not found:
        return ""
    return (f"On {'; '.join(sorted(found))}. Arguments are on the device; bounds are matrix instructions of "
            "bf16 (mma) or multiply-adds of f32 (fma) and copies within its memory.\n\n")


def sections(path):
    """What a file begins with, and its sections by title."""
    if not os.path.exists(path):
        return "", {}
    with open(path) as file:
        head, *rest = re.split(r"^## ", file.read(), flags=re.M)
    return head, {section.partition("\n")[0]: section for section in rest}


def beginning(measured):
    return f"""# Benchmarks

Written by `make bench`, which measures everything again; [how](measuring.md).

- machine: {machine()}
- other libraries: {versions(measured) or "none"}, from their packages, in the same types,
  with as many threads

Every result was compared with float64 before it was timed; all columns of a row come
from the same turns. "Of the bound" is the share of the f32 multiply-adds or the reads from
memory that this machine did in these turns. The times of other libraries are
followed by their ratio to ours: above 1 they are slower. An empty field is a case that
was not written for a library, or that it cannot do.
"""


def write(suites, measured, path, folder):
    os.makedirs(folder, exist_ok=True)
    head, old = sections(path)
    # The machine that it names is that of the suites for CPUs.
    if not head or any(not name.startswith("gpu") for name in measured):
        head = beginning(measured)
    text = head.rstrip("\n") + "\n"
    for name, (title, cases) in suites.items():
        if name not in measured or not measured[name]["results"]:
            if title in old:
                text += f"\n## {old[title].rstrip()}\n"
            continue
        suite = measured[name]
        text += f"\n## {title}\n\n{gpu(suite)}{table(suite['results'])}\n"
        if draw:
            draw(groups(suite["results"]), title, os.path.join(folder, name + ".svg"))
            text += f"\n![{title}]({os.path.basename(folder)}/{name}.svg)\n"
        if wrong := [note for note in suite["notes"] if note.startswith("error")]:
            text += "\n" + "\n".join(f"- {note}" for note in wrong) + "\n"
        commands = "\n".join("build/bin/pe-bench " + shlex.join(case) for case in cases)
        text += f"\nMeasured at commit {suite['commit']}, with:\n\n```sh\n{commands}\n```\n"
    with open(path, "w") as file:
        file.write(text)
