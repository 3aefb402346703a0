"""A library that is wrong in one element."""

import run_numpy


def version():
    return "1.0"


def attention(problem, inputs, threads):
    (run, result), = run_numpy.attention(problem, inputs, threads).values()

    def wrong():
        y = result()
        y[0, 0, 0, 0] += 1e-3
        return y

    return {"way": (run, wrong)}
