# Two commands for a fresh machine: `make demo` and `make test`. Each sets up all it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
PYTEST ?= --numprocesses auto --dist loadfile
EXTRAS := dlib,dataframe,evaluate,train,serve,client,video,heic,postgres,encryption,oidc,otel,mqtt,cluster,remote,parquet
# Its pins are older than anything that runs here; the tests compare with one file of it.
PINNED := facenet-pytorch==2.6.0
comma  := ,
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What another Python could break: not what only needs PyTorch, a browser or a build.
QUICK  := tests src --ignore tests/training --ignore tests/docs --ignore tests/packaging --ignore tests/service/test_page.py
# Of that what takes two minutes on one core: our own Python, hardly a network, no server of PostgreSQL, no races of processes.
CORE   := src $(wildcard tests/test_*.py) \
	$(addprefix tests/,cli client datasets evaluation events gallery imaging metrics models recognizer) \
	$(addprefix tests/service/test_,api.py client.py json_body.py keys.py program.py wire.py) \
	--ignore tests/gallery/postgres --deselect tests/test_portability.py --ignore tests/models/graphs \
	$(addprefix --ignore tests/gallery/sqlite/test_,locks.py processes.py rekeying.py rights.py) \
	$(addprefix --ignore tests/,cli/test_models.py cli/test_warm.py evaluation/test_few_shot.py evaluation/test_report.py) \
	-k 'not postgres'

# Some machines set it. The tests start hundreds of processes, and each would compile PyTorch, scikit-learn and us again.
unexport PYTHONDONTWRITEBYTECODE
# pip compiles every file, one after the other, on one core. Most are never imported, and what is imported is compiled then.
export PIP_COMPILE = 0

.PHONY: demo test quick core check lint types types-win32 types-darwin bench docs format clean help

help:  ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sameface needs Python 3.11 or later; install one, or run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install 'pip>=25.1'

$(VENV)/.installed: pyproject.toml $(BIN)/python
	@echo "Installing sameface (a minute) …"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(BIN)/python
	@echo "Installing what the tests need …"
	@$(PIP) install --constraint constraints.txt --editable '.[$(EXTRAS)]' --group test --group browser --group docs
	@$(PIP) install --no-deps $(PINNED)
	@touch $(VENV)/.installed $@

$(VENV)/.installed-check: $(VENV)/.installed-dev
	@$(PIP) install --group check
	@touch $@

demo: $(VENV)/.installed  ## Enroll from one photo each, verify, identify a group picture
	@$(BIN)/python examples/demo.py

test: $(VENV)/.installed-dev  ## Run the tests
	@$(BIN)/python -m pytest $(PYTEST)

$(VENV)/.installed-quick: pyproject.toml $(VENV)/.installed
	@echo "Installing what the tests without training need …"
	@$(PIP) install --editable '.[$(subst train$(comma),,$(EXTRAS))]' --group test --group browser
	@touch $@

quick: $(VENV)/.installed-quick  ## Run the tests without PyTorch, browser and builds, as on a second Python: make quick PYTHON=python3.13 VENV=.venv-3.13
	@$(BIN)/python -m pytest $(PYTEST) $(QUICK)

core: $(VENV)/.installed-quick  ## Of those the two minutes that CI runs on the other Pythons
	@$(BIN)/python -m pytest $(PYTEST) $(CORE)

check: lint types types-win32 types-darwin  ## Lint, format, types, import rules; `make -j2 check` does two at once

lint: $(VENV)/.installed-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff check --quiet --preview --select PLW1514 .  # a text file's encoding is said, not the system's own
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(VENV)/.installed-check
	@$(BIN)/mypy

types-win32 types-darwin: types-%: $(VENV)/.installed-check
	@$(BIN)/mypy --platform $* --cache-dir .mypy_cache/$*

bench: $(VENV)/.installed-dev  ## Speed beside other libraries, each in its own environment (3 GB, made the first time)
	@$(BIN)/python benchmarks/peers/bench.py --json bench.json --chart docs/img/bench.png $(BENCH)

docs: $(VENV)/.installed-dev  ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

format: $(VENV)/.installed-check  ## Put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## Remove what the commands above made
	@rm -rf $(VENV) .venv-3.* demo-output dist build .pytest_cache .mypy_cache .ruff_cache
