"""IREE, with its own operation for attention; models come by way of JAX."""

import numpy as np
import iree.compiler
import iree.runtime

import problem as words
from worker import Lacks


def version():
    import importlib.metadata
    return importlib.metadata.version("iree-base-compiler")


def attention(problem, inputs, threads):
    q, k, v = words.operands(problem, inputs)
    if problem["heads"] != problem["kv_heads"] or words.is_rotated(problem):
        raise Lacks("shared key heads and rope are not written for it")
    count, dim = problem["batch"] * problem["heads"], problem["dim"]
    rows, keys = problem["queries"], problem["keys"]
    bias = words.bias(problem, inputs)
    if bias is None and (mask := words.visible(problem)) is not None:
        bias = np.where(mask, np.float32(0), np.float32(-np.inf))[None, None]
    operands = {"q": q.reshape(count, rows, dim), "k": k.reshape(count, keys, dim),
                "v": v.reshape(count, keys, dim)}
    if bias is not None:
        shape = (problem["batch"], problem["heads"], rows, keys)
        operands["m"] = np.maximum(np.broadcast_to(bias, shape), np.float32(-1e30)).reshape(count, rows, keys)
    types = {name: "tensor<" + "x".join(map(str, x.shape)) + "xf32>" for name, x in operands.items()}
    letters = {"q": "b, i, c", "k": "b, j, c", "v": "b, j, d", "scale": "", "m": "b, i, j", "y": "b, i, d"}
    names = ["q", "k", "v", "scale"] + (["m"] if bias is not None else [])
    maps = ", ".join(f"affine_map<(b, i, d, c, j) -> ({letters[name]})>" for name in [*names, "y"])
    arguments = ", ".join(f"%{name}: {type}" for name, type in types.items())
    text = f"""
    func.func @attention({arguments}) -> {types["q"]} {{
      %scale = arith.constant {dim ** -0.5:.9e} : f32
      %init = tensor.empty() : {types["q"]}
      %y = iree_linalg_ext.attention <{{indexing_maps = [{maps}]}}>
        ins({", ".join("%" + name for name in names)} : {", ".join(types.get(name, "f32") for name in names)})
        outs(%init : {types["q"]}) {{
      ^bb0(%s: f32):
        iree_linalg_ext.yield %s : f32
      }} -> {types["q"]}
      return %y : {types["q"]}
    }}"""
    run = load(text, "attention", operands.values(), threads)
    return {"llvm-cpu": (run, lambda: run().to_host().reshape(q.shape))}


def bert(problem, inputs, threads):
    import run_jax
    step, operands = run_jax.make_bert(problem, inputs)
    text = str(step.lower(*operands).compiler_ir("stablehlo"))
    flat = run_jax.jax.tree_util.tree_leaves(operands)
    run = load(text, "main", map(np.asarray, flat), threads)
    return {"llvm-cpu": (run, lambda: run().to_host())}


def load(text, name, operands, threads):
    """Calls function `name` of the module `text`."""
    # Its own tiles for 128 tokens of a model take more of the stack than it allows itself.
    code = iree.compiler.compile_str(text, target_backends=["llvm-cpu"], extra_args=[
        "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3",
        "--iree-llvmcpu-stack-allocation-limit=1048576"])
    config = iree.runtime.Config("local-sync" if threads == 1 else "local-task")
    context = iree.runtime.SystemContext(config=config)
    module = iree.runtime.VmModule.copy_buffer(context.instance, code)
    context.add_vm_module(module)
    function = context.modules[module.name][name]
    arrays = [iree.runtime.asdevicearray(config.device, np.ascontiguousarray(x)) for x in operands]
    return lambda: function(*arrays)
