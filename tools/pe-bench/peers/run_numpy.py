"""numpy, as one would write it down."""

import numpy as np

import problem as words


def version():
    return np.__version__


def gemm(problem, inputs, threads):
    if problem["gelu"]:
        from worker import Lacks
        raise Lacks("GELU is not written for it")
    x, w = inputs["x"], np.ascontiguousarray(inputs["weight"].T)
    step = (lambda: x @ w + inputs["bias"]) if problem["bias"] else lambda: x @ w
    return {"matmul": (step, step)}


def attention(problem, inputs, threads):
    q, k, v = words.operands(problem, inputs)
    scale = np.float32(problem["dim"] ** -0.5)
    bias = words.bias(problem, inputs)
    if bias is None and (mask := words.visible(problem)) is not None:
        bias = np.where(mask, np.float32(0), np.float32(-np.inf))
    if words.is_rotated(problem):
        cos, sin = words.rotation(problem)
    group = problem["heads"] // problem["kv_heads"]

    def rotate(x):
        a, b = np.split(x, 2, axis=-1)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)

    def step():
        x, y = (rotate(q), rotate(k)) if words.is_rotated(problem) else (q, k)
        y, z = (np.repeat(t, group, axis=1) for t in (y, v)) if group > 1 else (y, v)
        scores = x @ y.swapaxes(2, 3) * scale
        if bias is not None:
            scores += bias
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        return scores @ z / scores.sum(axis=-1, keepdims=True)

    return {"matmul": (step, step)}
