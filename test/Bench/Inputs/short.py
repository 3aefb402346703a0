"""A library that leaves out a row."""

import run_numpy


def version():
    return "1.0"


def attention(problem, inputs, threads):
    (run, result), = run_numpy.attention(problem, inputs, threads).values()
    return {"way": (run, lambda: result()[:, :, 1:])}
