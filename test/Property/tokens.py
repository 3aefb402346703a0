"""Random programs on tokens: encodings, linear layers, normalisation."""

from builder import LENGTHS, TYPES, WIDTHS, at, attributes, coordinates, dim


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
