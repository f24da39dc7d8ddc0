# Two commands matter: `make demo` and `make test`. Both make the environment themselves, in .venv.
#
#   make demo        train on MovieLens-100K, compare, show a portrait and an audience; writes demo/
#   make test        everything a change must pass: style, types, tests (without the slow ones)
#   make test-all    the same with the slow tests and new examples
#   make bench       measure; writes benchmarks/results/
#   make lint        style and types alone
#   make axe         fetch axe-core for the tests in a browser (needs npm); PENCHANT_AXE=.venv/.axe/axe.min.js
#   make docs        write what docs say of the code from the code
#   make docs-check  the tests that keep docs and doors true
#   make clean       remove the environment and what tools left behind
#
# PYTHON=python3.12 chooses the interpreter, ARGS="--help" goes to the demo, JOBS=2 limits the test processes,
# PIP_ARGS="--index-url …" goes to pip, e.g. for a CPU build of torch.

PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=
JOBS ?= $(shell n=$$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)

VENV := .venv
BIN := $(VENV)/bin
# A stamp per set of packages: made again when what it was made from changes. They go when .venv goes.
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.installed-runtime
TEST := $(VENV)/.installed-test
BENCH := $(VENV)/.installed-bench
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-all bench lint axe docs docs-check clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "penchant needs Python 3.11 or later: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): $(MADE) pyproject.toml constraints.txt
	$(INSTALL) -e .
	@touch $@

$(TEST): $(MADE) pyproject.toml constraints.txt
	$(INSTALL) -e '.[test]'
	@touch $@ $(RUNTIME)

$(BENCH): $(TEST)
	$(INSTALL) -e '.[test,bench]'
	@touch $@

demo: $(RUNTIME)
	$(BIN)/penchant demo $(ARGS)

lint: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Shapes are checked by jaxtyping's import hook: see addopts in pyproject.toml.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) -m 'not slow'

test-all: lint
	HYPOTHESIS_PROFILE=explore OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

AXE := $(VENV)/.axe/axe.min.js
AXE_VERSION := 4.14.1

axe: $(AXE)

$(AXE): $(MADE)
	@mkdir -p $(@D)
	cd $(@D) && npm pack --silent axe-core@$(AXE_VERSION) && tar xzf axe-core-$(AXE_VERSION).tgz --strip-components=1
	@test -s $@ && touch $@

docs: $(TEST)
	$(BIN)/python docs/generate.py

docs-check: $(TEST)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/test_docs.py tests/test_door.py

bench: $(BENCH)
	$(BIN)/python benchmarks/label_prediction.py
	$(BIN)/python benchmarks/portraits.py
	$(BIN)/python benchmarks/ranking.py
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/variations.py
	$(BIN)/python benchmarks/sequences.py
	$(BIN)/python benchmarks/dynamics.py
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/explorer.py
	$(BIN)/python benchmarks/training_speed.py

clean:
	rm -rf $(VENV) demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
