"""Computes and times one case with another library, for pe-bench.

    worker.py LIBRARY

LIBRARY is onnxruntime, openvino, ... (run_LIBRARY.py beside this file), or a file
with the same functions. Requests and answers are lines of JSON on stdin and stdout:

    {"problem": {...}, "inputs": {NAME: FILE.npy}, "threads": N}
                           -> {"version": ..., "way": ...}, {"absent": ...} or {"lacks": ...}
    {"run": true}          -> {"seconds": ...}
    {"write": FILE.npy}    -> {}

A library may know several ways to the result, pairs of functions `run` and `result`
by name; the fastest is the one that is timed. It gets all inputs in f32, and rounds
them to the problem's type, one of the library's TYPES, before it is timed. A function
`seconds` of the library, if there is one, times a run.
"""

import ctypes
import importlib.util
import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Lacks(Exception):
    """What a library, or what is written for it here, cannot do."""


def load(library):
    path = library if library.endswith(".py") else os.path.join(HERE, f"run_{library}.py")
    spec = importlib.util.spec_from_file_location("library", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def choose(ways, seconds):
    """The way whose fastest of some runs is the shortest, of those that run at all."""
    best = failure = None
    for name, (run, result) in ways.items():
        try:
            run()
        except Exception as error:  # a compiler that lacks a header, for one
            failure = error
            continue
        first = seconds(run)
        shortest = min(first, *(seconds(run) for _ in range(max(2, min(20, int(0.1 / first))))))
        if best is None or shortest < best[0]:
            best = shortest, name, run, result
    if best is None:
        raise failure
    return best[1:]


def widened(array):
    """In f32 if it is bf16, which numpy's files hold as u2."""
    if array.dtype != "u2":
        return array
    return (array.astype("u4") << 16).view("f4")


def prepare(library, request):
    import numpy as np
    threads = str(request["threads"])
    # Read when a library is loaded.
    os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads,
                      OPENBLAS_NUM_THREADS=threads)
    try:
        module = load(library)
    except ImportError as error:
        return {"absent": str(error)}, None
    problem = request["problem"]
    dtype = problem.get("dtype", "f32")
    solve = getattr(module, problem["kind"], None)
    if solve is None:
        return {"lacks": f"{problem['kind']} is not written for it"}, None
    if dtype not in getattr(module, "TYPES", ("f32",)):
        return {"lacks": f"{dtype} is not written for it"}, None
    inputs = {name: widened(np.load(path)) for name, path in request["inputs"].items()}
    try:
        clock = getattr(module, "seconds", seconds)
        way, run, result = choose(solve(problem, inputs, request["threads"]), clock)
    except Lacks as error:
        return {"lacks": str(error)}, None
    return {"version": module.version(), "way": way}, (lambda: clock(run), result)


def main():
    # Nobody would wake or end a stopped worker whose parent is gone.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    # What libraries print is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, HERE)
    # A library's file finds the class of this very module.
    sys.modules["worker"] = sys.modules["__main__"]
    ready = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "problem" in request:
                answer, ready = prepare(sys.argv[1], request)
            elif "run" in request:
                answer = {"seconds": ready[0]()}
            else:
                import numpy as np
                np.save(request["write"], np.ascontiguousarray(ready[1](), dtype=np.float32))
                answer = {}
        except Exception as error:
            answer = {"lacks": " ".join(f"{type(error).__name__}: {error}".split())[:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
