#!/bin/bash
# Where there is a GPU: each instruction and each kernel on it, as the tests run them
# on the emulator, then the suites of pe-bench for GPUs, into docs/benchmarks.md.
# PyTorch is timed beside it if it can be installed.
set -euo pipefail
cd "$(dirname "$0")/.."

# Says what is missing, if there is none.
build/bin/pe-bench attention --device=cuda --heads=1 --q=64 --repeat=1 --min-time=0

LIT_FILTER='Emulator/conformance|Fragments/|GPU/|Cuda/|Encodings/|EndToEnd/|Property/|Pipelines/' \
  ninja -C build --quiet check-posenc

scripts/peers.sh
build/peers/bin/python scripts/bench/bench.py gpu gpu-encodings gpu-linear
