"""What an attention problem says, as the arrays that libraries take."""

import math

import numpy as np


def find(problem, name):
    """The encoding of this name, or None."""
    return next((e for e in problem["encodings"] if e["name"] == name), None)


def is_plainly_causal(problem):
    """Causal, and the flag of a library means the same."""
    return (find(problem, "causal") is not None and find(problem, "window") is None
            and problem["queries"] == problem["keys"])


def _distance(problem):
    past = problem["keys"] - problem["queries"]
    query = np.arange(problem["queries"])[:, None] + past
    return query - np.arange(problem["keys"])[None]


def visible(problem):
    """[queries, keys], or None if all see all."""
    distance, mask = _distance(problem), None
    if find(problem, "causal"):
        mask = distance >= 0
    if window := find(problem, "window"):
        mask = (distance <= window["left"]) & (distance >= -window["right"])
    return mask


def _alibi(problem):
    heads = problem["heads"]
    whole = 1 << (heads.bit_length() - 1)
    slopes = [2.0 ** (-8 * (h + 1) / whole) if h < whole else
              2.0 ** (-8 * (2 * (h - whole) + 1) / (2 * whole)) for h in range(heads)]
    return -np.array(slopes)[:, None, None] * np.abs(_distance(problem))


def _t5(problem, table, encoding):
    distance, buckets, furthest = _distance(problem), encoding["buckets"], encoding["max_distance"]
    side = buckets if encoding["causal"] else buckets // 2
    n = np.maximum(distance, 0) if encoding["causal"] else np.abs(distance)
    exact = side // 2
    far = np.log(np.maximum(n, 1) / exact) / math.log(furthest / exact) * (side - exact)
    # Borders of buckets are exact powers, which a logarithm may miss from below.
    bucket = np.where(n < exact, n, np.minimum(exact + np.floor(far + 1e-9).astype(int), side - 1))
    if not encoding["causal"]:
        bucket = bucket + side * (distance < 0)
    return table[bucket].transpose(2, 0, 1)


def bias(problem, inputs):
    """What is added to scores, [1, heads, queries, keys], masks included; or None.
    For a mask that a library has a flag for, see is_plainly_causal."""
    total = None
    if find(problem, "alibi"):
        total = _alibi(problem)
    if t5 := find(problem, "t5"):
        total = _t5(problem, inputs["buckets"], t5)
    mask = visible(problem)
    if mask is not None and (total is not None or not is_plainly_causal(problem)):
        total = np.where(mask, 0.0 if total is None else total, -np.inf)
    if total is None:
        return None
    return np.ascontiguousarray(np.broadcast_to(total, (1, *((1,) * (3 - total.ndim)), *total.shape)),
                                dtype=np.float32)


def is_rotated(problem):
    from worker import Lacks
    rope = find(problem, "rope")
    if rope and (rope["pairing"] != "half" or problem["queries"] != problem["keys"]):
        raise Lacks("this form of rope is not written for it")
    return rope is not None


def rotation(problem):
    """cos and sin, [rows, dim / 2]."""
    base, dim = find(problem, "rope")["base"], problem["dim"]
    angles = np.arange(problem["keys"])[:, None] * base ** (-np.arange(0, dim, 2) / dim)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def operands(problem, inputs):
    """q, k and v with heads before rows."""
    from worker import Lacks
    known = {"causal", "window", "alibi", "t5", "rope"}
    for encoding in problem["encodings"]:
        if encoding["name"] not in known:
            raise Lacks(f"{encoding['name']} is not written for it")
    arrays = inputs["q"], inputs["k"], inputs["v"]
    if problem["layout"] == "bshd":
        raise Lacks("layout bshd is not written for it")
    return arrays
