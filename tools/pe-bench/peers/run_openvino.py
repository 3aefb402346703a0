"""OpenVINO: its operator for attention, and models of the ONNX standard."""

import numpy as np
import openvino
from openvino import opset13 as ops

import problem as words


TYPES = "f32", "bf16"
KINDS = {"f32": openvino.Type.f32, "bf16": openvino.Type.bf16}


def version():
    return openvino.__version__.split("-")[0]


def tensor(array, kind="f32"):
    if kind == "f32":
        return openvino.Tensor(array)
    bits = np.ascontiguousarray(array).view("u4").astype("u8")
    # To nearest, ties to even.
    bits = ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype("u2")
    # It has its own memory: a tensor on an array would not keep that alive.
    result = openvino.Tensor(KINDS[kind], list(array.shape))
    result.data.view("u2")[...] = bits
    return result


def array(tensor):
    if tensor.element_type == openvino.Type.bf16:
        return (tensor.data.view("u2").astype("u4") << 16).view("f4")
    return np.array(tensor.data)


def compiled(model, feeds, threads, dtype):
    """run and result of `model`, whose inputs are set once."""
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": dtype, "ENABLE_CPU_PINNING": False}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    for index, feed in enumerate(feeds):
        request.set_input_tensor(index, feed)
    return request.infer, lambda: array(request.get_output_tensor(0))


def attention(problem, inputs, threads):
    # Operands in the type that is computed in, or converted on the way.
    kinds = dict.fromkeys(["f32", problem["dtype"]])
    return {f"sdpa of {kind}": sdpa(problem, inputs, threads, kind) for kind in kinds}


def sdpa(problem, inputs, threads, kind):
    feeds = list(words.operands(problem, inputs))
    bias = words.bias(problem, inputs)
    causal = bias is None and words.is_plainly_causal(problem)
    if bias is not None:
        feeds.append(bias)
    parameters = [ops.parameter(feed.shape, KINDS[kind]) for feed in feeds]
    values = list(parameters)
    if words.is_rotated(problem):
        cos, sin = (ops.constant(tensor(np.concatenate([t, t], axis=-1)[None, None], kind))
                    for t in words.rotation(problem))

        def rotate(x):
            a, b = ops.split(x, ops.constant(3), 2).outputs()
            turned = ops.concat([ops.negative(b), a], 3)
            return ops.add(ops.multiply(x, cos), ops.multiply(turned, sin))

        values[:2] = map(rotate, values[:2])
    group = problem["heads"] // problem["kv_heads"]
    if group > 1:
        def repeat(x):
            shape = ops.constant(np.array([0, problem["heads"], -1, problem["dim"]]))
            copies = ops.concat([ops.unsqueeze(x, ops.constant(2))] * group, 2)
            return ops.reshape(copies, shape, True)

        values[1:3] = map(repeat, values[1:3])
    result = ops.scaled_dot_product_attention(*values, causal=causal)
    model = openvino.Model([result], parameters, "attention")
    return compiled(model, [tensor(feed, kind) for feed in feeds], threads, problem["dtype"])


def gemm(problem, inputs, threads):
    ways = {}
    for kind in dict.fromkeys(["f32", problem["dtype"]]):
        constant = lambda array: ops.convert(ops.constant(array), kind)
        x = ops.parameter(inputs["x"].shape, KINDS[kind])
        y = ops.matmul(x, constant(inputs["weight"]), False, True)
        if problem["bias"]:
            y = ops.add(y, constant(inputs["bias"][None]))
        if problem["gelu"]:
            y = ops.gelu(y, "erf")
        model = openvino.Model([y], [x], "gemm")
        ways[f"matmul of {kind}"] = compiled(model, [tensor(inputs["x"], kind)], threads,
                                             problem["dtype"])
    return ways


def bert(problem, inputs, threads):
    import io
    import bert_onnx
    data = bert_onnx.build(problem["folder"], fused=False).SerializeToString()
    feeds = [tensor(inputs["0"]), tensor(inputs["1"])]
    ways = {}
    for name in ("dynamic", "static"):
        model = openvino.Core().read_model(io.BytesIO(data))
        if name == "static":
            model.reshape({parameter: list(feed.shape) for parameter, feed in zip(model.inputs, feeds)})
        ways[name] = compiled(model, feeds, threads, problem["dtype"])
    return ways
