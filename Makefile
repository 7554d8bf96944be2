# Two commands to know: `make demo` and `make test`. Both make their environment themselves; they need Python 3.11, git and
# a package index. Windows: the README gives the same steps for PowerShell.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo train-demo test test-blender test-window test-unreal test-slow pictures bench-window test-model test-numpy2 small-model lint bench bench-landmarks bench-decoding extension unreal-plugin sample clean

help:
	@echo "make demo          footage in, keyed .blend out, on the shipped sample (results in out/demo)"
	@echo "make train-demo    training in small on a processor, 20 minutes: drawn faces to checkpoints that the backend reads (out/train-demo)"
	@echo "make test          the test suite, without what asks the trained model"
	@echo "make test-model    what a trained model answers, against transformers' own generate"
	@echo "make test-blender  the Blender tests on 5.0, 4.5 LTS, 4.2 LTS and, where it is installed, the system's Blender"
	@echo "make test-window   the system's Blender in a window (Debian: apt-get install blender xvfb xdotool)"
	@echo "make test-unreal   the Unreal plugin as its zip, farms that are killed, the signatures of three engines"
	@echo "make test-slow     what installs, trains, draws or evaluates for longer; report pages in a browser"
	@echo "make pictures      the pictures of docs/, taken in that window"
	@echo "make test-numpy2   engine and media tests with numpy 2 and OpenCV 5, as a machine without bpy has them"
	@echo "make small-model   the small Qwen3-VL that tests and measurements use, in build/small-model (three minutes, once)"
	@echo "make lint          ruff, mypy, import contracts"
	@echo "make bench         the measurements behind the documentation's numbers"
	@echo "make extension     the Blender extension as a zip in dist/"
	@echo "make unreal-plugin the Unreal plugin as a zip in dist/ (UNREAL_ARGS=--requirements: without wheels, for Unreal's pip)"

# Each stamp stands for a finished installation, so that a second run starts at once.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "bpy needs Python 3.11; name one with make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable '.[backend,blender]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable '.[backend,blender,mllm,train,quant,remote,dev]'
	@touch $@

.venv-bpy42/.base: BPY := 4.2.23
.venv-bpy45/.base: BPY := 4.5.15
.venv-bpy42/.base .venv-bpy45/.base: constraints.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet bpy==$(BPY) pyzmq==27.3.0 msgpack==1.2.4 pytest==9.2.0 pytest-timeout==2.4.0
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

# TRAIN_DEMO_ARGS: --steps short; --ict ict_facekit.npz --recording take.csv for other heads and recorded expressions.
train-demo: $(VENV)/.dev
	$(BIN)/semanticface-train demo --out out/train-demo $(TRAIN_DEMO_ARGS)

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not model and not window and not plugin and not slow" --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

test-model: small-model
	$(BIN)/python -m pytest -m model $(PYTEST_ARGS)

# Which Blenders: environments with bpy, and programs that run without a window.
BPY_VENVS ?= $(VENV) .venv-bpy45 .venv-bpy42
BLENDERS ?= $(shell command -v blender)
empty :=
PYTHONS = $(subst $(empty) $(empty),:,$(foreach venv,$(BPY_VENVS),$(abspath $(venv))/bin/python))

test-blender: $(VENV)/.dev $(foreach venv,$(filter-out $(VENV),$(BPY_VENVS)),$(venv)/.base)
	OMP_NUM_THREADS=1 SEMANTICFACE_BPY_PYTHONS=$(PYTHONS) SEMANTICFACE_BLENDERS=$(BLENDERS) $(BIN)/python -m pytest tests/blender -m blender --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

test-window: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/window $(PYTEST_ARGS)

# What the committed signatures say is first compared with the published stubs.
test-unreal: $(VENV)/.dev
	$(BIN)/python tools/extract_unreal_signatures.py --check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unreal -m plugin --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

test-slow: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -m slow --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

bench-window: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/window/test_window_responsive.py --quiet --capture=no $(PYTEST_ARGS)

pictures: $(VENV)/.dev
	OMP_NUM_THREADS=1 SEMANTICFACE_PICTURES=$(abspath docs/pictures) $(BIN)/python -m pytest tests/window/test_window_pictures.py --quiet $(PYTEST_ARGS)

test-numpy2: .venv-numpy2/.base
	OMP_NUM_THREADS=1 .venv-numpy2/bin/python -m pytest tests/engines tests/media -m "not model" --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

small-model: $(VENV)/.dev
	$(BIN)/python -m semanticface_training.small_model build --out build/small-model

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/make_unreal_stub.py
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	PYTHONPATH=unreal_plugin/SemanticFace/Content/Python $(BIN)/lint-imports --no-cache --config unreal_plugin/importlinter.toml

bench: $(VENV)/.dev bench-landmarks bench-decoding
	$(BIN)/semanticface bench protocol
	$(BIN)/semanticface bench keying
	$(BIN)/semanticface-train bench describe
	$(BIN)/semanticface-train bench metrics

bench-landmarks: $(VENV)/.base .venv-mediapipe/.base
	$(BIN)/semanticface bench landmarks --mediapipe-python .venv-mediapipe/bin/python $(CLIPS)

# The small model's answers at the cost of 89 million weights, which no cache holds.
bench-decoding: small-model
	$(BIN)/python -m semanticface_training.small_model widen --from build/small-model --out build/small-model-wide --layers 24 --intermediate 4096
	$(BIN)/semanticface bench decoding --checkpoint build/small-model-wide/released

extension: $(VENV)/.dev
	$(BIN)/python tools/build_extension.py

unreal-plugin: $(VENV)/.dev
	$(BIN)/python tools/build_unreal_plugin.py $(UNREAL_ARGS)

clean:
	rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache
