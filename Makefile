# Sluis: every command of the project. Nothing but python3 (3.11 or newer), git and make has to be there beforehand.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
# Test persons of the national register, where someone has put that file beside this repository; else demo makes its own.
DATA ?= $(wildcard ../shared/data/gba-v-proefpersonen.csv)
# Where `make region` leaves its report.
OUT ?= build/region
LOCK := --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	--no-header --no-emit-index-url --no-annotate --quiet

# Of a campaign: which, how large, and the seed of every choice in it.
NAME ?= kill
SIZE ?= 40
SEED ?= 1

.PHONY: help demo check region bench prove campaign redlines readme mutate clean-root lock lock-upgrade format python set-up-run set-up-dev clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

python: # every target that starts Python begins here
	@command -v $(PYTHON) >/dev/null || { echo "Sluis needs Python 3.11 or newer: apt-get install -y python3" >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sluis needs Python 3.11 or newer")'

set-up-run: python
	@$(PYTHON) -m tests.check.bootstrap run

set-up-dev: python
	@$(PYTHON) -m tests.check.bootstrap dev

demo: set-up-run ## play the scenarios on real processes; leaves build/demo [DATA=FILE]
	@exec $(VENV)/bin/sluis-connect demo --out build/demo $(if $(DATA),--data '$(DATA)')

check: python ## set up, then every test; leaves build/check/stages.json
	@exec $(PYTHON) -m tests.check.stages

region: set-up-dev ## a region from a GBA-V file, every match against a plaintext oracle; leaves build/region [DATA=FILE OUT=DIR DATE=YYYY-MM-DD ASSESSMENTS=FILE]
	@exec $(VENV)/bin/python -m tests.region $(if $(DATA),--data '$(DATA)') --out '$(OUT)' \
		$(if $(DATE),--date '$(DATE)') $(if $(ASSESSMENTS),--assessments '$(ASSESSMENTS)')

bench: set-up-dev ## side-by-side ratios, exit 1 on a missed bar; leaves build/bench/<name>.json [ONLY=tokens,check,policy,audit]
	@export ONLY='$(ONLY)'
	exec $(VENV)/bin/python -m tests.bench

redlines: set-up-dev ## the fifteen red lines with the tests that hold them
	@exec $(VENV)/bin/python -m tests.check.redlines

readme: set-up-run ## run both commands' demo and write its output into README.md
	@exec $(VENV)/bin/python -m connectors.demo.readme

campaign: set-up-dev ## break a running region and look for what it acknowledged; leaves build/campaign/NAME.json [NAME=kill,syscalls SIZE=n SEED=n]
	@exec $(VENV)/bin/python -m tests.campaigns '$(NAME)' '$(SIZE)' '$(SEED)'

prove: set-up-dev ## the whole finite policy domain, properties and mutants; leaves build/prove/report.json [ACCEPT=1]
	@export ACCEPT='$(ACCEPT)'
	exec $(VENV)/bin/python -m tests.prove

mutate: set-up-dev ## mutation score of the security-critical modules; leaves build/mutate/report.json [ONLY=path] [TESTS=path] [ACCEPT=1] [AGAIN=1] [CHILDREN=n]
	@export ONLY='$(ONLY)' TESTS='$(TESTS)' ACCEPT='$(ACCEPT)' AGAIN='$(AGAIN)' CHILDREN='$(CHILDREN)'
	exec $(VENV)/bin/python -m tests.check.mutate

clean-root: python ## as root: `make demo` in a fresh Debian made by debootstrap; leaves build/clean-root/report.json [TARGETS='demo check']
	@exec $(PYTHON) -m tests.check.clean_root $(TARGETS)

format: set-up-dev ## let ruff format and fix what it safely can
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

lock: set-up-dev ## write the hashed requirement files for pyproject.toml, keeping versions where they still fit
	@$(VENV)/bin/uv pip compile $(LOCK) pyproject.toml --group dev -o requirements-dev.txt
	$(VENV)/bin/uv pip compile $(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt
	$(VENV)/bin/uv pip compile $(LOCK) --group bootstrap -c requirements-dev.txt -o requirements-bootstrap.txt

lock-upgrade: ## write the requirement files anew, with the newest versions
	@$(MAKE) lock LOCK='$(LOCK) --upgrade'

clean: ## remove everything that was made here
	@rm -rf $(VENV) build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
