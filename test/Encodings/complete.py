"""Fails unless each encoding is tested, and checks the oracle's own numbers."""

import os
import re
import sys

import numpy as np

import cases
import oracle


def mnemonics(folder):
    for stem in sorted(os.listdir(folder)):
        with open(os.path.join(folder, stem, stem + ".td")) as file:
            yield from re.findall(r'Posenc_\w+Encoding<"(\w+)"', file.read())


def near(have, want, places=6):
    np.testing.assert_allclose(have, want, atol=0.6 * 10.0 ** -places, rtol=0)


def oracles():
    """Published examples, so that the oracle is not its only witness."""
    zeros, one = np.zeros((1, 1, 4)), np.array([[1]])
    near(oracle.sinusoidal(zeros, one, "interleaved")[0, 0], [0.841471, 0.540302, 0.01, 0.99995])
    near(oracle.sinusoidal(zeros, one, "half")[0, 0], [0.841471, 0.01, 0.540302, 0.99995])
    near(oracle.sinusoidal(zeros, one, "half", shift=1)[0, 0], [0.841471, 0.0001, 0.540302, 1.0])
    near(oracle.sinusoidal(np.zeros((1, 1, 6)), one, "half")[0, 0],
         [0.8415, 0.0464, 0.0022, 0.5403, 0.9989, 1.0], 4)
    x = np.array([1.0, 2, 3, 4]).reshape(1, 1, 1, 4)
    near(oracle.rope(x, one, "half").ravel(), [-1.9841, 1.9599, 2.4624, 4.0198], 4)
    near(oracle.rope(x, one, "interleaved").ravel(), [-1.1426, 1.9221, 2.9599, 4.0298], 4)
    k = x[..., ::-1]
    for q, p in [(5, 3), (12, 10), (2, 0)]:
        near((oracle.rope(x, np.array([[q]]), "half") * oracle.rope(k, np.array([[p]]), "half")).sum(),
             -3.456429)
    for heads, slopes in [(6, [0.25, 0.0625, 0.015625, 0.003906, 0.5, 0.125]),
                          (12, [2.0 ** -n for n in range(1, 9)] + [0.7071, 0.3536, 0.1768, 0.0884])]:
        near(-oracle.alibi(np.zeros((1, heads, 1, 1)), one, 0 * one).ravel(), slopes, 4)
    for d, causal, bucket in [(-12, False, 9), (-12, True, 12), (12, False, 25), (-200, False, 15),
                              (-200, True, 31), (-16, False, 10), (-32, False, 12), (-64, False, 14)]:
        table = np.arange(32.0)[:, None]
        near(oracle.t5_bucket(np.zeros((1, 1, 1, 1)), 0 * one, d * one, table, causal=causal), bucket)
    grid = lambda m: ["".join("01"[int(v)] for v in row) for row in m[0, 0]]
    row = lambda n, past=0: np.arange(past, past + n)[None]
    assert grid(oracle.causal(row(2, 3), row(5))) == ["11110", "11111"]
    assert grid(oracle.causal(row(5, -3), row(2))) == ["00", "00", "00", "10", "11"]
    assert grid(oracle.window(row(4), row(4), 1, 0)) == ["1000", "1100", "0110", "0011"]
    s = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
    p, lse = oracle.attend(s, np.eye(3)[None, None])
    near(p.ravel(), [0.09, 0.2447, 0.6652], 4)
    near(lse.ravel(), [3.40761], 5)
    o, lse = oracle.attend(s - np.inf, np.eye(3)[None, None])
    assert (o == 0).all() and (lse == -np.inf).all()


def main():
    source = sys.argv[1]
    untested = [n for n in mnemonics(os.path.join(source, "lib", "Encodings"))
                if n not in cases.CASES
                or not os.path.exists(os.path.join(source, "test", "Encodings", n + ".test"))]
    if untested:
        sys.exit(f"no numeric test: {', '.join(untested)}")
    oracles()


if __name__ == "__main__":
    main()
