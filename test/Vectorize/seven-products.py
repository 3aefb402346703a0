"""Seven products err as docs/numerics.md says, and not more, for any number of rows.

Layers of several sizes against float64 numpy: random, with channels that are far larger
than others, and with rows that are. The error of an element is compared with the largest
sum of sizes of products among the rows and outputs that are multiplied together.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

PROGRAM = """
posenc.weights @weights {path = "PATH", size = SIZE : i64, header_hash = HASH : i64}
func.func @layer(%x: tensor<?xINPUTSxf32>, %r: tensor<?xOUTPUTSxf32>) -> tensor<?xOUTPUTSxf32> {
  %w = posenc.weight @weights "w" at WEIGHT : tensor<OUTPUTSxINPUTSxf32>
  %b = posenc.weight @weights "b" at BIAS : tensor<OUTPUTSxf32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?xINPUTSxf32>
  %init = tensor.empty(%rows) : tensor<?xOUTPUTSxf32>
  %y = posenc.linear ins(%x, %w : tensor<?xINPUTSxf32>, tensor<OUTPUTSxINPUTSxf32>)
      with(%b, %r : tensor<OUTPUTSxf32>, tensor<?xOUTPUTSxf32>) outs(%init : tensor<?xOUTPUTSxf32>)
    epilogue {
    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %zero = arith.constant 0.0 : f32
      %1 = arith.maximumf %0, %zero : f32
      %2 = arith.addf %1, %residual : f32
      posenc.yield %2 : f32
    } -> tensor<?xOUTPUTSxf32>
  return %y : tensor<?xOUTPUTSxf32>
}
"""
UNIT = 2.0 ** -24  # half a unit of the last place of 1
BOUND = 48 * UNIT


def write_weights(path, w, b):
    header = (f'{{"w":{{"dtype":"F32","shape":[{w.shape[0]},{w.shape[1]}],"data_offsets":[0,{w.nbytes}]}},'
              f'"b":{{"dtype":"F32","shape":[{len(b)}],"data_offsets":[{w.nbytes},{w.nbytes + b.nbytes}]}}}}')
    header = header.encode().ljust(256)
    data = struct.pack("<Q", len(header)) + header
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2 ** 64
    path.write_bytes(data + w.tobytes() + b.tobytes())
    return len(data), value - 2 ** 64 if value >> 63 else value


def inputs(generator, kind, rows, width):
    x = generator.standard_normal((rows, width))
    if kind == "channels":
        x[:, generator.choice(width, 3, replace=False)] *= 100
    if kind == "rows":
        x[::7] *= 100
    return x.astype(np.float32)


def main():
    generator = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for width, outputs in ((64, 96), (32, 200), (384, 288), (1024, 100)):
            w = generator.standard_normal((outputs, width)).astype(np.float32)
            b = generator.standard_normal(outputs).astype(np.float32)
            start, digest = write_weights(folder / "w.safetensors", w, b)
            program = PROGRAM
            for key, value in dict(PATH=folder / "w.safetensors", SIZE=start + w.nbytes + b.nbytes,
                                   HASH=digest, INPUTS=width, OUTPUTS=outputs, WEIGHT=start,
                                   BIAS=start + w.nbytes).items():
                program = program.replace(key, str(value))
            (folder / "layer.mlir").write_text(program)
            for kind, rows in (("random", 1), ("random", 391), ("channels", 384), ("rows", 517)):
                x = inputs(generator, kind, rows, width)
                residual = generator.standard_normal((rows, outputs)).astype(np.float32)
                np.save(folder / "x.npy", x)
                np.save(folder / "r.npy", residual)
                x, weight = x.astype(np.float64), w.astype(np.float64)
                expected = np.maximum(x @ weight.T + b, 0) + residual
                sizes = np.abs(x) @ np.abs(weight).T
                for pipeline in ("posenc-cpu{seven-products}", "posenc-cpu{seven-products vector-bits=256}",
                                 "posenc-cpu"):
                    subprocess.run(["pe-runner", folder / "layer.mlir", f"--pipeline={pipeline}",
                                    f"--input=@{folder}/x.npy", f"--input=@{folder}/r.npy",
                                    f"--output=@{folder}/y.npy"], check=True)
                    error = np.abs(np.load(folder / "y.npy") - expected).max() / (sizes.max() + 1)
                    print(f"{pipeline}, {rows} x {width} x {outputs}, {kind}: {error / UNIT:.1f} units")
                    if not error <= BOUND:
                        sys.exit(f"expected at most {BOUND / UNIT} units")


if __name__ == "__main__":
    main()
