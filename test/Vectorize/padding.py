"""Padded keys may hold anything: NaN in K and infinities in V change nothing.

Compares all pipelines with float64 numpy on a batch of samples with gaps anywhere,
at the beginning, or, for more than a block, at the end; with and without a causal mask.
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

PROGRAM = """
func.func @attention(%q: tensor<?x2x?x16xf32>, %k: tensor<?x2x?x16xf32>, %v: tensor<?x2x?x16xf32>,
                     %valid: tensor<?x?xi1>) -> tensor<?x2x?x16xf32> {
  %s = posenc.scores %q, %k : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x?xf32>
  %c = posenc.causal %s : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %p = posenc.padding %SCORES valid(%valid) : (tensor<?x2x?x?xf32>, tensor<?x?xi1>) -> tensor<?x2x?x?xf32>
  %o = posenc.attend %p, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}
"""
PIPELINES = "posenc-reference", "posenc-cpu", "posenc-cpu{vector-bits=256}", "posenc-nvptx"
BATCH, HEADS, LENGTH, WIDTH = 5, 2, 283, 16


def attention(q, k, v, valid, causal):
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    visible = valid[:, None, None, :] & np.ones((LENGTH, LENGTH), bool)
    if causal:
        visible = np.tril(visible)
    s = np.where(visible, q @ k.swapaxes(2, 3) / np.sqrt(WIDTH), -np.inf)
    m = s.max(-1, keepdims=True)
    p = np.exp(s - np.where(np.isfinite(m), m, 0))
    return p @ v / np.maximum(p.sum(-1, keepdims=True), 1e-300)


generator = np.random.default_rng(11)
q, k, v = (generator.standard_normal((BATCH, HEADS, LENGTH, WIDTH)).astype(np.float32) for _ in range(3))
valid = generator.random((BATCH, LENGTH)) > 0.4
valid[1, :5] = False  # and rows that see nothing
valid[2:] = True
valid[2, 77:] = False
valid[3, :51] = False
expected = {causal: attention(q, k, v, valid, causal) for causal in (True, False)}
hidden = np.broadcast_to(~valid[:, None], (BATCH, HEADS, LENGTH))
k[hidden], v[hidden] = np.nan, np.inf
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for tensor, value in dict(q=q, k=k, v=v, valid=valid).items():
        np.save(folder / f"{tensor}.npy", value)
    for causal, pipeline in itertools.product(expected, PIPELINES):
        device = "emulator" if pipeline == "posenc-nvptx" else "cpu"
        (folder / "padding.mlir").write_text(PROGRAM.replace("SCORES", "c" if causal else "s"))
        subprocess.run(["pe-runner", folder / "padding.mlir", f"--pipeline={pipeline}",
                        f"--device={device}"]
                       + [f"--input=@{folder}/{t}.npy" for t in ("q", "k", "v", "valid")]
                       + [f"--output=@{folder}/o.npy"], check=True)
        error = np.abs(np.load(folder / "o.npy") - expected[causal]).max()
        print(f"{pipeline}, causal {causal}: {error:.1e}")
        if not error <= 2e-6:
            sys.exit("expected at most 2e-6")
