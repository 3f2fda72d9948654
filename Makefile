# The words of everyday work. Each target sets up what it needs: `make demo` and `make test-all` run on a fresh clone
# with Python 3.10 or newer, git and make. `make` alone tells what there is.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(JOBS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE  # it would make every start compile everything again
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo fmt lint types test check test-integration test-faults test-all docs lowest bench

help: ## tell what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

demo: $(VENV)/ready ## train, register, serve and ask a model: examples/quickstart, in a scratch folder
	@PATH="$(abspath $(BIN)):$$PATH" bash examples/demo.sh

fmt: $(VENV)/ready-dev ## rewrite formatting and imports
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

lint: $(VENV)/ready-dev ## check both, change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/ready-dev ## strict type check of mlplan and tests
	$(BIN)/mypy

test: $(VENV)/ready-dev ## unit and golden tests but for the slow ones: under a minute
	$(PYTEST) tests/unit tests/golden -m "not slow"

check: lint types test ## what to run before every push

test-integration: $(VENV)/ready-dev ## the real command line, services and targets; the slow unit tests
	$(PYTEST) tests --ignore tests/unit --ignore tests/golden --ignore tests/faults
	$(PYTEST) tests/unit tests/golden -m slow

test-faults: $(VENV)/ready-dev ## killed, cut, refused, full, late: docs/reliability.md (FAULTS=--record writes it)
	$(PYTEST) tests/faults $(FAULTS)

test-all: $(VENV)/ready-dev ## every test there is
	$(PYTEST) tests

docs: $(VENV)/ready-dev ## write schemas/ and docs/reference/ anew; a test fails where they are stale
	$(BIN)/python docs/generate.py

lowest: ## unit and golden tests with the oldest dependencies that pyproject.toml allows
	$(MAKE) $(VENV)-lowest/ready-dev VENV=$(VENV)-lowest RESOLUTION=lowest-direct
	$(VENV)-lowest/bin/python -m pytest -n $(JOBS) tests/unit tests/golden

bench: $(VENV)/ready-dev ## how fast, beside its peers: DESIGN's budgets as a table
	$(BIN)/python -m bench

# A new environment: pip brings uv, uv the rest.
RESOLUTION ?= highest

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "mlplan needs Python 3.10 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.5"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --resolution $(RESOLUTION) --editable .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --resolution $(RESOLUTION) --editable . --group dev
	@touch $@
