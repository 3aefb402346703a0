"""Every encoding and attention in float64 numpy, from the published definitions.

Nothing here is derived from the compiler. Shapes: tokens `[B, L, M]`, rows
`[B, H, L, D]`, scores `[B, H, Lq, Lk]`; coordinates `p`, `pq`, `pk` are `[B, L]`.
"""

import numpy as np


def pairs(width, pairing):
    """Channel numbers of the first and of the second of each pair."""
    k = np.arange(width // 2)
    return (k, k + width // 2) if pairing == "half" else (2 * k, 2 * k + 1)


def delta(pq, pk):
    return (pk[:, None, None, :] - pq[:, None, :, None]).astype(float)


# Tokens and rows.

def sinusoidal(x, p, pairing, base=1e4, shift=0, scale=1.0):
    half = x.shape[-1] // 2
    angle = p[..., None] * base ** (-np.arange(half) / (half - shift))
    first, second = pairs(2 * half, pairing)
    y = x.copy()
    y[..., first] += scale * np.sin(angle)
    y[..., second] += scale * np.cos(angle)
    return y


def learned(x, p, table, offset=0):
    return x + table[p + offset]


def token_type(x, ids, table):
    return x + table[ids]


def rope(x, p, pairing, base=1e4, offset=0, width=None, amplitude=1.0):
    width = width or x.shape[-1] - offset
    angle = p[:, None, :, None] * base ** (-2 * np.arange(width // 2) / width)
    cos, sin = amplitude * np.cos(angle), amplitude * np.sin(angle)
    first, second = (offset + c for c in pairs(width, pairing))
    y = x.copy()
    y[..., first] = x[..., first] * cos - x[..., second] * sin
    y[..., second] = x[..., first] * sin + x[..., second] * cos
    return y


# Scores: s -> s.

def alibi(s, pq, pk, max_bias=8.0):
    heads = s.shape[1]
    n = 2 ** int(np.floor(np.log2(heads)))
    slopes = [2.0 ** (-max_bias * (h + 1) / n) if h < n else
              2.0 ** (-max_bias * (2 * (h - n) + 1) / (2 * n)) for h in range(heads)]
    return s - np.array(slopes)[None, :, None, None] * np.abs(delta(pq, pk))


def t5_starts(count, max_distance):
    """First distance of each bucket of one side; Python's integers are exact."""
    m = count // 2
    starts = list(range(m + 1))
    for k in range(1, count - m):
        n = starts[-1]
        while n ** (count - m) < max_distance ** k * m ** (count - m - k):
            n += 1
        starts.append(n)
    return np.array(starts)


def t5_bucket(s, pq, pk, table, max_distance=128, causal=False):
    d = delta(pq, pk)[:, 0]
    side = table.shape[0] // (1 if causal else 2)
    distance = np.maximum(-d, 0) if causal else np.abs(d)
    bucket = np.searchsorted(t5_starts(side, max_distance), distance, side="right") - 1
    if not causal:
        bucket = bucket + side * (d > 0)
    return s + np.moveaxis(table[bucket], -1, 1)


# Masks: visibility.

def causal(pq, pk):
    return delta(pq, pk) <= 0


def window(pq, pk, left=-1, right=-1):
    d = delta(pq, pk)
    visible = np.full(d.shape, True)
    if left >= 0:
        visible &= d >= -left
    if right >= 0:
        visible &= d <= right
    return visible


def padding(valid):
    return valid[:, None, None, :]


# Attention.

def scores(q, k, scale=None):
    k = np.repeat(k, q.shape[1] // k.shape[1], axis=1)
    return (q.shape[-1] ** -0.5 if scale is None else scale) * (q @ np.swapaxes(k, 2, 3))


def attend(s, v):
    """Output and log-sum-exp; a row of -inf gives 0 and -inf."""
    v = np.repeat(v, s.shape[1] // v.shape[1], axis=1)
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        lse = (np.log(total) + top)[..., 0]
    return (e / np.where(total == 0, 1.0, total)) @ v, np.where(total[..., 0] == 0, -np.inf, lse)
