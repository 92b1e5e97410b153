# Five verbs, the same for people and for CI, and three for longer looks. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.PHONY: serve test check fix bench conformance comparison fuzz

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
	$(BIN)/python docs/pictures.py

bench: $(STAMP)
	$(BIN)/python bench/run.py $(ONLY)

conformance: $(STAMP)  ## compare with other servers, row by row; makes docs/conformance.md
	$(BIN)/python conformance/run.py $(ONLY)

comparison: $(STAMP)  ## ask aioserve, nginx and Caddy the same about files; makes docs/static.md
	$(BIN)/python comparison/run.py $(ONLY)

# atheris has no wheels for every Python, and nobody needs it for anything else.
fuzz: .venv-fuzz/.ready  ## look for inputs that break a promise, for SECONDS
	.venv-fuzz/bin/python fuzz/run.py $(or $(SECONDS),300)

.venv-fuzz/.ready: pyproject.toml
	rm -rf .venv-fuzz
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-fuzz/bin/python -m pip install --quiet --editable . 'atheris>=3' 'h11>=0.16'
	touch $@

# The interpreter's version is part of the stamp's name: another PYTHON makes a new environment.
$(STAMP): pyproject.toml
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
