"""PyTorch, eager, with its own operator for attention."""

import numpy as np
import torch
import torch.nn.functional as F

import problem as words


TYPES = "f32", "bf16"
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def version():
    return torch.__version__.split("+")[0]


def way(step):
    def run():
        with torch.inference_mode():
            return step()
    return run, lambda: run().float().numpy()


def attention(problem, inputs, threads):
    torch.set_num_threads(threads)
    dtype = DTYPES[problem["dtype"]]
    tensor = lambda array: torch.from_numpy(array).to(dtype)
    q, k, v = map(tensor, words.operands(problem, inputs))
    bias = words.bias(problem, inputs)
    causal = bias is None and words.is_plainly_causal(problem)
    mask = None if bias is None else tensor(bias)
    grouped = problem["heads"] != problem["kv_heads"]
    if rotated := words.is_rotated(problem):
        cos, sin = map(tensor, words.rotation(problem))

    def rotate(x):
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)

    def step():
        x, y = (rotate(q), rotate(k)) if rotated else (q, k)
        return F.scaled_dot_product_attention(x, y, v, attn_mask=mask, is_causal=causal,
                                              enable_gqa=grouped)

    return {"sdpa": way(step)}


def gemm(problem, inputs, threads):
    torch.set_num_threads(threads)
    tensor = lambda name: torch.from_numpy(inputs[name]).to(DTYPES[problem["dtype"]])
    x, w, bias = tensor("x"), tensor("weight"), tensor("bias") if problem["bias"] else None

    def step():
        y = F.linear(x, w, bias)
        return F.gelu(y) if problem["gelu"] else y

    return {"eager": way(step)}


def bert(problem, inputs, threads):
    import bert_onnx
    torch.set_num_threads(threads)
    dtype = DTYPES[problem["dtype"]]
    w = {name: torch.from_numpy(array).to(dtype)
         for name, array in bert_onnx.weights(problem["folder"]).items()}
    c = bert_onnx.config(problem["folder"])
    heads, width = c["num_attention_heads"], c["hidden_size"]
    ids, mask = torch.from_numpy(inputs["0"]), torch.from_numpy(inputs["1"])
    batch, length = ids.shape

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, (width,), w[name + ".weight"], w[name + ".bias"], c["layer_norm_eps"])

    def step():
        x = F.embedding(ids, w["embeddings.word_embeddings.weight"])
        x = x + w["embeddings.position_embeddings.weight"][:length]
        x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        weight = mask.to(x.dtype)
        hidden = ((1 - weight) * -1e9)[:, None, None, :].expand(batch, 1, length, length)
        for layer in range(c["num_hidden_layers"]):
            name = f"encoder.layer.{layer}."
            q, k, v = (linear(x, name + "attention.self." + part).view(batch, length, heads, -1).transpose(1, 2)
                       for part in ("query", "key", "value"))
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=hidden)
            y = linear(y.transpose(1, 2).reshape(batch, length, width), name + "attention.output.dense")
            x = norm(x + y, name + "attention.output.LayerNorm")
            y = linear(F.gelu(linear(x, name + "intermediate.dense")), name + "output.dense")
            x = norm(x + y, name + "output.LayerNorm")
        mean = (x * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)
        return F.normalize(mean)

    return {"eager": way(step)}
