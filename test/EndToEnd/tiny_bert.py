"""Writes a small random BERT in the layout of a Hugging Face model folder.

    tiny_bert.py FOLDER [--prefix bert.] [--no-pooling] [--config KEY=JSON]...
                 [--drop NAME] [--reshape NAME=JSON] [--dtype NAME=F16]
                 [--truncate BYTES] [--raw-header TEXT]

The options after --no-pooling produce the faults that import has to name.
"""

import argparse
import json
import os

import numpy as np

HIDDEN, LAYERS, HEADS, INNER, VOCAB, POSITIONS, TYPES = 48, 2, 3, 80, 50, 20, 2


def shapes():
    def linear(name, outputs, inputs):
        return {name + ".weight": [outputs, inputs], name + ".bias": [outputs]}

    def norm(name):
        return {name + ".LayerNorm.weight": [HIDDEN], name + ".LayerNorm.bias": [HIDDEN]}

    result = {
        "embeddings.word_embeddings.weight": [VOCAB, HIDDEN],
        "embeddings.position_embeddings.weight": [POSITIONS, HIDDEN],
        "embeddings.token_type_embeddings.weight": [TYPES, HIDDEN],
        **norm("embeddings"),
    }
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}"
        for name in ("query", "key", "value"):
            result |= linear(f"{layer}.attention.self.{name}", HIDDEN, HIDDEN)
        result |= linear(layer + ".attention.output.dense", HIDDEN, HIDDEN)
        result |= norm(layer + ".attention.output")
        result |= linear(layer + ".intermediate.dense", INNER, HIDDEN)
        result |= linear(layer + ".output.dense", HIDDEN, INNER)
        result |= norm(layer + ".output")
    return result


def random_tensor(rng, name, shape):
    if name.endswith("LayerNorm.weight"):
        return rng.normal(1, 0.2, shape)
    scale = 1 if "embeddings" in name else 1.5 / np.sqrt(shape[-1])
    return rng.normal(0, scale, shape)


def write_safetensors(path, tensors, dtypes, truncate, raw_header):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        dtype = dtypes.get(name, "F32")
        raw = value.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": offsets}
        data += raw
    text = (raw_header or json.dumps(header)).encode()
    text += b" " * (-len(text) % 8)
    content = len(text).to_bytes(8, "little") + text + data
    with open(path, "wb") as file:
        file.write(content[: len(content) - truncate])


def write_json(folder, name, value):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(value, file, indent=2)


def pair(text):
    key, value = text.split("=", 1)
    return key, value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--no-pooling", action="store_true")
    parser.add_argument("--config", type=pair, action="append", default=[])
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--reshape", type=pair, action="append", default=[])
    parser.add_argument("--dtype", type=pair, action="append", default=[])
    parser.add_argument("--truncate", type=int, default=0)
    parser.add_argument("--raw-header")
    args = parser.parse_args()

    rng = np.random.default_rng(11)
    tensors = {n: random_tensor(rng, n, s) for n, s in shapes().items()}
    for name in args.drop:
        del tensors[name]
    for name, shape in args.reshape:
        tensors[name] = rng.normal(size=json.loads(shape))
    prefixed = {args.prefix + name: value for name, value in tensors.items()}

    write_json(args.folder, "config.json", {
        "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS, "type_vocab_size": TYPES,
        "vocab_size": VOCAB, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
        "position_embedding_type": "absolute",
    } | {key: json.loads(value) for key, value in args.config})
    if not args.no_pooling:
        prefix = "sentence_transformers.models."
        write_json(args.folder, "modules.json", [
            {"idx": 0, "name": "0", "path": "", "type": prefix + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": prefix + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": prefix + "Normalize"},
        ])
        write_json(args.folder, "1_Pooling/config.json", {
            "word_embedding_dimension": HIDDEN,
            "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
        })
    write_safetensors(os.path.join(args.folder, "model.safetensors"), prefixed,
                      dict(args.dtype), args.truncate, args.raw_header)


if __name__ == "__main__":
    main()
