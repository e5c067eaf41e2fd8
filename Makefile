# The commands of a checkout; each does its own set-up. `make PYTHON=python3.13 test` chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
PREPARE := $(PYTHON) tools/prepare.py --venv $(VENV)
# Three processes for two cores: some tests wait for real parts most of the time (tests/conftest.py says which).
PARALLEL := -n 3

.PHONY: help sim test lint clean
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\): *## */  make \1\t/p' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is handed on: to the simulator by `make sim`, to pytest by `make test`.'

sim: ## run the simulated territory (bocage sim) and draw its night in night.svg
	@$(PREPARE) --extra simulator
	@$(BIN)/bocage sim --svg night.svg $(ARGS)

test: ## check style, types and import directions, then run every test
	@$(PREPARE) --extra dev --programs
	@$(MAKE) --no-print-directory checks
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

lint: ## check style, types and import directions only
	@$(PREPARE) --extra dev
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@PYTHONPATH=firmware:. $(BIN)/lint-imports --no-logo

clean: ## remove the environments and everything that tools made
	@rm -rf .venv* build dist .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find gateway/language/locale -name '*.mo' -delete
