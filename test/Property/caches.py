"""Caches of keys and values in random programs."""

from builder import attributes


def cached(p, x, past, layout):
    """The first rows of a cache to which `x` is appended after `past` others; the cache
    is a result, too."""
    rng, row = p.rng, 2 if layout == "bhsd" else 1
    batch, heads, width = p.shapes[x][0], p.shapes[x][3 - row], p.shapes[x][3]
    rows = past + p.shapes[x][row]
    height, channels = rng.choice([1, 3, 16, 16, 32]), rng.choice([c for c in (1, 1, 2, 16, 32) if width % c == 0])
    blocks = -(-rows // height) + rng.choice([0, 0, 1, 3])
    shape = (batch, heads, blocks, width // channels, height, channels)
    elem = p.types[x].rstrip(">").split("x")[-1]
    cache = p.argument(shape, rng.choice([elem, elem, "bf16"]), keep=(1, 3, 4, 5))
    if rng.random() < 0.7:
        p.writable.add(cache)
    pairs = [f"layout = #posenc.layout<{layout}>"] if layout == "bshd" else []
    # Samples may append after different numbers of rows.
    each = past >= batch and rng.random() < 0.4
    start = p.argument((batch,), rng.choice(["i64", "i32"]), spec="iota") if each else p.scalar(past)
    count = p.scalar(rows)
    full = f"%v{len(p.body)}"
    p.types[full], p.shapes[full] = p.types[cache], shape
    p.body.append(f"{full} = posenc.append {x} into {cache} at {start}{attributes(pairs)} : "
                  f"{p.types[x]} into {p.types[cache]}" + (f" at {p.types[start]}" if each else ""))
    p.results.append(full)
    shape = (batch, heads, rows, width) if layout == "bhsd" else (batch, rows, heads, width)
    name = f"%v{len(p.body)}"
    kind = p.type_of(shape, p.types[cache].rstrip(">").split("x")[-1], keep=(3 - row, 3))
    # How many rows there are is known at run time only.
    dims = kind[len("tensor<"):].split("x")
    dims[row] = "?"
    p.types[name], p.shapes[name] = f"tensor<{'x'.join(dims)}", shape
    p.body.append(f"{name} = posenc.rows {count} of {full}{attributes(pairs)} : "
                  f"{p.types[full]} -> {p.types[name]}")
    return name
