# Five verbs, the same for people and for CI. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.PHONY: serve test check fix bench

serve: $(STAMP)  ## run the example on a free choice of PORT
	$(BIN)/aioserve examples/hello.py:Handler --port $(or $(PORT),8080)

test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/project

fix: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python man/make.py

bench: $(STAMP)
	$(BIN)/python bench/run.py $(ONLY)

# The interpreter's version is part of the stamp's name: another PYTHON makes a new environment.
$(STAMP): pyproject.toml
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
