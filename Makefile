# The commands of a checkout; each does its own set-up. `make PYTHON=python3.13 test` chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
PREPARE := $(PYTHON) tools/prepare.py --venv $(VENV)
# Processes: four more than there are cores, for some tests wait for real parts; one for few tests (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest -n auto
# The files and folders among ARGS: `make quick` runs the tests of these (tests/support/affected.py), and pytest has the rest.
NAMED := $(wildcard $(ARGS)) $(filter changed,$(ARGS))
# Types and import directions take ten seconds of one processor: they are checked beside the tests. What is wrong in them
# is told at once, and fails the run at its end.
BESIDE_TYPES = $(MAKE) --no-print-directory types & types=$$!;
BOTH = tests=$$?; wait $$types || { echo "types or import directions: see above"; exit 1; }; exit $$tests
# The tests are compiled once: collecting them takes 5 s then, and 20 without.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo sim quick test services pictures lint clean
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\): *## */  make \1\t/p' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is handed on: to the simulator by `make sim`, to pytest by the tests.'

demo: ## show a simulated town on the screens of the centre, in a browser; break something and watch (bocage demo)
	@$(PREPARE) --extra web
	@$(BIN)/bocage demo $(ARGS)

sim: ## run the simulated territory (bocage sim) and draw its night in night.svg
	@$(PREPARE) --extra simulator
	@$(BIN)/bocage sim --svg night.svg $(ARGS)

quick: ## check style and types, run what needs no real parts; ARGS=gateway/core/custody or ARGS=changed: what tests that
	@$(PREPARE) --extra dev
	@$(BIN)/ruff check --quiet
	@$(BESIDE_TYPES) $(PYTEST) --quick $(NAMED:%=--of=%) $(filter-out $(NAMED),$(ARGS)); $(BOTH)

test: ## check style, types and import directions, then run every test but those of `make services`
	@$(PREPARE) --extra dev --programs
	@$(BIN)/ruff check --quiet
	@[ -d tests/__pycache__ ] || $(BIN)/python -m pytest -qq --collect-only >/dev/null  # else each process compiles all
	@$(BESIDE_TYPES) $(PYTEST) -m "not services" $(ARGS); $(BOTH)

services: ## run the tests that install a Debian (as root), and those of the warehouse on PostgreSQL, and nodes on a bare machine in QEMU
	@$(PREPARE) --extra dev --services
	@$(PYTEST) --quick -m services $(ARGS)

pictures: ## take the pictures of README.md anew, in Chromium
	@$(PREPARE) --extra dev --services
	@folder=$$(mktemp -d) && BOCAGE_PICTURES=$$folder $(BIN)/python -m pytest -q tests/live/test_demo_in_chromium.py \
		-k "lamps_light_up or technician or mayor" && cp $$folder/readme/*.png tools/demo/pictures && rm -r $$folder

lint: ## check style, types and import directions only
	@$(PREPARE) --extra dev
	@$(BIN)/ruff check --quiet
	@$(MAKE) --no-print-directory types

.PHONY: types
types:
	@said=$$($(BIN)/mypy 2>&1 && PYTHONPATH=firmware:. $(BIN)/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }

clean: ## remove the environments and everything that tools made
	@rm -rf .venv* build dist .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find gateway/language/locale -name '*.mo' -delete
