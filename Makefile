# make run       open the dashboard (installs what it needs, once)
# make libraries transformers, timm and torchvision, for networks of theirs
# make test      all checks and tests, browser included
# make test-all  the same and the heavier ones
# make own-models  try every method on networks of all kinds, and keep the table of it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Two threads that wait for each other would burn the cores that others need, and memory
# handed back to the system after every pass costs more than the pass.
export OMP_WAIT_POLICY ?= PASSIVE

# As many tests at once as there are cores, each with one thread.
PARALLEL := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: run libraries test test-all check bench own-models browser clean

run: $(VENV)/.ready
	@$(BIN)/haloscope $(ARGS)

libraries: $(VENV)/.ready
	@echo "Installing transformers, timm and torchvision …"
	@$(PIP) --no-build-isolation --editable ".[hf,timm,torchvision]"

# Tests that drive a browser wait for it, and so come by themselves, one after the other.
test: check browser
	@$(PARALLEL) -m "not slow and not browser" $(ARGS)
	@$(BIN)/python -m pytest tests/browser -m "not slow" $(ARGS)

test-all: check browser $(VENV)/.ready-all
	@$(PARALLEL) -m "not browser" $(ARGS)
	@$(BIN)/python -m pytest tests/browser $(ARGS)

check: $(VENV)/.ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

browser: $(VENV)/.ready-dev
	@$(BIN)/python tests/browser/chrome.py

bench: $(VENV)/.ready-all browser
	@$(BIN)/python tests/bench/start.py
	@$(BIN)/python tests/bench/page.py
	@$(BIN)/python tests/bench/methods.py
	@$(BIN)/python tests/bench/tables.py
	@$(BIN)/python tests/bench/heads.py
	@$(BIN)/python tests/bench/interactions.py
	@$(BIN)/python tests/bench/pruning.py
	@$(BIN)/python tests/bench/pruning_sweep.py
	@$(BIN)/python tests/bench/pruning_latency.py

own-models: $(VENV)/.ready-dev
	@HALOSCOPE_KEEP_TABLE=1 $(BIN)/python -m pytest -q tests/engine/own_models/test_table.py

$(VENV)/.ready: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Haloscope needs Python 3.11 or newer; $(PYTHON) is older. Try: make run PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Python cannot make environments here; on Debian: apt install python3-venv"; exit 1; }
	@echo "Installing PyTorch (once; some minutes) …"
	@$(PIP) setuptools wheel
	@$(PIP) torch
	@echo "Installing the rest …"
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@echo "Installing what the tests need …"
	@$(PIP) --no-build-isolation --editable ".[dev]"
	@touch $@

$(VENV)/.ready-all: $(VENV)/.ready-dev
	@echo "Installing what the heavier tests compare with …"
	@$(PIP) --no-build-isolation --editable ".[dev,peers]"
	@touch $@

clean:
	@rm -rf $(VENV)
