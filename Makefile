# Each target does all of its own set-up: a virtual environment with the pinned packages.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test check screenshots language world clean

run: $(VENV)/.app
	$(BIN)/python app.py

test: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.browser.screenshots

language: $(VENV)/.app
	$(BIN)/python -m tests.dashboard.sentences

world: $(VENV)/.app
	$(BIN)/python -m unlearning world --out assets

$(VENV)/.venv:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Lethe needs Python 3.11 to 3.13; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

# torch first and alone: where a particular build was laid out for pip, the rest then keeps to it.
$(VENV)/.torch: requirements.txt $(VENV)/.venv
	$(BIN)/pip install --quiet "$$(grep '^torch==' requirements.txt)"
	touch $@

$(VENV)/.app: requirements.txt $(VENV)/.torch
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

# The system's Chromium, or the one that LETHE_CHROMIUM names, else Playwright's own.
$(VENV)/.browser: $(VENV)/.dev
	test -x "$${LETHE_CHROMIUM:-/usr/bin/chromium}" || $(BIN)/playwright install chromium
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache screenshots
