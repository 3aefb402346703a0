"""BERT sentence embeddings in float64 numpy, written from the definition.

Sources: Vaswani et al. 2017 (multi-head attention), Devlin et al. 2018 (the
encoder: layer norm after each residual addition, GELU, learned positions),
Hendrycks and Gimpel 2016 (GELU), Reimers and Gurevych 2019 (mean pooling).
Nothing here is shared with the compiler.

    bert.py MODEL_DIR BxS PREFIX

draws B random sentences of up to S tokens and writes PREFIX.ids.npy,
PREFIX.mask.npy and the expected PREFIX.y.npy.
"""

import json
import math
import os
import sys

import numpy as np


def read_safetensors(path):
    """Every F32 tensor of the file by name, as float64."""
    with open(path, "rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_size))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(data[begin:end], "<f4").astype(np.float64)
            tensors[name.removeprefix("bert.")] = flat.reshape(entry["shape"])
    return tensors


erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def layer_norm(x, gamma, beta, eps):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * gamma + beta


def softmax_visible(scores, visible):
    """Softmax over the visible keys; a row without any is 0."""
    scores = np.where(visible, scores, -np.inf)
    peak = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(peak), peak, 0))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total > 0, total, 1)


class Bert:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.tensors = read_safetensors(os.path.join(folder, "model.safetensors"))

    def linear(self, x, layer):
        t = self.tensors
        return x @ t[layer + ".weight"].T + t[layer + ".bias"]

    def norm(self, x, layer):
        t = self.tensors
        gamma, beta = t[layer + ".LayerNorm.weight"], t[layer + ".LayerNorm.bias"]
        return layer_norm(x, gamma, beta, self.config["layer_norm_eps"])

    def attention(self, x, visible, layer):
        batch, rows, width = x.shape
        count = self.config["num_attention_heads"]
        channels = width // count

        def heads(name):
            y = self.linear(x, f"{layer}.attention.self.{name}")
            return y.reshape(batch, rows, count, channels).transpose(0, 2, 1, 3)

        q, k, v = heads("query"), heads("key"), heads("value")
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(channels)
        mixed = softmax_visible(scores, visible[:, None, None, :]) @ v
        merged = mixed.transpose(0, 2, 1, 3).reshape(batch, rows, width)
        return self.linear(merged, layer + ".attention.output.dense")

    def encode(self, ids, mask):
        """Hidden states [batch, row, channel] after the last layer."""
        t, visible = self.tensors, mask != 0
        x = t["embeddings.word_embeddings.weight"][ids]
        x = x + t["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = x + t["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(x, "embeddings")
        for i in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}"
            x = self.norm(x + self.attention(x, visible, layer), layer + ".attention.output")
            inner = gelu(self.linear(x, layer + ".intermediate.dense"))
            x = self.norm(x + self.linear(inner, layer + ".output.dense"), layer + ".output")
        return x

    def embed(self, ids, mask):
        """Unit-length mean of the visible tokens, [batch, channel]."""
        visible = (mask != 0).astype(np.float64)[..., None]
        x = (self.encode(ids, mask) * visible).sum(1) / np.maximum(visible.sum(1), 1e-9)
        return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def random_batch(batch, rows, vocabulary):
    """Ids and mask: sentences of odd lengths, the first one without padding,
    the last padded on the left; what is padded holds ids that must not matter."""
    rng = np.random.default_rng(rows * 1000 + batch)
    ids = rng.integers(0, vocabulary, (batch, rows))
    lengths = rng.integers(1, rows + 1, batch)
    lengths[0] = rows
    mask = (np.arange(rows) < lengths[:, None]).astype(np.int64)
    if batch > 1:
        mask[-1] = mask[-1, ::-1]
    return ids, mask


def main():
    folder, shape, prefix = sys.argv[1:]
    bert = Bert(folder)
    batch, rows = map(int, shape.split("x"))
    ids, mask = random_batch(batch, rows, bert.config["vocab_size"])
    pooled = os.path.exists(os.path.join(folder, "modules.json"))
    expected = (bert.embed if pooled else bert.encode)(ids, mask)
    np.save(prefix + ".ids.npy", ids)
    np.save(prefix + ".mask.npy", mask)
    np.save(prefix + ".y.npy", expected.astype(np.float32))


if __name__ == "__main__":
    main()
