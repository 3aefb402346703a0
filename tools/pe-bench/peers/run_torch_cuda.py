"""PyTorch on a GPU: its own operator for attention, and FlexAttention."""

import torch
import torch.nn.functional as F
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

import problem as words

if not torch.cuda.is_available():
    raise ImportError("PyTorch finds no GPU")

TYPES = "f32", "f16", "bf16"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def version():
    return torch.__version__.split("+")[0]


def seconds(run):
    """Of each of many runs in a row, between two events."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    count, span = 1, 0.0
    while True:
        start.record()
        for _ in range(count):
            run()
        end.record()
        torch.cuda.synchronize()
        span = start.elapsed_time(end) * 1e-3
        if span >= 2e-3 or count >= 200:
            return span / count
        count = min(200, max(2 * count, int(2.5e-3 / max(span / count, 1e-6))))


def upload(array, dtype):
    return torch.from_numpy(array).to("cuda", dtype)


def way(step):
    def run():
        with torch.inference_mode():
            return step()
    return run, lambda: run().float().cpu().numpy()


def gemm(problem, inputs, threads):
    dtype = DTYPES[problem["dtype"]]
    x, w = upload(inputs["x"], dtype), upload(inputs["weight"], dtype)
    bias = upload(inputs["bias"], dtype) if problem["bias"] else None

    def step():
        y = F.linear(x, w, bias)
        return F.gelu(y) if problem["gelu"] else y

    return {"eager": way(step), "compiled": way(torch.compile(step))}


def flex(problem, inputs):
    """What FlexAttention is told of scores and masks: (score_mod, block_mask)."""
    causal, window = words.find(problem, "causal"), words.find(problem, "window")
    past = problem["keys"] - problem["queries"]
    score, mask = None, None
    if words.find(problem, "alibi") or words.find(problem, "t5"):
        added = upload(words.bias({**problem, "encodings": [e for e in problem["encodings"]
                                                            if e["name"] in ("alibi", "t5")]},
                                  inputs), torch.float32)[0]
        if words.find(problem, "alibi"):
            slopes = -added[:, 0, 1 + past]
            score = lambda s, b, h, q, k: s - slopes[h] * (q + past - k).abs()
        else:
            # By distance: a bias depends on nothing else.
            first = torch.cat([added[:, 0].flip(1), added[:, 1:, 0]], 1)
            score = lambda s, b, h, q, k: s + first[h, q + problem["keys"] - 1 - k]
    if causal or window:
        def mask(b, h, q, k):
            distance = q + past - k
            visible = distance >= 0 if causal else distance == distance
            if window:
                visible = visible & (distance <= window["left"]) & (distance >= -window["right"])
            return visible
    blocks = mask and create_block_mask(mask, None, None, problem["queries"], problem["keys"])
    return score, blocks


def attention(problem, inputs, threads):
    dtype = DTYPES[problem["dtype"]]
    torch.backends.cuda.matmul.allow_tf32 = False
    q, k, v = (upload(array, dtype) for array in words.operands(problem, inputs))
    bias = words.bias(problem, inputs)
    causal = bias is None and words.is_plainly_causal(problem)
    mask = None if bias is None else upload(bias, dtype)
    grouped = problem["heads"] != problem["kv_heads"]
    if rotated := words.is_rotated(problem):
        cos, sin = (upload(array, torch.float32) for array in words.rotation(problem))

    def rotate(x):
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(dtype)

    rotate = torch.compile(rotate) if rotated else None
    operands = lambda: (rotate(q), rotate(k)) if rotated else (q, k)

    def sdpa():
        x, y = operands()
        return F.scaled_dot_product_attention(x, y, v, attn_mask=mask, is_causal=causal,
                                              enable_gqa=grouped)

    score, blocks = flex(problem, inputs)
    compiled = torch.compile(flex_attention)

    def fused():
        x, y = operands()
        return compiled(x, y, v, score_mod=score, block_mask=blocks, enable_gqa=grouped)

    return {"sdpa": way(sdpa), "flex": way(fused)}
