# The five commands; everything else is in CMakePresets.json.
SHELL := /bin/bash -o pipefail
NINJA := ninja -C build --quiet
.PHONY: build test run bench gpu model setup

build: setup
	@test -f build/build.ninja || cmake --preset default -Wno-dev >build/cmake.log || \
	  { cat build/cmake.log; exit 1; }
	@test -f build/bin/pe-opt || echo "building, which takes some minutes"
	@$(NINJA) | sed '/no work to do/d'

test: build model
	@$(NINJA) check-posenc

run: build model
	@build/venv/bin/python examples/minilm/rank.py build/models/minilm

# Takes a quarter of an hour, and a machine that does nothing else.
bench: build model
	@scripts/peers.sh
	@build/peers/bin/python scripts/bench/bench.py

# What a GPU must do: compute the same as the emulator, then be timed.
gpu: build
	@$(MAKE) --no-print-directory model || echo "no model: the others are tested and timed"
	@scripts/gpu.sh

model: setup
	@build/venv/bin/python examples/minilm/fetch.py build/models/minilm

setup:
	@scripts/setup.sh
