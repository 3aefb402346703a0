"""JAX, compiled by XLA."""

import functools
import os

os.environ["JAX_PLATFORMS"] = "cpu"
# XLA has no reliable number of threads: it gets that many processors.
threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

import jax
import jax.numpy as jnp
import numpy as np

import problem as words


TYPES = "f32", "bf16"
DTYPES = {"f32": jnp.float32, "bf16": jnp.bfloat16}


def version():
    return jax.__version__


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


def make_bert(problem, inputs):
    """The model as one function, and its operands: weights, tokens, mask."""
    import bert_onnx
    dtype = DTYPES[problem["dtype"]]
    w = {name: jnp.asarray(array, dtype) for name, array in bert_onnx.weights(problem["folder"]).items()}
    c = bert_onnx.config(problem["folder"])
    heads, width = c["num_attention_heads"], c["hidden_size"]
    ids, mask = jnp.asarray(inputs["0"]), jnp.asarray(inputs["1"])

    def linear(w, x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(w, x, name):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + c["layer_norm_eps"]) * w[name + ".weight"] + w[name + ".bias"]

    # All operands are arguments of what is compiled, those that nothing reads as well.
    @functools.partial(jax.jit, keep_unused=True)
    def step(w, ids, mask):
        batch, length = ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = norm(w, x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        visible = (mask != 0)[:, None, None, :]
        for layer in range(c["num_hidden_layers"]):
            name = f"encoder.layer.{layer}."
            q, k, v = (linear(w, x, name + "attention.self." + part).reshape(batch, length, heads, -1)
                       for part in ("query", "key", "value"))
            y = jax.nn.dot_product_attention(q, k, v, mask=visible, implementation="xla")
            y = linear(w, y.reshape(batch, length, width), name + "attention.output.dense")
            x = norm(w, x + y, name + "attention.output.LayerNorm")
            y = jax.nn.gelu(linear(w, x, name + "intermediate.dense"), approximate=False)
            x = norm(w, x + linear(w, y, name + "output.dense"), name + "output.LayerNorm")
        weight = mask.astype(dtype)
        mean = (x * weight[..., None]).sum(1) / weight.sum(1, keepdims=True)
        return mean / jnp.linalg.norm(mean, axis=-1, keepdims=True)

    return step, (w, ids, mask)


def bert(problem, inputs, threads):
    step, operands = make_bert(problem, inputs)
    run = lambda: step(*operands).block_until_ready()
    return {"xla": (run, lambda: np.asarray(run(), np.float32))}
