# Two commands do everything: `make demo` and `make test`. `make` alone lists the rest.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
    $$p -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' \
    >/dev/null 2>&1 && { echo $$p; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo demo-reset test test-long bench lint format lock chromium mariadb clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.run  ## set up .venv to run pipshare

setup-dev: $(VENV)/.dev  ## set up .venv to develop and test

demo: setup  ## set up, load a demonstration broker, go live until Ctrl-C (ONCE=1: a bounded run)
	@$(BIN)/pipshare demo $(if $(ONCE),--once)

demo-reset: setup  ## drop the demonstration's data and start over
	@$(BIN)/pipshare demo --reset $(if $(ONCE),--once)

# A worker more than there are cores: many tests wait for a process, a clock or a browser.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n + 1 : n)))
test: setup-dev lint chromium mariadb  ## set up and pass all tests
	@$(PYTEST) -n $(WORKERS) --dist loadscope

test-long: setup-dev chromium mariadb  ## the tests that take long
	@PIPSHARE_TEST_LONG=1 $(PYTEST) -n $(WORKERS) --dist loadscope

# Pages are tested in a real browser. Where this may install one it does; elsewhere those tests skip.
BROWSER = command -v chromium chromium-browser google-chrome >/dev/null
chromium:
	@$(BROWSER) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	echo "Installing Chromium for the browser tests (once) ..." && \
	{ apt-get update -qq; DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1; } || true
	@$(BROWSER) || echo "No Chromium: browser tests are skipped. As root: apt-get install chromium"

# Replicas of CRMs are read from a real MariaDB. Where this may install one it does; elsewhere they skip.
MARIADB = PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null
mariadb:
	@$(MARIADB) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	echo "Installing MariaDB for the tests of replicas (once) ..." && \
	{ apt-get update -qq; DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends mariadb-server-core; } >/dev/null 2>&1; } || true
	@$(MARIADB) || echo "No MariaDB: tests of replicas are skipped. As root: apt-get install" \
	"mariadb-server-core"

bench: setup-dev  ## measure speed, as ratios beside references of the same run
	@$(BIN)/python -m benchmarks

lint: setup-dev  ## style, types and the one-way imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup-dev  ## write requirements/*.txt anew from pyproject.toml (needs uv)
	@for part in "run" "dev --extra dev --extra bench --extra mysql"; do set -- $$part; name=$$1; shift; \
	uv pip compile -q pyproject.toml requirements/build.in $$@ --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	-o requirements/$$name.txt; done

clean:  ## remove what set-up and tests left (never the data folder)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "pipshare needs Python 3.11, 3.12 or 3.13: install one," \
	"or say which with: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian or Ubuntu" \
	"run: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up .venv (once) ..."
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Adding what tests need (once) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
