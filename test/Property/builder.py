"""What random programs are made with: a function under construction."""

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
    writable: set = field(default_factory=set)  # arguments that may be changed in place
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
        note = lambda a: " {bufferization.writable = true}" if a in self.writable else ""
        signature = ", ".join(f"{a}: {self.types[a]}{note(a)}" for a in self.arguments)
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
