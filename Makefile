# `make demo` trains on handwritten digits, `make test` runs the tests; each sets up what it needs in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench clean

demo: $(VENV)/.demo
	$(BIN)/python examples/digits.py

test: $(VENV)/.test
	$(BIN)/python -m pytest

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target build/installed .
	MYPYPATH=build/installed $(BIN)/python -m mypy -p sessile

bench: $(VENV)/.demo
	$(BIN)/python -m benchmarks

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable ".[examples]"
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable ".[examples,test]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
