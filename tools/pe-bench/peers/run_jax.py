"""JAX, compiled by XLA."""

import os

os.environ["JAX_PLATFORMS"] = "cpu"
# The only knob that XLA offers on the number of threads.
if os.environ.get("OMP_NUM_THREADS") == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

import problem as words


TYPES = "f32", "bf16"


def version():
    return jax.__version__


DTYPES = {"f32": jnp.float32, "bf16": jnp.bfloat16}


def gemm(problem, inputs, threads):
    x, w, *bias = (jnp.asarray(inputs[name], DTYPES[problem["dtype"]])
                   for name in ("x", "weight", "bias") if name in inputs)

    @jax.jit
    def step(x, *bias):
        y = x @ w.T
        y = y + bias[0] if bias else y
        return jax.nn.gelu(y, approximate=False) if problem["gelu"] else y

    run = lambda: step(x, *bias).block_until_ready()
    return {"xla": (run, lambda: np.asarray(run(), np.float32))}


def attention(problem, inputs, threads):
    array = lambda x: jnp.asarray(x, DTYPES[problem["dtype"]])
    q, k, v = (array(x.transpose(0, 2, 1, 3)) for x in words.operands(problem, inputs))
    bias = words.bias(problem, inputs)
    causal = bias is None and words.is_plainly_causal(problem)
    bias = None if bias is None else array(bias)
    if rotated := words.is_rotated(problem):
        cos, sin = (array(table[None, :, None]) for table in words.rotation(problem))

    def rotate(x):
        a, b = jnp.split(x, 2, axis=-1)
        return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)

    @jax.jit
    def step(q, k, v, bias):
        if rotated:
            q, k = rotate(q), rotate(k)
        return jax.nn.dot_product_attention(q, k, v, bias=bias, is_causal=causal, implementation="xla")

    run = lambda: step(q, k, v, bias).block_until_ready()
    return {"xla": (run, lambda: np.asarray(run(), np.float32).transpose(0, 2, 1, 3))}
