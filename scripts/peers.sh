#!/bin/bash
# Installs what `make bench` needs besides the build: the libraries that pe-bench
# can run beside ours, in build/peers. Each may be missing. PyTorch's package brings
# some GB of code for GPUs, which is not used.
set -euo pipefail
cd "$(dirname "$0")/.."

required=(numpy matplotlib)
optional=(onnxruntime openvino torch jax "iree-base-compiler iree-base-runtime")

# ONNX models are written with the package onnx.
stamp=build/peers/.installed
if [[ $(cat $stamp 2>/dev/null || true) != "${required[*]} onnx ${optional[*]}" ]]; then
  echo "installing other libraries to compare with, some GB"
  /usr/bin/python3 -m venv build/peers
  pip() { build/peers/bin/pip install --quiet --disable-pip-version-check "$@"; }
  pip "${required[@]}" onnx
  for library in "${optional[@]}"; do
    # Two words are two packages.
    pip $library || echo "cannot install $library: left out"
  done
  echo "${required[*]} onnx ${optional[*]}" >$stamp
fi
