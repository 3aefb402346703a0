"""Writes a small weights file and a module that reads its first value.

usage: weights.py FILE MODULE [SIZE]; SIZE, if given, is a wrong size.
"""

import json
import sys

import numpy as np

path, module = sys.argv[1:3]
header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})
head = len(header).to_bytes(8, "little") + header.encode()
data = head + np.array([2.5, 4], "f4").tobytes()
with open(path, "wb") as file:
    file.write(data)

digest = 0xCBF29CE484222325
for byte in head:
    digest = (digest ^ byte) * 0x100000001B3 % 2**64
size = int(sys.argv[3]) if len(sys.argv) > 3 else len(data)
with open(module, "w") as file:
    file.write(f"""
llvm.mlir.global internal constant @path("{path}\\00")
llvm.func @posenc_weights(!llvm.ptr, i64, i64) -> !llvm.ptr
llvm.func @_mlir_ciface_first() -> f32 {{
  %path = llvm.mlir.addressof @path : !llvm.ptr
  %size = llvm.mlir.constant({size} : i64) : i64
  %hash = llvm.mlir.constant({digest if digest < 2**63 else digest - 2**64} : i64) : i64
  %base = llvm.call @posenc_weights(%path, %size, %hash) : (!llvm.ptr, i64, i64) -> !llvm.ptr
  %first = llvm.getelementptr %base[{len(head)}] : (!llvm.ptr) -> !llvm.ptr, i8
  %value = llvm.load %first {{alignment = 1 : i64}} : !llvm.ptr -> f32
  llvm.return %value : f32
}}
llvm.func @first() attributes {{posenc.signature = () -> f32}} {{
  llvm.return
}}
""")
