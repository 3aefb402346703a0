"""Random programs: functions of posenc operations, and inputs for them.

`make(rng)` returns a Program. Sizes are odd, dimensions static or dynamic,
encodings in any number and order; whatever the verifiers accept may come up.
"""

from builder import LENGTHS, TYPES, WIDTHS, Program, at, attributes, coordinates
from caches import cached
from tokens import tokens


def rope(p, x, where, layout):
    width = p.shapes[x][-1]
    pairs = [f"pairing = #posenc.pairing<{p.rng.choice(['half', 'interleaved'])}>"]
    if p.rng.random() < 0.3:
        pairs.append(f"base = {p.rng.choice([100.0, 500000.0])} : f64")
    if p.rng.random() < 0.4:
        offset = p.rng.randrange(0, width - 1)
        pairs.append(f"offset = {offset} : i64")
        pairs.append(f"width = {2 * p.rng.randint(1, (width - offset) // 2)} : i64")
    if p.rng.random() < 0.2:
        pairs.append("amplitude = 1.25 : f64")
    if layout == "bshd":
        pairs.append("layout = #posenc.layout<bshd>")
    return p.op(f"posenc.rope {x}{at(where)}{attributes(pairs)}", [x] + (where or []),
                p.types[x], p.shapes[x])


def score(p, s, where):
    """One encoding of scores or visibility, around `s`."""
    batch, heads, _, keys = p.shapes[s]
    kind = p.rng.choice(["alibi", "t5_bucket", "causal", "window", "padding"])
    operands, middle, pairs = [s] + (where or []), at(where), []
    if kind == "alibi":
        pairs = [f"max_bias = {p.rng.choice([4.0, 8.0])} : f64"]
    elif kind == "t5_bucket":
        buckets = p.rng.choice([4, 8, 32])
        table = p.argument((buckets, heads), p.rng.choice(TYPES), keep=(0,))
        operands.append(table)
        middle += f" table({table})"
        pairs = [f"max_distance = {p.rng.choice([20, 128])} : i64"]
        pairs += ["causal"] if p.rng.random() < 0.4 else []
    elif kind == "padding":
        valid = p.argument((batch, keys), "i1", spec=p.rng.choice(["random", "random", "1", "0"]))
        operands, middle = [s, valid], f" valid({valid})"
    elif kind == "window":
        pairs = [f"{side} = {p.rng.choice([-1, 0, 1, 4, 30])} : i64" for side in ("left", "right")]
    if kind in ("causal", "window") and not where and p.rng.random() < 0.4:
        pairs.append("top_left")
    return p.op(f"posenc.{kind} {middle.join([s, ''])}{attributes(pairs)}", operands, p.types[s],
                p.shapes[s])


def attention(p):
    rng = p.rng
    batch, groups, key_heads = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 3)
    layout = rng.choice(["bhsd", "bshd"])
    row = 2 if layout == "bhsd" else 1
    queries, keys = rng.choice(LENGTHS), rng.choice(LENGTHS + [0] * (rng.random() < 0.1))
    if rng.random() < 0.4:
        keys = queries + rng.choice([0, 0, 4, 17])
    width, value_width = rng.choice(WIDTHS), rng.choice(WIDTHS + [1, 3, 17])
    turns = rng.choice([0, 0, 1, 1, 2])
    if not turns and rng.random() < 0.4:
        width = rng.choice([1, 3, 5, 13])

    def operand(layout, heads, rows, width):
        shape = (batch, heads, rows, width) if layout == "bhsd" else (batch, rows, heads, width)
        # Encodings with a number per head need to know how many there are.
        return p.argument(shape, rng.choice([elem] * 9 + TYPES), keep=(1 if layout == "bhsd" else 2, 3))

    elem = rng.choice(TYPES)
    q = operand(layout, groups * key_heads, queries, width)
    k = operand(layout, key_heads, keys, width)
    value_layout = rng.choice([layout] * 9 + ["bhsd", "bshd"])
    v = operand(value_layout, key_heads, keys, value_width)
    if rng.random() < 0.1:  # all from one tensor
        k, v, keys, value_layout = q, q, queries, layout
    if rng.random() < 0.25:
        filled = rng.choice([0, 1, 15, 40])
        k, v, keys = cached(p, k, filled, layout), cached(p, v, filled, value_layout), filled + keys
    past = rng.choice([0, 3, max(0, keys - queries), 1000])
    where = coordinates(p, batch, [(q, row), (k, row)], past)
    for _ in range(rng.choice([1, 1, 1, 2])):
        attend(p, q, k, v, where, layout, value_layout, turns)


def attend(p, q, k, v, where, layout, value_layout, turns):
    """Rotations of q and k, a chain of scores and encodings, its results."""
    rng, row = p.rng, 2 if layout == "bhsd" else 1
    batch, heads, queries, keys = p.shapes[q][0], p.shapes[q][3 - row], p.shapes[q][row], p.shapes[k][row]
    own = lambda n: [where[n]] if where and rng.random() < 0.8 else None
    for _ in range(turns):
        q, k = rope(p, q, own(0), layout), rope(p, k, own(1), layout)
    if rng.random() < 0.1 and p.shapes[v][3] % 2 == 0:
        v = rope(p, v, own(1), value_layout)
    pairs = [f"layout = #posenc.layout<{layout}>"]
    pairs += ["scale = 0.3 : f32"] if rng.random() < 0.3 else []
    shape = (batch, heads, queries, keys)
    s = p.op(f"posenc.scores {q}, {k}{attributes(pairs)}", [q, k],
             p.type_of(shape, "f32", keep=(1,)), shape)
    for _ in range(rng.randint(0, 4)):
        s = score(p, s, where if rng.random() < 0.8 else None)
    if rng.random() < 0.1:
        p.results.append(s)
    elem = p.types[q].rstrip(">").split("x")[-1]
    rows = (heads, queries) if value_layout == "bhsd" else (queries, heads)
    shape = (batch, *rows, p.shapes[v][3])
    kinds = [p.type_of(shape, elem, keep=(1 if value_layout == "bhsd" else 2, 3))]
    kinds += [p.type_of((batch, heads, queries), "f32")] * (rng.random() < 0.4)
    name = f"%v{len(p.body)}"
    p.body.append(f"{name}:{len(kinds)} = posenc.attend {s}, {v} {{layout = #posenc.layout<{value_layout}>}}"
                  f" : ({p.types[s]}, {p.types[v]}) -> ({', '.join(kinds)})")
    names = [f"{name}#{n}" for n in range(len(kinds))]
    p.types.update(zip(names, kinds))
    p.shapes[names[0]] = shape
    if rng.random() < 0.1 and shape[3] % 2 == 0:
        names[0] = rope(p, names[0], own(0), value_layout)
    p.results += names


def make(rng):
    program = Program(rng)
    kind = attention if rng.random() < 0.75 else tokens
    kind(program)
    if program.narrow:
        program.tolerance = 0.06 if kind is attention else 0.5
    return program
