# Two commands to know: `make demo` and `make test`. Both make their environment themselves; they need Python 3.11, git and
# a package index. Windows: the README gives the same steps for PowerShell.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-blender test-model test-numpy2 small-model lint bench bench-landmarks bench-decoding extension sample clean

help:
	@echo "make demo          footage in, keyed .blend out, on the shipped sample (results in out/demo)"
	@echo "make test          the test suite, without what asks the trained model"
	@echo "make test-model    what a trained model answers, against transformers' own generate"
	@echo "make test-blender  the Blender tests on 5.0 and 4.2 LTS"
	@echo "make test-numpy2   engine and media tests with numpy 2 and OpenCV 5, as a machine without bpy has them"
	@echo "make small-model   the small Qwen3-VL that tests and measurements use, in build/small-model (three minutes, once)"
	@echo "make lint          ruff, mypy, import contracts"
	@echo "make bench         the measurements behind the documentation's numbers"
	@echo "make extension     the Blender extension as a zip in dist/"

# Each stamp stands for a finished installation, so that a second run starts at once.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "bpy needs Python 3.11; name one with make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable '.[backend,blender]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable '.[backend,blender,mllm,quant,remote,dev]'
	@touch $@

.venv-bpy42/.base: constraints.txt
	@test -x .venv-bpy42/bin/python || $(PYTHON) -m venv .venv-bpy42
	.venv-bpy42/bin/python -m pip install --disable-pip-version-check --quiet bpy==4.2.23 pyzmq==27.3.0 msgpack==1.2.4 pytest==9.2.0 pytest-timeout==2.4.0
	@touch $@

.venv-numpy2/.base: pyproject.toml constraints.txt
	@test -x .venv-numpy2/bin/python || $(PYTHON) -m venv .venv-numpy2
	grep -v -e '^numpy' -e '^opencv' constraints.txt > .venv-numpy2/constraints.txt
	.venv-numpy2/bin/python -m pip install --disable-pip-version-check --quiet --constraint .venv-numpy2/constraints.txt 'numpy>=2' 'opencv-python-headless>=5' --editable '.[backend,mllm,remote,dev]'
	@touch $@

.venv-mediapipe/.base:
	@test -x .venv-mediapipe/bin/python || $(PYTHON) -m venv .venv-mediapipe
	.venv-mediapipe/bin/python -m pip install --disable-pip-version-check --quiet mediapipe==1.2.2
	@touch $@

demo: $(VENV)/.base
	$(BIN)/semanticface demo --out out/demo

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not model" --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

test-model: small-model
	$(BIN)/python -m pytest -m model $(PYTEST_ARGS)

test-blender: $(VENV)/.dev .venv-bpy42/.base
	SEMANTICFACE_BPY_PYTHONS=$(abspath $(BIN)/python):$(abspath .venv-bpy42/bin/python) $(BIN)/python -m pytest tests/blender $(PYTEST_ARGS)

test-numpy2: .venv-numpy2/.base
	OMP_NUM_THREADS=1 .venv-numpy2/bin/python -m pytest tests/engines tests/media -m "not model" --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

small-model: $(VENV)/.dev
	$(BIN)/python -m semanticface_training.small_model build --out build/small-model

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.base bench-landmarks bench-decoding
	$(BIN)/semanticface bench protocol
	$(BIN)/semanticface bench keying

bench-landmarks: $(VENV)/.base .venv-mediapipe/.base
	$(BIN)/semanticface bench landmarks --mediapipe-python .venv-mediapipe/bin/python $(CLIPS)

# The small model's answers at the cost of 89 million weights, which no cache holds.
bench-decoding: small-model
	$(BIN)/python -m semanticface_training.small_model widen --from build/small-model --out build/small-model-wide --layers 24 --intermediate 4096
	$(BIN)/semanticface bench decoding --checkpoint build/small-model-wide/released

extension: $(VENV)/.dev
	$(BIN)/python tools/build_extension.py

clean:
	rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache
