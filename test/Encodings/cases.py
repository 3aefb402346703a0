"""The variants of each encoding that are tested.

A case has the op's text after its positions, its further operands, and the
oracle. `arrays` makes the operands for a problem of `b` samples, `l` rows (keys,
for a mask) and `h` heads.
"""

from dataclasses import dataclass, field
from typing import Callable

import numpy as np

import oracle


@dataclass
class Case:
    op: str
    site: str  # token, row, score or mask
    oracle: Callable
    attributes: str = ""
    operands: str = ""  # between positions and attributes, of %x0, %x1, ...
    types: list = field(default_factory=list)  # ELEM: the type under test
    arrays: Callable = lambda rng, b, l, h: []
    positions: bool = True  # does it take coordinates?
    top_left: bool = False


HALF, INTER = "pairing = #posenc.pairing<half>", "pairing = #posenc.pairing<interleaved>"


def table(rows):
    return lambda rng, b, l, h: [rng.standard_normal((rows, 10))]


def buckets(rows):
    return lambda rng, b, l, h: [rng.standard_normal((rows, h))]


def ids(rng, b, l, h):
    return [rng.integers(0, 3, (b, l)), rng.standard_normal((3, 10))]


def valid(rng, b, l, h):
    keep = rng.random((b, l)) < 0.7
    keep[-1] = False  # every row of the last sample is empty
    return [keep]


def rope(attributes, **kw):
    return Case("rope", "row", lambda x, p: oracle.rope(x, p, **kw), attributes)


def sinusoidal(attributes, **kw):
    return Case("sinusoidal", "token", lambda x, p: oracle.sinusoidal(x, p, **kw), attributes)


def learned(attributes, **kw):
    return Case("learned", "token", lambda x, p, t: oracle.learned(x, p, t, **kw), attributes,
                "table(%x0)", ["tensor<64x10xELEM>"], table(64))


def t5(attributes, rows=32, **kw):
    return Case("t5_bucket", "score", lambda s, q, k, t: oracle.t5_bucket(s, q, k, t, **kw),
                attributes, "table(%x0)", [f"tensor<{rows}x6xELEM>"], buckets(rows))


def mask(op, attributes="", top_left=False, **kw):
    return Case(op, "mask", lambda q, k: getattr(oracle, op)(q, k, **kw),
                attributes + (", top_left" if top_left and attributes else
                              "top_left" if top_left else ""), top_left=top_left)


CASES = {
    "sinusoidal": [
        sinusoidal(INTER, pairing="interleaved"),
        sinusoidal(HALF + ", shift = 1 : i64", pairing="half", shift=1),
        sinusoidal(HALF + ", base = 50.0 : f64, scale = 0.3 : f64", pairing="half", base=50.0,
                   scale=0.3)],
    "learned": [learned(""), learned("offset = 2 : i64", offset=2)],
    "token_type": [Case("token_type", "token", lambda x, p, i, t: oracle.token_type(x, i, t), "",
                        "ids(%x0) table(%x1)", ["tensor<?x?xi64>", "tensor<3x10xELEM>"], ids,
                        positions=False)],
    "rope": [
        rope(HALF, pairing="half"),
        rope(INTER, pairing="interleaved"),
        rope(HALF + ", width = 4 : i64", pairing="half", width=4),
        rope(INTER + ", offset = 2 : i64, width = 6 : i64, base = 500.0 : f64, "
             "amplitude = 1.25 : f64", pairing="interleaved", offset=2, width=6, base=500.0,
             amplitude=1.25)],
    "alibi": [
        Case("alibi", "score", oracle.alibi),
        Case("alibi", "score", lambda s, q, k: oracle.alibi(s, q, k, 4.0), "max_bias = 4.0 : f64")],
    "t5_bucket": [
        t5(""), t5("causal", causal=True),
        t5("max_distance = 9 : i64", rows=8, max_distance=9)],
    "causal": [mask("causal"), mask("causal", top_left=True)],
    "window": [
        mask("window", "left = 3 : i64, right = 0 : i64", left=3, right=0),
        mask("window", "left = 1 : i64, right = 2 : i64", True, left=1, right=2),
        mask("window", "right = 1 : i64", right=1),
        mask("window", "left = 4 : i64", left=4),
        # Wider than any distance: neither bound may wrap.
        mask("window", "left = 2147483647 : i64, right = 2147483647 : i64",
             left=2147483647, right=2147483647),
        mask("window")],
    "padding": [Case("padding", "mask", oracle.padding, "", "valid(%x0)", ["tensor<?x?xi1>"],
                     valid, positions=False)],
}
