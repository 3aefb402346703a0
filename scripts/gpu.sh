#!/bin/bash
# Where there is a GPU: each instruction and each kernel on it, as the tests run them
# on the emulator, then the suites of pe-bench for GPUs, into docs/benchmarks.md.
# A test that fails, or a library that cannot be installed, does not keep the rest from
# being measured; what failed is said at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

# Says what is missing, if there is none.
build/bin/pe-bench attention --device=cuda --heads=1 --q=64 --repeat=1 --min-time=0 || exit 1

failed=()
LIT_FILTER='Emulator/conformance|Fragments/|GPU/|Cuda/|Encodings/|EndToEnd/|Property/|Pipelines/' \
  ninja -C build --quiet check-posenc || failed+=("tests, see above")

# PyTorch is timed beside it, matplotlib draws: neither is needed.
scripts/peers.sh torch || failed+=("installing PyTorch: not timed beside it")
python=build/peers/bin/python
"$python" -c "import matplotlib" 2>/dev/null || python=build/venv/bin/python
"$python" scripts/bench/bench.py gpu gpu-encodings gpu-linear || failed+=("measuring")

for what in "${failed[@]}"; do
  echo "failed: $what" >&2
done
exit $((${#failed[@]} > 0))
