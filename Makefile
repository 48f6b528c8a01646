# Two commands for a fresh machine with Python 3.10-3.13: `make demo` and `make test`.
# Both first fill .venv with all they need, real ROS 2 included; nothing else is touched.

PYTHON ?= python3
# `make test ROS=kilted` tests on ROS 2 Kilted, in an environment of its own
ROS ?= jazzy
VENV := $(if $(filter jazzy,$(ROS)),.venv,.venv-$(ROS))
ROS_EXTRA := $(if $(filter jazzy,$(ROS)),ros,ros-$(ROS))
BIN := $(VENV)/bin
# The version that the tests run against; on a ROS machine keep your own torch (README, "Install").
TORCH ?= torch==2.13.0
# torch_tensorrt's converters, pure Python, beside the environment and never in it: what an Orin
# has (JetPack 6) and what Thor and desktops have; and the compiler of TensorRT for RTX, which
# needs no GPU (100 MB, NVIDIA's licence). The tests build an engine of every preset with them.
REGISTRIES := $(VENV)/tensorrt-registry/2.8.0 $(VENV)/tensorrt-registry/2.13.0
COMPILER := $(VENV)/tensorrt-rtx/1.7.1.116
# An environment with the oldest NumPy and OpenCV that the package claims; NumPy 1.26 has no
# build for Python 3.13, so there this leg of the tests is left out, in words.
OLDEST := $(VENV)/oldest
OLDEST_RUNS = $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))'
# Three workers for the two cores of a small machine; test/conftest.py says what goes to which
PYTEST_FLAGS ?= -n 3 --dist loadfile --no-loadscope-reorder
# What handles pictures: all of it that reads, writes and converts them, and of the live node one
# test of raw and one of compressed images. Names, parameters, states and processes of the node
# meet neither OpenCV nor NumPy, nor does the way in which a replay goes on after an interruption
# or shares its work; engines, trainings and detectors are torch's work: the first leg has them.
OLDEST_TESTS := test/test_versions.py test/imaging \
  $(filter-out $(addprefix test/replay/test_,resume.py many.py mcap_file.py), \
    $(wildcard test/replay/test_*.py)) \
  $(filter-out $(addprefix test/cli/test_,build.py train_detector.py train.py make_weights.py \
    ablate.py evaluate_detection.py evaluate_transfer.py hil_rendering.py),$(wildcard test/cli/test_*.py)) \
  test/ros/test_worker.py \
  $(addprefix test/ros/test_translation.py::,test_stamps_frames_intrinsics_and_counts \
    test_compressed_input_is_found_by_itself)
# by another name: of a line with $(MAKE) in it `make -n` runs all, which here are the tests
SUBMAKE := $(MAKE) --no-print-directory
INPUT ?=
DEMO_FLAGS ?=
# pip compiles what it unpacks on one core; this uses all of them, and torch's files are compiled
# while pip unpacks the rest. It fails at templates that are no Python: not an error.
BYTECODE = $(BIN)/python -m compileall -qq -j 0 -x '/tests?/'
# Containers often set this: each of the many processes would then compile the package anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test lint bench scenes weights clean

help:
	@echo 'make demo [INPUT=bag|video|folder]  camera, translator and recorder over ROS 2 -> out/demo/'
	@echo 'make test                           every test, ruff, mypy and the import contracts'
	@echo 'make test ROS=kilted                the same on ROS 2 Kilted, in .venv-kilted'
	@echo 'make bench                          every figure of the README -> out/benchmark/table.md'
	@echo 'make weights                        render frames and train models/nano from the beginning (hours)'

install: $(VENV)/.installed

$(VENV)/.installed: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo 'Installing torch, ROS 2 and the tools into $(VENV) (once, a few minutes) ...'
	$(BIN)/python -m pip install --quiet --no-compile '$(TORCH)'
	@$(BYTECODE) $(VENV)/lib/python3*/site-packages/torch & \
	$(BIN)/python -m pip install --quiet --no-compile --editable \
	  '.[runtime,openvino,replay,plots,train,eval,fleet,$(ROS_EXTRA),test]'; installed=$$?; \
	wait; exit $$installed
	@$(BYTECODE) $(VENV)/lib || true
	@touch $@

# --no-deps: nothing here runs an engine
$(VENV)/tensorrt-registry/%: | $(VENV)/.installed
	@echo 'Unpacking torch-tensorrt $* for its converters ...'
	$(BIN)/python -m pip install --quiet --no-deps --target $@ torch-tensorrt==$* dllist psutil

# where there is no wheel (it is for Linux on x86-64) its tests skip and say so
$(VENV)/tensorrt-rtx/%: | $(VENV)/.installed
	@echo 'Unpacking the compiler of TensorRT for RTX $* (NVIDIA software licence) ...'
	-$(BIN)/python -m pip install --quiet --no-deps --only-binary=:all: --target $@ tensorrt-rtx-cu13-libs==$* tensorrt-rtx-cu13-bindings==$*

$(OLDEST)/.made: $(VENV)/.installed test/oldest.py
	@if $(OLDEST_RUNS); then $(BIN)/python test/oldest.py $(OLDEST); else mkdir -p $(OLDEST); fi
	@touch $@

demo: install
	$(BIN)/rgb2swir demo $(if $(INPUT),--input "$(INPUT)") --output out/demo --overwrite $(DEMO_FLAGS)

# mypy takes one core for most of a minute, so the linters run beside the tests, which wait at times
test: install
	@$(SUBMAKE) -j 4 $(REGISTRIES) $(COMPILER) $(OLDEST)/.made
	@nice $(SUBMAKE) lint > $(VENV)/lint.txt 2>&1 & lint=$$!; \
	trap 'kill $$lint 2>/dev/null' INT TERM; \
	$(BIN)/python -m pytest $(PYTEST_FLAGS); tests=$$?; \
	wait $$lint; linted=$$?; cat $(VENV)/lint.txt; exit $$((tests ? tests : linted))
	@if $(OLDEST_RUNS); then \
	  echo 'Again with the oldest NumPy and OpenCV:'; \
	  $(OLDEST)/bin/python -m pytest $(PYTEST_FLAGS) -m 'not slow' $(OLDEST_TESTS); \
	else echo 'SKIPPED: NumPy 1.26 and OpenCV 4.6 have no build for this Python'; fi

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python benchmark/run.py --overwrite

scenes: install
	$(BIN)/rgb2swir scenes --count 4000 --seed 0 --output out/scenes320 --overwrite
	$(BIN)/rgb2swir scenes --count 2000 --seed 2 --split train --output out/scenes320b --overwrite
	$(BIN)/rgb2swir scenes --count 400 --looks 2 --size 640x512 --seed 1 --output out/scenes640 --overwrite

# the last one has the large frames, which the autoencoder does without
SCENES = out/scenes320b out/scenes320 out/scenes640
SMALL_SCENES = $(or $(filter-out $(lastword $(SCENES)),$(SCENES)),$(SCENES))
# From nothing to the weights that ship: a quarter of an hour on a GPU beyond the rendering; on two
# cores twelve hours, by the pace of each stage's first steps. Killed at any moment, it goes on.
TRAINED = out/weights
TRAIN = $(BIN)/rgb2swir train
TRAINING_FLAGS = --preset nano_gpu --share .45 --work $(TRAINED)/work --overwrite --data
weights: scenes
	$(BIN)/rgb2swir scenes --count 360 --looks 4 --size 160x128 --seed 21 --output out/scenes_novelty --overwrite
	$(TRAIN) autoencoder --output $(TRAINED)/autoencoder $(TRAINING_FLAGS) $(SMALL_SCENES)
	$(TRAIN) teacher --autoencoder $(TRAINED)/autoencoder --output $(TRAINED)/teacher $(TRAINING_FLAGS) $(SCENES)
	$(TRAIN) student --teacher $(TRAINED)/teacher --output $(TRAINED)/student $(TRAINING_FLAGS) $(SCENES)
	$(TRAIN) novelty --model $(TRAINED)/student --data out/scenes_novelty --output $(TRAINED)/student --overwrite
	cp $(TRAINED)/student/* models/nano/

clean:
	rm -rf .venv .venv-* out build install log *.egg-info
