"""A BERT sentence encoder as an ONNX model, from its Hugging Face folder."""

import json
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def weights(folder):
    """Name and array of each tensor of model.safetensors."""
    data = np.memmap(os.path.join(folder, "model.safetensors"), np.uint8, "r")
    start = 8 + int(data[:8].view(np.uint64)[0])
    result = {}
    for name, entry in json.loads(bytes(data[8:start])).items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            array = np.array(data[start + begin:start + end]).view(np.float32)
            result[name.removeprefix("bert.")] = array.reshape(entry["shape"])
    return result


def config(folder):
    with open(os.path.join(folder, "config.json")) as file:
        return json.load(file)


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.known = [], [], {}

    def constant(self, array):
        array = np.asarray(array)
        key = id(array) if array.size > 8 else (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            name = f"c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, name))
            # Keeps the array, and so its id, alive.
            self.known[key] = name, array
        return self.known[key][0]

    def __call__(self, kind, *inputs, **attributes):
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output


def build(folder, fused):
    """`fused`: with the operator Attention instead of products and a softmax."""
    w, c, g = weights(folder), config(folder), Graph()
    heads, width = c["num_attention_heads"], c["hidden_size"]
    dim, eps = width // heads, c["layer_norm_eps"]
    ints = lambda *values: np.array(values, np.int64)

    def linear(x, name):
        product = g("MatMul", x, np.ascontiguousarray(w[name + ".weight"].T))
        return g("Add", product, w[name + ".bias"])

    def norm(x, name):
        return g("LayerNormalization", x, w[name + ".weight"], w[name + ".bias"], axis=-1, epsilon=eps)

    def split(x):
        return g("Transpose", g("Reshape", x, ints(0, 0, heads, dim)), perm=[0, 2, 1, 3])

    length = g("Slice", g("Shape", "ids"), ints(1), ints(2))
    positions = g("Slice", w["embeddings.position_embeddings.weight"], ints(0), length, ints(0))
    x = g("Add", g("Gather", w["embeddings.word_embeddings.weight"], "ids"), positions)
    x = g("Add", x, w["embeddings.token_type_embeddings.weight"][0].copy())
    x = norm(x, "embeddings.LayerNorm")
    mask = g("Cast", "mask", to=TensorProto.FLOAT)
    hidden = g("Mul", g("Sub", np.float32(1), mask), np.float32(-1e9))
    hidden = g("Unsqueeze", hidden, ints(1, 2))
    for layer in range(c["num_hidden_layers"]):
        name = f"encoder.layer.{layer}."
        q, k, v = (split(linear(x, name + "attention.self." + part)) for part in ("query", "key", "value"))
        if fused:
            rows = g("Concat", ints(1), ints(1), length, ints(1), axis=0)
            y = g("Attention", q, k, v, g("Expand", hidden, rows))
        else:
            scores = g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2]))
            scores = g("Add", g("Mul", scores, np.float32(dim ** -0.5)), hidden)
            y = g("MatMul", g("Softmax", scores, axis=-1), v)
        y = g("Reshape", g("Transpose", y, perm=[0, 2, 1, 3]), ints(0, 0, width))
        x = norm(g("Add", x, linear(y, name + "attention.output.dense")), name + "attention.output.LayerNorm")
        y = linear(g("Gelu", linear(x, name + "intermediate.dense")), name + "output.dense")
        x = norm(g("Add", x, y), name + "output.LayerNorm")
    weight = g("Unsqueeze", mask, ints(2))
    total = g("ReduceSum", g("Mul", x, weight), ints(1), keepdims=0)
    mean = g("Div", total, g("ReduceSum", weight, ints(1), keepdims=0))
    norms = g("ReduceL2", mean, ints(1), keepdims=1)
    g.nodes.append(helper.make_node("Div", [mean, norms], ["y"]))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
              for name in ("ids", "mask")]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", width])]
    return helper.make_model(
        helper.make_graph(g.nodes, "bert", inputs, outputs, initializer=g.constants),
        opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
