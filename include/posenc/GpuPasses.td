//===- GpuPasses.td - from regions to kernels for GPUs -----------------===//

#ifndef POSENC_GPU_PASSES_TD
#define POSENC_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def Posenc_ChipOption : Option<"chip", "chip", "std::string", "\"sm_80\"",
    "the GPU: sm_75, sm_80, sm_86, sm_89, sm_90a, sm_100a or sm_120">;

def PosencMapToGpu : Pass<"posenc-map-to-gpu", "ModuleOp"> {
  let summary = "lower operations on buffers to launches of kernels";
  let description = [{
    Every `posenc.attention`, `posenc.linear`, `posenc.layer_norm` and `posenc.map`
    on memrefs, every linalg operation, every copy and every nest of loops that are marked
    `posenc.independent` becomes a `gpu.launch`. An
    operation with several forms of a kernel takes the best that accepts it, or the
    one that its attribute `posenc.schedule` or the option asks for; a remark of the
    category `posenc-map-to-gpu` says why a form does not accept it. `@posenc_load`
    stays on the host.

    In the form `mma`, for f16 and bf16 from sm_80 on, queries and keys are tiles in
    shared memory, and scores, weights and outputs fragments of the dialect pgpu.
    In the form `decode`, for at most 16 queries, a block reads a part of the keys once
    for the queries of all heads that share them, and a second kernel joins the parts.
    In the form `simt`, which takes any shape and type, a warp goes over the keys for
    a few queries; a block computes a tile of a linear layer in shared memory; a
    warp normalises a row; a thread computes a group of channels, or an element.

    Example: `pe-opt --posenc-decompose=keep=attention,linear,layer_norm,map --one-shot-bufferize=bufferize-function-boundaries=1 --posenc-map-to-gpu=chip=sm_80`.
  }];
  let options = [Posenc_ChipOption,
    Option<"form", "form", "std::string", "",
           "form of kernels to prefer: simt, mma, wgmma or decode; empty: the best">];
  let dependentDialects = ["gpu::GPUDialect", "linalg::LinalgDialect", "memref::MemRefDialect",
    "NVVM::NVVMDialect", "pgpu::PgpuDialect", "scf::SCFDialect", "vector::VectorDialect"];
}

def PosencMergeKernels : Pass<"posenc-merge-kernels", "ModuleOp"> {
  let summary = "gather kernels in one module for a chip, equal ones once";
  let description = [{
    After `gpu-kernel-outlining`: all kernels move to one `gpu.module` whose target is
    the chip. Each says that one block per processor is enough (`nvvm.minctasm`), or
    ptxas may spill registers to make room for more. Kernels that need more shared
    memory than they can declare there are an error.

    Example: `pe-opt --gpu-kernel-outlining --posenc-merge-kernels=chip=sm_80`.
  }];
  let options = [Posenc_ChipOption];
  let dependentDialects = ["gpu::GPUDialect", "NVVM::NVVMDialect"];
}

def PosencPlaceBuffers : Pass<"posenc-place-buffers", "ModuleOp"> {
  let summary = "decide which buffers are memory of the device";
  let description = [{
    What is allocated and used by kernels only moves to the device; results are
    copied back where they are returned. Weights and constants are copied once
    (`posenc.on_device`), arguments when a function begins. Buffers that the host
    uses as well are copied around each launch.

    With `resident` the caller has its arguments on the device, and gets results
    there: public functions copy neither. What the host would have to read or write of
    them is an error, but for `posenc.check`, which gets a copy.

    Example: `pe-opt --gpu-kernel-outlining --posenc-merge-kernels --posenc-place-buffers`.
  }];
  let options = [
    Option<"resident", "resident", "bool", "false",
           "arguments and results of public functions are memory of the device">];
  let dependentDialects = ["PosencDialect", "gpu::GPUDialect", "memref::MemRefDialect"];
}

def PosencLowerFragments : Pass<"posenc-lower-fragments", "gpu::GPUModuleOp"> {
  let summary = "lower tiles and fragments to matrix instructions and copies";
  let description = [{
    The operations of the dialect pgpu become addresses in the dynamic shared
    memory of the block, `ldmatrix`, `mma.sync`, `cp.async` and shuffles of the
    NVVM dialect; the rest of a kernel stays as it is. Tiles are allocated one
    behind the other, in the order of their operations.

    Example: `pe-opt --pass-pipeline=builtin.module(gpu.module(posenc-lower-fragments))`.
  }];
  let dependentDialects = ["arith::ArithDialect", "LLVM::LLVMDialect", "NVVM::NVVMDialect",
    "memref::MemRefDialect", "scf::SCFDialect", "vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// GPUs
//===----------------------------------------------------------------------===//

def PosencConvertToNVVM : Pass<"posenc-convert-to-nvvm", "gpu::GPUModuleOp"> {
  let summary = "lower kernels to the LLVM and NVVM dialects";
  let description = [{
    As upstream's `convert-gpu-to-nvvm`, but without NVIDIA's bitcode library:
    functions that are no instruction become polynomials. One that has neither form
    is an error. Comes after `posenc-expand-math`.

    Example: `pe-opt --pass-pipeline=builtin.module(gpu.module(posenc-expand-math{keep=exp2},convert-scf-to-cf,posenc-convert-to-nvvm))`.
  }];
  let dependentDialects = ["cf::ControlFlowDialect", "LLVM::LLVMDialect", "NVVM::NVVMDialect",
    "vector::VectorDialect"];
}

#endif // POSENC_GPU_PASSES_TD
