#!/bin/bash
# Installs what `make bench` needs besides the build: the libraries that pe-bench
# can run beside ours, or those that are named, in build/peers. Each may be missing.
# PyTorch's package brings some GB of code for GPUs.
set -euo pipefail
cd "$(dirname "$0")/.."

required=(numpy matplotlib onnx) # ONNX models are written with the package onnx
optional=("$@")
((${#optional[@]})) ||
  optional=(onnxruntime openvino torch jax "iree-base-compiler iree-base-runtime")

[[ -x build/peers/bin/pip ]] || /usr/bin/python3 -m venv build/peers
pip() { build/peers/bin/pip install --quiet --disable-pip-version-check "$@"; }

# A stamp names the packages, so that a changed list is installed again.
stamp=build/peers/.installed${1:+-$1}
if [[ $(cat "$stamp" 2>/dev/null || true) != "${required[*]} ${optional[*]}" ]]; then
  echo "installing other libraries to compare with, some GB"
  pip "${required[@]}"
  for library in "${optional[@]}"; do
    # Two words are two packages.
    pip $library || echo "cannot install $library: left out"
  done
  echo "${required[*]} ${optional[*]}" >"$stamp"
fi
