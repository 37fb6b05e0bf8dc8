# `make` alone lists the targets. Everything is set up on first use and again only when the lock file changes.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python that runs and is new enough; the one called python3 is preferred.
PYTHON := $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$name" && break; done)
UV := uv==0.13.9
PIP := -m pip --disable-pip-version-check install --quiet --root-user-action=ignore
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

.PHONY: help setup demo paper compile bench coverage mutate fuzz simulate simulate-slice crash-points simulate-defects risk-table test test-compiled lint types validate build check lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## Make .venv with every package at its locked version

demo: setup ## Run the whole system on a local stack [CANDLES=folder SEED=n COINS=n DAYS=n]
	.venv/bin/smc-trader demo $(if $(CANDLES),--candles "$(CANDLES)") $(if $(SEED),--seed "$(SEED)") \
		$(if $(COINS),--coins "$(COINS)") $(if $(DAYS),--days "$(DAYS)")

paper: setup ## Trade on paper at live public prices; nothing is sent [SANDBOX=1 MINUTES=n BALANCE=n SEED=n COINS=n]
	.venv/bin/smc-trader paper $(if $(SANDBOX),--sandbox) $(if $(MINUTES),--minutes "$(MINUTES)") \
		$(if $(BALANCE),--balance "$(BALANCE)") $(if $(SEED),--seed "$(SEED)") $(if $(COINS),--coins "$(COINS)")

compile: setup ## Compile the detector with mypyc into out/compiled; used from then on, until its sources change
	.venv/bin/python -m infra.compiled build

bench: setup ## Measure storage, imports and the detector into out/bench [SUBJECTS="store ..." PEERS=python]
	.venv/bin/python -m tests.bench $(SUBJECTS) $(if $(PEERS),--peers "$(PEERS)")

coverage: setup ## Every branch of risk, execution, exits, reconciliation, control and the order tables is reached by their own unit tests
	.venv/bin/coverage run --data-file=out/coverage --branch --source=layers/trading/python/trading/risk,layers/trading/python/trading/execution,layers/trading/python/trading/exits,layers/trading/python/trading/reconciliation \
		-m pytest -q tests/unit/risk tests/unit/execution tests/unit/exits tests/unit/operator tests/unit/reconciliation tests/unit/model
	.venv/bin/coverage report --data-file=out/coverage --fail-under=100 --skip-covered
	.venv/bin/coverage run --data-file=out/coverage-tables --branch --include='*/model/orders.py,*/model/positions.py,*/model/steps.py' \
		-m pytest -q tests/unit/execution tests/unit/model
	.venv/bin/coverage report --data-file=out/coverage-tables --fail-under=100 --skip-covered
	.venv/bin/coverage run --data-file=out/coverage-control --branch --include='functions/control_trading/*,*/model/control.py' \
		-m pytest -q tests/unit/operator
	.venv/bin/coverage report --data-file=out/coverage-control --fail-under=100 --skip-covered

mutate: setup ## Change risk, exits and control one thing at a time: tests have to notice; into out/mutation [MODULES="risk exits control"]
	.venv/bin/python -m tests.mutation $(MODULES) $(if $(MODULES),,--document docs/mutation.md)

fuzz: setup ## 200,000 mutated venue bodies, events and stored items [COUNT=n SEED=s]
	.venv/bin/python -m tests.fuzz $(if $(COUNT),--count "$(COUNT)") $(if $(SEED),--seed "$(SEED)")

simulate: setup ## Simulate days with faults, against every invariant [SEEDS=n PROFILE=p SEED=s FIRST=n TIER=A KEEP=1]
	.venv/bin/python -m tests.simulation $(if $(SEEDS),--seeds "$(SEEDS)") $(if $(PROFILE),--profile "$(PROFILE)") \
		$(if $(SEED),--seed "$(SEED)") $(if $(FIRST),--first "$(FIRST)") $(if $(TIER),--tier "$(TIER)") \
		$(if $(KEEP),--keep)

simulate-slice: setup ## Two CPU minutes of simulated days and every kept case, as CI runs them
	.venv/bin/python -m tests.simulation slice

crash-points: setup ## Every call of every core scenario fails once in every way [SCENARIO="name" PAIRS=n TIER=A]
	.venv/bin/python -m tests.simulation crash-points $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(PAIRS),--pairs "$(PAIRS)") \
		$(if $(TIER),--tier "$(TIER)")

simulate-defects: setup ## Plant real mistakes into the code one at a time: the simulation has to see each; into docs/planted-defects.md
	.venv/bin/python -m tests.simulation.defects $(if $(ONLY),--only "$(ONLY)",--document docs/planted-defects.md)

risk-table: setup ## Write docs/risk.md from limits, rules and scenarios, with the counts of the last demo if there is one
	.venv/bin/python -m tests.documents.risk_table $(wildcard out/demo/summary.json)

test: setup ## Run every test
	.venv/bin/pytest -n 2 --dist loadfile

test-compiled: setup ## Run the tests of detector and strategy on the compiled detector, where there is a C compiler
	@if .venv/bin/python -c 'import os, shutil, sys, sysconfig; sys.exit(not (shutil.which("cc") or shutil.which("gcc")) or \
		not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'; \
	then $(MAKE) --no-print-directory compile && .venv/bin/pytest tests/unit/smc tests/unit/strategy tests/unit/compiled; \
	else echo "No C compiler or no Python.h here: the compiled detector is not tested."; fi

lint: setup ## Check style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: setup ## Check types
	.venv/bin/mypy

validate: .venv-sam/ready ## Check template.yaml and the nested templates
	infra/aws/with-python3.13 .venv-sam/bin/sam validate --lint --template template.yaml
	.venv-sam/bin/cfn-lint infra/aws/*.yaml

build: .venv-sam/ready ## Build what is deployed into .aws-sam/build
	infra/aws/with-python3.13 .venv-sam/bin/sam build --parallel

check: lint types validate build test coverage simulate-slice test-compiled ## All that CI does

lock: .venv-sam/ready ## Renew the three lock files from pyproject.toml and the two *.in files
	.venv-sam/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
		pyproject.toml --output-file requirements.lock
	sed -n 's/^\([A-Za-z0-9._-]*==[^ ;]*\).*/\1/p' requirements.lock > .venv-sam/versions.txt
	.venv-sam/bin/uv pip compile --quiet --python-version 3.13 --python-platform aarch64-manylinux_2_28 --generate-hashes \
		$(addprefix --no-emit-package ,$(UNUSED_IN_LAMBDA)) --constraint .venv-sam/versions.txt --no-annotate \
		layers/dependencies/requirements.in --output-file layers/dependencies/requirements.txt
	.venv-sam/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		infra/aws/sam-requirements.in --output-file infra/aws/sam-requirements.lock

# ccxt asks for these for exchanges and a web-socket client that the system does not use.
UNUSED_IN_LAMBDA := aiohappyeyeballs aiohttp aiohttp-fast-zlib aiosignal attrs coincurve frozenlist multidict propcache \
	uvloop yarl zlib-ng

clean: ## Remove all that make has made
	rm -rf .venv .venv-sam .aws-sam out .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/ready: requirements.lock pyproject.toml
	$(call new_environment,.venv)
	.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/ready: infra/aws/sam-requirements.lock
	$(call new_environment,.venv-sam)
	.venv-sam/bin/uv pip sync --quiet --python .venv-sam/bin/python --require-hashes infra/aws/sam-requirements.lock
	@touch $@

# A virtual environment that holds uv, made only when it is not there.
define new_environment
	@test -n "$(PYTHON)" || { echo "SMC Trader needs Python 3.11 or newer; no python3 on PATH is." >&2; exit 1; }
	@test -x $(1)/bin/uv || { echo "Setting up $(1) with $(PYTHON)"; "$(PYTHON)" -m venv --clear $(1) && $(1)/bin/python $(PIP) $(UV); }
endef
