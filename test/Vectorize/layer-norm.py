"""Layer normalisation keeps its digits far from zero and beside an outlier.

Rows of several widths against float64 numpy, through both pipelines.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

PROGRAM = """
func.func @norm(%x: tensor<?x?xf32>, %g: tensor<?xf32>, %b: tensor<?xf32>,
                %init: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %y = posenc.layer_norm ins(%x, %g, %b : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
                         outs(%init : tensor<?x?xf32>) {eps = 1.0e-5 : f32} -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
"""


def rows(generator, width):
    """Centred, far from zero, with an outlier in front and at the end, all equal, huge."""
    x = generator.standard_normal((6, width))
    x[1] += 1000
    x[2, 0] = x[3, -1] = 1e4
    x[4] = 0.1
    x[5] *= 1e16
    return x.astype(np.float32)


def normalise(x, gamma, beta):
    if not x.shape[1]:
        return x
    x = x.astype(np.float64)
    scale = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) * scale * gamma + beta


generator = np.random.default_rng(5)
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "norm.mlir").write_text(PROGRAM)
    for width in (0, 1, 7, 100, 384, 1001):
        x = rows(generator, width) if width else np.zeros((6, 0), np.float32)
        gamma, beta = generator.standard_normal((2, width)).astype(np.float32)
        for tensor, value in dict(x=x, gamma=gamma, beta=beta, init=0 * x).items():
            np.save(folder / f"{tensor}.npy", value)
        expected = normalise(x, gamma, beta)
        for pipeline in ("posenc-cpu", "posenc-cpu{vector-bits=256}"):
            subprocess.run(["pe-runner", folder / "norm.mlir", f"--pipeline={pipeline}"]
                           + [f"--input=@{folder}/{t}.npy" for t in ("x", "gamma", "beta", "init")]
                           + [f"--output=@{folder}/y.npy"], check=True)
            error = np.abs(np.load(folder / "y.npy") - expected) / (1 + np.abs(expected))
            print(f"{pipeline}, width {width}: {error.max(initial=0):.1e}")
            if not error.max(initial=0) <= 5e-6:
                sys.exit("expected at most 5e-6")
