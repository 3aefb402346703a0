"""ONNX Runtime: the operator of the standard, and those its own exporters emit."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import bert_onnx
import problem as words


def version():
    return onnxruntime.__version__


def session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def bound(model, feeds, threads, finish=lambda y: y):
    """run and result of `model`; its inputs are bound once."""
    loaded = session(model, threads)
    binding = loaded.io_binding()
    for name, array in feeds.items():
        binding.bind_cpu_input(name, array)
    for output in loaded.get_outputs():
        binding.bind_output(output.name)
    return (lambda: loaded.run_with_iobinding(binding),
            lambda: finish(binding.copy_outputs_to_cpu()[0]))


def build(nodes, feeds, domain=""):
    inputs = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
               for name in nodes[-1].output]
    versions = [helper.make_opsetid("", 24 if not domain else 21)]
    if domain:
        versions.append(helper.make_opsetid(domain, 1))
    return helper.make_model(helper.make_graph(nodes, "attention", inputs, outputs),
                             opset_imports=versions, ir_version=11 if not domain else 10)


def standard(problem, inputs, threads):
    q, k, v = words.operands(problem, inputs)
    feeds, names, nodes = {"q": q, "k": k, "v": v}, ["q", "k", "v"], []
    if words.is_rotated(problem):
        feeds["cos"], feeds["sin"] = (table[None] for table in words.rotation(problem))
        for name in "qk":
            nodes.append(helper.make_node("RotaryEmbedding", [name, "cos", "sin"], [name + "r"]))
        names = ["qr", "kr", "v"]
    bias = words.bias(problem, inputs)
    if bias is not None:
        feeds["bias"] = bias
        names.append("bias")
    causal = int(bias is None and words.is_plainly_causal(problem))
    nodes.append(helper.make_node("Attention", names, ["y"], is_causal=causal))
    return bound(build(nodes, feeds), feeds, threads)


def contributed(problem, inputs, threads):
    """GroupQueryAttention if nothing after a query is seen, else MultiHeadAttention."""
    q, k, v = words.operands(problem, inputs)
    batch, heads, rows, dim = q.shape
    window, bias = words.find(problem, "window"), words.bias(problem, inputs)
    flat = lambda x: np.ascontiguousarray(x.transpose(0, 2, 1, 3).reshape(batch, x.shape[2], -1))
    finish = lambda y: y.reshape(batch, rows, heads, dim).transpose(0, 2, 1, 3)
    domain = "com.microsoft"
    if not words.find(problem, "causal") and not (window and window["right"] == 0) and rows > 1:
        if problem["heads"] != problem["kv_heads"] or words.is_rotated(problem):
            return None
        feeds, names = {"q": flat(q), "k": flat(k), "v": flat(v)}, ["q", "k", "v"]
        if bias is not None:
            feeds["bias"] = bias
            names += ["", "", "bias"]
        node = helper.make_node("MultiHeadAttention", names, ["y"], domain=domain, num_heads=heads)
        return bound(build([node], feeds, domain), feeds, threads, finish)
    past = problem["keys"] - rows
    feeds = {"q": flat(q), "k": flat(k[:, :, past:]), "v": flat(v[:, :, past:]),
             "past_k": np.ascontiguousarray(k[:, :, :past]),
             "past_v": np.ascontiguousarray(v[:, :, :past]),
             "last": np.full(batch, problem["keys"] - 1, np.int32),
             "total": np.array(problem["keys"], np.int32)}
    names, attributes = list(feeds), {"num_heads": heads, "kv_num_heads": problem["kv_heads"]}
    if words.is_rotated(problem):
        feeds["cos"], feeds["sin"] = words.rotation(problem)
        names += ["cos", "sin"]
        attributes["do_rotary"] = 1
    if window:
        if words.find(problem, "alibi") or words.find(problem, "t5"):
            return None
        attributes["local_window_size"] = window["left"] + 1
        bias = None
    if bias is not None:
        feeds["bias"] = bias
        names += [""] * (10 - len(names)) + ["bias"]
    node = helper.make_node("GroupQueryAttention", names, ["y", "present_k", "present_v"],
                            domain=domain, **attributes)
    return bound(build([node], feeds, domain), feeds, threads, finish)


def attention(problem, inputs, threads):
    ways = {"Attention": standard(problem, inputs, threads)}
    if other := contributed(problem, inputs, threads):
        ways["contributed"] = other
    return ways


def gemm(problem, inputs, threads):
    names = ["x", "weight"] + ["bias"] * problem["bias"]
    constants = [onnx.numpy_helper.from_array(inputs[name], name) for name in names[1:]]
    nodes = [helper.make_node("Gemm", names, ["y"], transB=1)]
    if problem["gelu"]:
        nodes.append(helper.make_node("Gelu", ["y"], ["z"]))
    model = build(nodes, {"x": inputs["x"]})
    model.graph.initializer.extend(constants)
    return {"Gemm": bound(model, {"x": inputs["x"]}, threads)}


def bert(problem, inputs, threads):
    feeds = {"ids": inputs["0"], "mask": inputs["1"]}
    return {name: bound(bert_onnx.build(problem["folder"], fused), feeds, threads)
            for name, fused in [("MatMul", False), ("Attention", True)]}
