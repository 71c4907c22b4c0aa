# `make talk` sets everything up and holds a conversation; `make help` lists the rest.
#
# Everything goes into .venv in this folder and into the model store of the user.
#   PYTHON=python3.12    the Python that the environment is made with
#   PROFILE=embedded     the profile for talk and models; otherwise gpu where nvidia-smi finds one
#   DATA=folder          where bench finds folders of examples to measure accuracy on
#   ARGS='…'             handed on to the assistant (talk, bench) or to pytest (test)

PYTHON ?= python3
ARGS ?=
DATA ?= ../shared/data
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
GPU := $(shell nvidia-smi -L 2>/dev/null | grep -c '^GPU')
PROFILE ?= $(if $(filter-out 0,$(GPU)),gpu,embedded)
EXTRA := $(if $(filter gpu,$(PROFILE)),[gpu])

.DEFAULT_GOAL := help
.PHONY: help install models talk test lint bench clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

install: .venv/installed-$(PROFILE) ## make .venv with what the profile needs

models: install ## fetch the models of the profile
	@$(BIN)/python -m assistant models pull --profile $(PROFILE)

talk: models ## set up and talk (without a microphone: answer a recorded question about a photo)
	@$(BIN)/python -m assistant talk --profile $(PROFILE) $(ARGS)

test: .venv/installed-test ## set up and run the tests
	@$(BIN)/python -m assistant models pull --profile embedded || echo 'make: the tests that need these models will fail' >&2
	@$(BIN)/python -m assistant models pull faster-whisper-tiny.en smollm2-135m-instruct-q4_1 || true
	@$(BIN)/python -m pytest -q $(ARGS)

lint: .venv/installed-test ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: models ## measure speed, memory and accuracy on this machine
	@$(BIN)/python -m assistant bench --profile $(PROFILE) $(ARGS)
	@$(BIN)/python -m benchmarks.llm
	@for task in 'asr speech' 'asr silence' 'naming naming'; do set -- $$task; \
	  if [ -d '$(DATA)'/$$2 ]; then $(BIN)/python -m assistant eval $$1 --data '$(DATA)'/$$2 --profile $(PROFILE); \
	  else echo "eval $$1: no data at $(DATA)/$$2; say make bench DATA=folder"; fi; done

clean: ## delete .venv and caches, not the models
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: $(PYTHON) is not Python 3.11 or newer; install one and say: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make environments; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  echo "making .venv with $$($(PYTHON) --version)"; rm -rf .venv; $(PYTHON) -m venv .venv; \
	  $(PIP) uninstall -qq -y setuptools; }
	@touch $@

# Without --no-compile pip also byte-compiles what is never imported, 70 MB of it.
# A stamp for each set of libraries, so that nothing is installed twice; pyproject.toml says what is in it.
.venv/installed-%: .venv/made pyproject.toml
	@echo "installing the libraries of the profile $* (some hundred MB, a few minutes) ..."
	@$(PIP) install -qq --no-compile -e '.$(EXTRA)'
	@touch $@

.venv/installed-test: .venv/made pyproject.toml tests/install_torch.py
	@echo "installing the libraries and what the tests need (some hundred MB, a few minutes) ..."
	@$(PIP) install -qq --no-compile -e '.[dev,eval]'
	@$(BIN)/python tests/install_torch.py
	@touch $@
