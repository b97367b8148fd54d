# `make run` serves, `make test` proves. Needs python3 >= 3.11 with venv, and nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# Pinned by hash, and the package itself without its dependencies: what is installed is what the lock says.
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
LOCKED := $(PIP_INSTALL) --require-hashes --requirement
EDITABLE := $(PIP_INSTALL) --no-deps --no-build-isolation --editable .

SERVER_STAMP := $(VENV)/.installed-server
CLUSTER_STAMP := $(VENV)/.installed-cluster
DEV_STAMP := $(VENV)/.installed-dev
NODE_DIR := tests/node
NODE_STAMP := $(NODE_DIR)/node_modules/.installed

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	--resolver=backtracking

# Much of a test is waiting, so there is a process more than cores. The tests of a file stay together, as they share what
# it set up, and come in the order of tests/conftest.py.
WORKERS := $(shell expr 1 + $$(nproc))
PARALLEL := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# The variable leaves out an advertisement.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs

CLUSTER := --extra server --extra postgres --extra cloud --extra otel

.PHONY: help install cluster dev node run lint format check test soak bench dist lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ElasticLake needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)

$(SERVER_STAMP): pyproject.toml requirements/server.lock | $(BIN)/python
	@echo "Installing the server into $(VENV) (once; under two minutes) ..."
	@$(LOCKED) requirements/server.lock
	@$(EDITABLE)
	@touch $@

# Each lock holds the pins of the one before, so that a larger environment needs no second install for less.
$(CLUSTER_STAMP): pyproject.toml requirements/cluster.lock | $(BIN)/python
	@echo "Installing the server, with the libraries for many machines, into $(VENV) ..."
	@$(LOCKED) requirements/cluster.lock
	@$(EDITABLE)
	@touch $@ $(SERVER_STAMP)

$(DEV_STAMP): pyproject.toml requirements/dev.lock | $(BIN)/python
	@echo "Installing the development environment into $(VENV) (once; a few minutes) ..."
	@$(LOCKED) requirements/dev.lock
	@$(EDITABLE)
	@touch $@ $(CLUSTER_STAMP) $(SERVER_STAMP)

# Optional: without npm or its registry the suites that drive the JavaScript SDK are left out, and `make test` says so.
# Node carries its own list of certificate authorities, so it is shown the system's, which pip uses too.
CA_FILE := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt))
NPM_CI := npm --prefix $(NODE_DIR) ci --no-audit --no-fund --silent --fetch-retries=1 $(CA_FILE:%=--cafile=%)

$(NODE_STAMP): $(NODE_DIR)/package.json $(NODE_DIR)/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
		echo "Installing the JavaScript clients into $(NODE_DIR)/node_modules ..."; \
		if $(NPM_CI); then touch $@; else echo "npm failed: the JavaScript clients are not installed." >&2; fi; \
	fi

install: $(SERVER_STAMP) ## Install what serving needs

cluster: $(CLUSTER_STAMP) ## Install what serving on many machines needs

dev: $(DEV_STAMP) ## Install what development needs

node: $(NODE_STAMP)

run: $(SERVER_STAMP) ## Serve in the foreground; options in ARGS="--listen 127.0.0.1:9100"
	@exec $(BIN)/elasticlake serve $(ARGS)

lint: $(DEV_STAMP) ## Lint, formatting, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict src
	@set -e; for example in examples/*/; do $(BIN)/mypy --strict $$example; done
	@$(BIN)/lint-imports

format: $(DEV_STAMP) ## Rewrite the code in the project's format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

check: lint ## Lint and unit tests: the minute before a commit
	@$(BIN)/python -m pytest tests/unit -q $(PARALLEL)

test: lint node ## Everything; a suite whose tool is missing is left out and named in the last line
	@$(BIN)/python -m pytest tests $(PARALLEL)

.PHONY: docs preview

docs: $(DEV_STAMP) ## Build the documents as a site in build/site
	@$(MKDOCS) build --strict --quiet

preview: $(DEV_STAMP) ## Serve the documents while you write them; options in ARGS="--dev-addr 127.0.0.1:8100"
	@$(MKDOCS) serve --strict $(ARGS)

soak: $(DEV_STAMP) node ## The long proofs, with their large counts; and every test that runs on an engine, on PostgreSQL
	@ELASTICLAKE_SOAK=1 $(BIN)/python -m pytest tests -m soak --timeout 7200 --numprocesses auto --dist worksteal --durations 0 --durations-min 1
	@ELASTICLAKE_ENGINE=postgres $(BIN)/python -m pytest tests $(PARALLEL) --ignore tests/unit/bench --ignore tests/unit/cli

bench: $(DEV_STAMP) ## Measure; options in ARGS
	@$(BIN)/python -m bench $(ARGS)

dist: $(DEV_STAMP) ## Build the wheel and the sdist into dist/, and test such a build: see docs/release.md
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation
	@$(BIN)/python -m pytest tests/integration/test_package.py -q
	@sha256sum dist/*

lock: $(DEV_STAMP) ## Resolve the lock files anew
	@$(COMPILE) --upgrade --extra server --output-file requirements/server.lock pyproject.toml requirements/build.in
	@$(COMPILE) --upgrade $(CLUSTER) --constraint requirements/server.lock --output-file requirements/cluster.lock \
		pyproject.toml requirements/build.in
	@$(COMPILE) --upgrade $(CLUSTER) --constraint requirements/cluster.lock --output-file requirements/dev.lock \
		pyproject.toml requirements/build.in requirements/dev.in

clean: ## Remove environments and caches (never data)
	@rm -rf $(VENV) $(NODE_DIR)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
