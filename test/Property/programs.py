"""Random programs: functions of posenc operations, and inputs for them.

`make(rng)` returns a Program. Sizes are odd, dimensions static or dynamic,
encodings in any number and order; whatever the verifiers accept may come up.
"""

from dataclasses import dataclass, field

LENGTHS = [1, 1, 2, 3, 5, 7, 8, 13, 16, 17, 24, 31, 33, 40, 65, 97, 130, 257]
WIDTHS = [2, 4, 6, 8, 10, 16, 20, 32, 34, 48, 64, 80, 128]
TYPES = ["f32", "f32", "f32", "bf16", "f16"]


@dataclass
class Program:
    """One function under construction: SSA names stand for values, and `types`
    and `shapes` say what they are."""
    rng: object
    arguments: list = field(default_factory=list)
    inputs: list = field(default_factory=list)
    body: list = field(default_factory=list)
    types: dict = field(default_factory=dict)
    shapes: dict = field(default_factory=dict)
    results: list = field(default_factory=list)
    narrow: bool = False  # is something of 16 bits involved?
    # Absolute: a mask or a coordinate that is wrong moves results by far more.
    # Far positions make scores of several hundred, whose rounding is 3e-5; of 16
    # bits, the reference rounds to them between operations, kernels do not.
    tolerance: float = 2e-4

    def type_of(self, shape, elem, keep=()):
        """A tensor type in which dimensions are static or not, at random, but
        those in `keep` static."""
        self.narrow |= elem in ("bf16", "f16")
        dims = [str(n) if d in keep or self.rng.random() < 0.4 else "?"
                for d, n in enumerate(shape)]
        return f"tensor<{'x'.join(dims + [elem])}>"

    def argument(self, shape, elem, keep=(), spec=None):
        name = f"%a{len(self.arguments)}"
        self.types[name] = self.type_of(shape, elem, keep)
        self.shapes[name] = shape
        self.arguments.append(name)
        spec = spec or f"random:{self.rng.randrange(1000)}"
        self.inputs.append(f"{'x'.join(map(str, shape))}={spec}")
        return name

    def scalar(self, value):
        name = f"%a{len(self.arguments)}"
        self.types[name], self.shapes[name] = "index", ()
        self.arguments.append(name)
        self.inputs.append(str(value))
        return name

    def op(self, text, operands, type, shape):
        """Adds `%name = text : (types of operands) -> type`."""
        name = f"%v{len(self.body)}"
        self.types[name], self.shapes[name] = type, shape
        kinds = ", ".join(self.types[o] for o in operands)
        self.body.append(f"{name} = {text} : ({kinds}) -> {type}")
        return name

    def text(self):
        signature = ", ".join(f"{a}: {self.types[a]}" for a in self.arguments)
        kinds = ", ".join(self.types[r] for r in self.results)
        lines = self.body + [f"return {', '.join(self.results)} : {kinds}"]
        return f"func.func @f({signature}) -> ({kinds}) {{\n  " + "\n  ".join(lines) + "\n}\n"


def attributes(pairs):
    return " {" + ", ".join(pairs) + "}" if pairs else ""


def dim(p, value, d):
    name, constant = f"%d{len(p.body)}", f"%c{len(p.body)}"
    p.body += [f"{constant} = arith.constant {d} : index",
               f"{name} = tensor.dim {value}, {constant} : {p.types[value]}"]
    return name


def coordinates(p, batch, row_of, past):
    """Coordinates for the rows of each (value, dimension) of `row_of`: those
    that advance from `past`, or any, shared by all samples or not."""
    kind = p.rng.choice(["none", "past", "past", "ragged", "explicit"])
    if kind == "none":
        return None
    names = []
    start = None
    for n, (value, d) in enumerate(row_of):
        length = p.shapes[value][d]
        if kind == "explicit":
            shape = (length,) if p.rng.random() < 0.5 else (batch, length)
            elem = p.rng.choice(["i64", "i64", "i32", "f32"])
            names.append(p.argument(shape, elem, spec=p.rng.choice(["random", "iota", "3"])))
            continue
        name = f"%p{len(p.body)}"
        count = dim(p, value, d)
        if n == 0 and kind == "ragged":  # keys start at 0: they are the cache
            start = p.argument((batch,), p.rng.choice(["i64", "i32"]),
                               spec=p.rng.choice(["iota", str(past)]))
            p.types[name] = p.type_of((batch, length), "i64")
        else:
            start = p.scalar(past if n == 0 else 0)
            p.types[name] = p.type_of((length,), "i64")
        p.body.append(f"{name} = posenc.positions {count} from {start} : "
                      f"{p.types[start]} -> {p.types[name]}")
        names.append(name)
    return names


def at(names):
    return f" at({', '.join(names)})" if names else ""


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

    def operand(heads, rows, width):
        shape = (batch, heads, rows, width) if row == 2 else (batch, rows, heads, width)
        return p.argument(shape, elem, keep=(3 - row, 3))

    elem = rng.choice(TYPES)
    q, k = operand(groups * key_heads, queries, width), operand(key_heads, keys, width)
    v = operand(key_heads, keys, value_width)
    if rng.random() < 0.1:  # all from one tensor
        k, v, keys, key_heads, groups, value_width = q, q, queries, groups * key_heads, 1, width
    past = rng.choice([0, 3, max(0, keys - queries), 1000])
    where = coordinates(p, batch, [(q, row), (k, row)], past)
    for _ in range(rng.choice([1, 1, 1, 2])):
        attend(p, q, k, v, where, layout, turns)


def attend(p, q, k, v, where, layout, turns):
    """Rotations of q and k, a chain of scores and encodings, its results."""
    rng, row = p.rng, 2 if layout == "bhsd" else 1
    batch, heads, queries, keys = p.shapes[q][0], p.shapes[q][3 - row], p.shapes[q][row], p.shapes[k][row]
    own = lambda n: [where[n]] if where and rng.random() < 0.8 else None
    for _ in range(turns):
        q, k = rope(p, q, own(0), layout), rope(p, k, own(1), layout)
    if rng.random() < 0.1 and p.shapes[v][3] % 2 == 0:
        v = rope(p, v, own(1), layout)
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
    shape = (*p.shapes[q][:3], p.shapes[v][3])
    kinds = [p.type_of(shape, elem, keep=(3 - row, 3))]
    kinds += [p.type_of((batch, heads, queries), "f32")] * (rng.random() < 0.4)
    name = f"%v{len(p.body)}"
    p.body.append(f"{name}:{len(kinds)} = posenc.attend {s}, {v} {{layout = #posenc.layout<{layout}>}}"
                  f" : ({p.types[s]}, {p.types[v]}) -> ({', '.join(kinds)})")
    names = [f"{name}#{n}" for n in range(len(kinds))]
    p.types.update(zip(names, kinds))
    p.shapes[names[0]] = shape
    if rng.random() < 0.1 and shape[3] % 2 == 0:
        names[0] = rope(p, names[0], own(0), layout)
    p.results += names


def tokens(p):
    """Encodings of tokens, a linear layer, normalisation, in any combination."""
    rng = p.rng
    batch, rows, width = rng.randint(1, 3), rng.choice(LENGTHS), rng.choice(WIDTHS)
    elem = rng.choice(TYPES)
    x = p.argument((batch, rows, width), elem, keep=(2,))
    where = coordinates(p, batch, [(x, 1)], rng.choice([0, 3]))
    for _ in range(rng.randint(0, 3)):
        kind = rng.choice(["sinusoidal", "learned", "token_type"])
        here = where if rng.random() < 0.8 and kind != "token_type" else None
        operands, middle, pairs = [x] + (here or []), at(here), []
        if kind == "sinusoidal":
            pairs = [f"pairing = #posenc.pairing<{rng.choice(['half', 'interleaved'])}>"]
            pairs += ["scale = 0.3 : f64"] if rng.random() < 0.3 else []
        elif kind == "learned":
            if here and "f32" in p.types[here[0]]:
                continue  # rows have no fractions
            table = p.argument((rows + 103, width), rng.choice([elem, "f32"]))
            operands.append(table)
            middle += f" table({table})"
            pairs = ["offset = 2 : i64"] if rng.random() < 0.3 else []
        else:
            ids = p.argument((batch, rows), rng.choice(["i64", "i32"]))
            table = p.argument((100, width), elem)
            operands += [ids, table]
            middle += f" ids({ids}) table({table})"
        x = p.op(f"posenc.{kind} {x}{middle}{attributes(pairs)}", operands, p.types[x], p.shapes[x])
    if rng.random() < 0.6:
        x = linear(p, x)
    if rng.random() < 0.6:
        x = layer_norm(p, x)
    p.results.append(x)


def destination(p, x, width):
    """An empty tensor for the rows of `x`, all sizes dynamic but the width."""
    batch, rows = dim(p, x, 0), dim(p, x, 1)
    elem = p.types[x].rstrip(">").split("x")[-1]
    name = f"%v{len(p.body)}"
    p.types[name], p.shapes[name] = f"tensor<?x?x{width}x{elem}>", (*p.shapes[x][:2], width)
    p.body.append(f"{name} = tensor.empty({batch}, {rows}) : {p.types[name]}")
    return name


def kernel(p, text, ins, with_, out):
    name = f"%v{len(p.body)}"
    p.types[name], p.shapes[name] = p.types[out], p.shapes[out]
    group = lambda values: f"({', '.join(values)} : {', '.join(p.types[v] for v in values)})"
    p.body.append(f"{name} = {text[0]} ins{group(ins)}"
                  + (f" with{group(with_)}" if with_ else "")
                  + f" outs{group([out])}{text[1]} -> {p.types[out]}")
    return name


def linear(p, x):
    width = p.rng.choice(WIDTHS + [17, 100])
    elem = p.types[x].rstrip(">").split("x")[-1]
    out = destination(p, x, width)
    w = p.argument((width, p.shapes[x][2]), elem, keep=(0, 1))
    bias = [p.argument((width,), elem, keep=(0,))] if p.rng.random() < 0.6 else []
    y = kernel(p, ("posenc.linear", ""), [x, w], bias, out)
    for _ in range(p.rng.randint(0, 2)):
        y = elementwise(p, y, x)
    return y


def elementwise(p, y, x):
    """A function of y, or its sum with x, as a linalg.generic that may fuse."""
    elem = p.types[y].rstrip(">").split("x")[-1]
    residual = p.shapes[x] == p.shapes[y] and p.rng.random() < 0.5
    ins = [y, x] if residual else [y]
    wide = [f"%{a} = arith.extf %{a}n : {elem} to f32" for a in "ab"[:len(ins)]] if elem != "f32" else []
    # Of what saturates, a norm that follows would show the rounding to 16 bits.
    functions = ["absf"] if elem != "f32" else ["tanh", "erf", "absf"]
    function = "arith.addf %a, %b : f32" if residual else f"math.{p.rng.choice(functions)} %a : f32"
    narrow = [f"%n = arith.truncf %r : f32 to {elem}"] if elem != "f32" else []
    end, out = ("%n" if narrow else "%r"), destination(p, y, p.shapes[y][2])
    name, same = f"%v{len(p.body)}", "affine_map<(b, i, n) -> (b, i, n)>"
    p.types[name], p.shapes[name] = p.types[out], p.shapes[out]
    arguments = [f"%{a}{'n' if wide else ''}: {elem}" for a in "ab"[:len(ins)]]
    kinds = ", ".join(p.types[i] for i in ins)
    p.body.append(f"{name} = linalg.generic {{indexing_maps = [{', '.join([same] * (len(ins) + 1))}], "
                  f'iterator_types = ["parallel", "parallel", "parallel"]}} '
                  f"ins({', '.join(ins)} : {kinds}) outs({out} : {p.types[out]}) {{\n"
                  f"  ^bb0({', '.join(arguments)}, %out: {elem}):\n    "
                  + "\n    ".join([*wide, f"%r = {function}", *narrow, f"linalg.yield {end} : {elem}"])
                  + f"\n  }} -> {p.types[out]}")
    return name


def layer_norm(p, x):
    width = p.shapes[x][2]
    gamma, beta = (p.argument((width,), "f32", keep=(0,)) for _ in range(2))
    return kernel(p, ("posenc.layer_norm", " {eps = 1.0e-5 : f32}"), [x, gamma, beta], [],
                  destination(p, x, width))


def make(rng):
    program = Program(rng)
    kind = attention if rng.random() < 0.75 else tokens
    kind(program)
    if program.narrow:
        program.tolerance = 0.06 if kind is attention else 0.5
    return program
