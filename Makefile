# Needs make and Python 3.11 or later with venv; everything else is installed into .venv.
# `PYTHON=python3.12 make up` chooses the interpreter; `make up ARGS="--port 8081"` passes options on.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
    if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
    2>/dev/null; then echo $$p; break; fi; done)
BIN := .venv/bin
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.DEFAULT_GOAL := help
.PHONY: help up test lint fmt bench clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

up: .venv/run.stamp  ## Start everything with a simulated fleet (options: ARGS="--port 8081 --data DIR")
	@exec $(BIN)/python manage.py up --demo $(ARGS)

test: .venv/dev.stamp  ## Run all tests but those that need a browser or real collectors (ARGS="-k name")
	$(BIN)/python -m pytest -n 2 $(ARGS)

# mypy and Django read the settings, which want a key; nothing is signed here.
lint: export SECRET_KEY ?= only-for-checks
lint: .venv/dev.stamp  ## Check style, types, imports and migrations
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m djlint templates --check --quiet
	$(BIN)/python -m djlint templates --lint --quiet
	$(BIN)/python -m mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run

fmt: .venv/dev.stamp  ## Format the code
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .
	$(BIN)/python -m djlint templates --reformat --quiet --warn

bench: .venv/dev.stamp  ## Measure deliveries, rollback and pages on a demo of its own (about 5 minutes)
	$(BIN)/python -m bench.demo $(ARGS)

clean:  ## Remove the virtual environment, caches and the demo's data in var/
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m console.processes.record var; fi
	rm -rf .venv var staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are newer than the requirements they were made from, so a changed file installs again
# and an unchanged one needs no network.
.venv/python.stamp:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or later with venv is needed (Debian: apt-get install python3-venv), or set PYTHON=..." >&2; exit 1; fi
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run.stamp: .venv/python.stamp requirements.txt requirements-embedded.txt
	$(BIN)/python -m pip install --quiet -r requirements-embedded.txt
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
