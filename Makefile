# Leftfield: two commands do everything. `make demo` runs a booth in a box, `make test` checks every promise.
# A machine needs Python 3.11, make and git; the rest is set up by the first command that needs it (see setup/).
#
#   make demo [SOURCE=/path.mp4|0] [DURATION=60] [HEADLESS=1] [PORT=8080] [HOST=0.0.0.0]
#   make test [TESTS=tests/unit] [WORKERS=2]
#   make fuzz [SECONDS=60] · make mutants [ROOM=hub/admission] [SINCE=main] · make faults · make soak [SECONDS=7200]
#   Any target: CACHE=/elsewhere (downloads, default .cache), VENV=/elsewhere (default .venv), PYTHON=python3.12

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

CACHE ?= .cache
VENV ?= .venv
TESTS ?= tests
# The first Python that is new enough; an empty answer is explained by the rule `python`.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
endif
ifndef WORKERS
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -gt 4 ]; then echo 4; else echo $$n; fi)
endif

# A path may hold spaces: it is quoted wherever it is used, and programs are started through Python.
BIN := $(if $(filter /%,$(VENV)),$(VENV),$(CURDIR)/$(VENV))/bin
CACHE_PATH := $(if $(filter /%,$(CACHE)),$(CACHE),$(CURDIR)/$(CACHE))
SOURCE ?= $(CACHE_PATH)/street.avi
# Typed by somebody, so the sample video need not be fetched.
OWN_SOURCE := $(filter command environment override,$(firstword $(origin SOURCE)))

export CACHE VENV
export LEFTFIELD_MOSQUITTO := $(CACHE_PATH)/bin/mosquitto
export LEFTFIELD_POSTGRES := $(CACHE_PATH)/bin/postgresql
export LEFTFIELD_CACHE := $(CACHE_PATH)
export LEFTFIELD_STREET := $(CACHE_PATH)/street.avi
export PYTHONNOUSERSITE := 1
export COVERAGE_FILE := $(CACHE_PATH)/coverage
# What tools remember goes to the cache directory: the checkout itself is never written to.
export MYPY_CACHE_DIR := $(CACHE_PATH)/mypy
export RUFF_CACHE_DIR := $(CACHE_PATH)/ruff
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE_PATH)/hypothesis
export PYTHONPYCACHEPREFIX := $(CACHE_PATH)/pycache
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help python setup setup-test demo test fuzz mutants faults soak coverage lint format lock models bench deb image-test leak-test screenshots clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

python:
	@if [ -z "$(PYTHON)" ]; then echo "setup  stopped  Python 3.11 or newer is needed: apt-get install python3, or make PYTHON=/path/to/python3.11" >&2; exit 1; fi

setup: python ## prepare this checkout for the demo (done by `make demo` itself)
	@$(PYTHON) -m setup demo $(if $(OWN_SOURCE),--no-street)

setup-test: python ## prepare this checkout for the tests (done by `make test` itself)
	@$(PYTHON) -m setup test

demo: setup ## a booth in a box: a real camera unit on a street video, a simulated street, hub, tablet page
	@exec "$(BIN)/python" -m appliance.cli demo --source "$(SOURCE)" $(if $(DURATION),--duration $(DURATION)) \
		$(if $(filter-out 0 no false,$(HEADLESS)),--headless) $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST))

test: setup-test lint ## lint, then every unit, promise, conformance, browser and end-to-end test
	@"$(BIN)/python" -m pytest -q -o cache_dir="$(CACHE_PATH)/pytest" -n $(WORKERS) --dist loadfile $(TESTS)

FUZZ_SECONDS = $(or $(SECONDS),60)
fuzz: setup-test ## give each parser of untrusted bytes SECONDS (60) of inputs guided by coverage (x86-64 Linux)
	@"$(BIN)/python" -c 'import atheris' 2>/dev/null || "$(BIN)/python" -m pip install -q --require-hashes \
		--only-binary=:all: -r requirements/fuzz.lock
	@"$(BIN)/python" -m tests.fuzz.campaign --seconds $(FUZZ_SECONDS) $(TARGETS)

mutants: setup-test ## change what the thinking rooms do, one thing at a time: do the tests notice? (ROOM=hub/admission SINCE=REV SAMPLE=100)
	@"$(BIN)/python" -m tests.mutants.order
	@"$(BIN)/python" -m tests.mutants $(foreach room,$(ROOM),--room $(room)) $(if $(SINCE),--since $(SINCE)) --sample $(or $(SAMPLE),0)

faults: setup-test ## kill, fill, part and damage everything again and again; the table (an hour; root; ROWS="WATCH broker" SCALE=1)
	@"$(BIN)/python" -m tests.faults $(ROWS) --scale $(or $(SCALE),1)

soak: setup-test ## a long night for the hub: 50 units, eight of them busy, 100 tablets, for SECONDS (7200): what grows, what is lost
	@"$(BIN)/python" -m tests.faults.soak --seconds $(or $(SECONDS),7200)

coverage: setup-test ## branches taken in each room that thinks, 95 % at the least
	@"$(BIN)/python" -m coverage erase
	@"$(BIN)/python" -m coverage run -m pytest -q -o cache_dir="$(CACHE_PATH)/pytest" tests/hub tests/unit tests/conformance tests/protocol \
		tests/promises/test_vocabulary.py tests/promises/test_door.py tests/test_doctests.py tests/shipped
	@"$(BIN)/python" -m coverage combine -q
	@"$(BIN)/python" -m coverage report
	@"$(BIN)/python" -m coverage json -q -o "$(CACHE_PATH)/coverage.json"
	@"$(BIN)/python" -m tests.tools.branch_table "$(CACHE_PATH)/coverage.json"

lint: python ## ruff (each ignore with its reason), mypy strict, the dependency rule
	@$(PYTHON) -m setup python
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check --quiet . || { echo "not formatted: run make format" >&2; exit 1; }
	@"$(BIN)/mypy"
	@"$(BIN)/mypy" --strict setup
	@MYPYPATH=models_tflite/recipe "$(BIN)/mypy" models_tflite/recipe
	@$(PYTHON) -m setup check-web
	@"$(BIN)/lint-imports" --cache-dir "$(CACHE_PATH)/imports"
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run provisioning/*.sh models_tflite/recipe/*.sh models_tflite/recipe/*/*.sh; fi

format: python ## put the code in its one layout
	@$(PYTHON) -m setup python
	@"$(BIN)/ruff" format .
	@"$(BIN)/ruff" check --fix .

LOCK = "$(BIN)/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-build --no-emit-index-url \
	--no-header --no-annotate --upgrade pyproject.toml setup/build.txt
lock: ## choose the newest allowed versions anew and write requirements/*.lock (universal, with hashes)
	@test -x "$(BIN)/uv" || $(PYTHON) -m setup python
	@mkdir -p requirements
	$(LOCK) --extra dev -o requirements/dev.lock
	$(LOCK) --extra demo -c requirements/dev.lock -o requirements/runtime.lock
	"$(BIN)/uv" pip compile --quiet --generate-hashes --python-version 3.11 --no-build --no-emit-index-url \
		--no-header --no-annotate --upgrade setup/fuzz.txt -o requirements/fuzz.lock

models: python ## rebuild models_tflite/*.tflite, hours and gigabytes of it (MODELS="people pose", CLOTHING=folder of photos)
	@sh models_tflite/recipe/rebuild.sh $(if $(MODELS),--only "$(MODELS)") $(if $(CLOTHING),--clothing "$(CLOTHING)")

BENCH ?= $(wildcard tests/bench/bench_*.py)
image-test: setup-test ## start an image in QEMU: pairing, updates, pulled plugs; about two hours (KILLS=10; RESUME=1 goes on after a break), wants root, qemu-system-x86, ovmf
	@"$(BIN)/python" -m pytest -x -q -s -o addopts="--import-mode=importlib" -o cache_dir="$(CACHE_PATH)/pytest" tests/long

leak-test: setup-test ## look for planted pictures everywhere for ten minutes, in a tablet's browser too
	@LEFTFIELD_LEAK_MINUTES=10 "$(BIN)/python" -m pytest -x -q -o addopts="--import-mode=importlib" tests/promises/test_leaks.py

bench: setup-test ## measure: frame cost, models, spool (prints figures; not part of `make test`; BENCH=one file)
	@for one in $(BENCH); do \
		echo "== $$one"; \
		if grep -q '^def test_' $$one; then "$(BIN)/python" -m pytest -q -s -o addopts="--import-mode=importlib" $$one; \
		else "$(BIN)/python" $$one --video "$(SOURCE)"; fi || failed=1; \
	done; exit $${failed:-0}

deb: setup-test ## Debian packages of hub and unit in dist/ (SUITE=trixie, ARCH=arm64)
	@for role in hub unit; do "$(BIN)/python" provisioning/deb/build.py --role $$role --out dist \
		$(if $(SUITE),--suite $(SUITE)) $(if $(ARCH),--arch $(ARCH)) || exit 1; done

screenshots: setup-test ## take the README's pictures of tablet and terminal anew
	@"$(BIN)/python" -m tests.pages.screenshots

clean: ## remove what set-up made: the virtual environment and the cache directory
	rm -rf "$(VENV)" "$(CACHE)" .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
