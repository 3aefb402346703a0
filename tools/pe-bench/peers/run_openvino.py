"""OpenVINO: its operator for attention, and models of the ONNX standard."""

import numpy as np
import openvino
from openvino import opset13 as ops

import problem as words


def version():
    return openvino.__version__.split("-")[0]


def compiled(model, feeds, threads):
    """run and result of `model`, whose inputs are set once."""
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    for index, array in enumerate(feeds):
        request.set_input_tensor(index, openvino.Tensor(array))
    return request.infer, lambda: np.array(request.get_output_tensor(0).data)


def attention(problem, inputs, threads):
    feeds = list(words.operands(problem, inputs))
    bias = words.bias(problem, inputs)
    causal = bias is None and words.is_plainly_causal(problem)
    if bias is not None:
        feeds.append(bias)
    parameters = [ops.parameter(array.shape, np.float32) for array in feeds]
    values = list(parameters)
    if words.is_rotated(problem):
        cos, sin = (ops.constant(np.concatenate([t, t], axis=-1)[None, None])
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
    return {"sdpa": compiled(openvino.Model([result], parameters, "attention"), feeds, threads)}


def bert(problem, inputs, threads):
    import io
    import bert_onnx
    data = bert_onnx.build(problem["folder"], fused=False).SerializeToString()
    feeds = [inputs["0"], inputs["1"]]
    ways = {}
    for name in ("dynamic", "static"):
        model = openvino.Core().read_model(io.BytesIO(data))
        if name == "static":
            model.reshape({parameter: array.shape for parameter, array in zip(model.inputs, feeds)})
        ways[name] = compiled(model, feeds, threads)
    return ways
