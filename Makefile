# siteward: `make run` starts the demo site, `make test` proves it. Everything is installed into ./.venv.
PYTHON := .venv/bin/python
RIG ?= emulated
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench hil soak load months books mutation dying fuzz docs package clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup:
	@.ci/setup python

run: ## start the demo site: simulated wires, broker, platform, controller, panel
	@.ci/setup python mosquitto-optional
	@$(PYTHON) -m siteward demo

test: ## the whole suite: real broker, real browser, real frames
	@.ci/setup python mosquitto chromium strace npm-peers
	@$(MAKE) --no-print-directory lint
	@$(PYTHON) -m pytest -q

check: setup lint ## format, lint, types, rooms, fast tests (needs no broker and no browser)
	@$(PYTHON) -m pytest -q -m "not station"

.PHONY: lint
lint: setup
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy --config-file pyproject.toml
	@.venv/bin/lint-imports --no-logo

format: setup ## put every file into the house format
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: ## goals 1 to 10, 14 and 15 as ratios against their peers; ONLY=turn,share for some; writes bench.json
	@.ci/setup python peers
	@$(PYTHON) -m tests.bench.run --json bench.json --only "$(ONLY)"

hil: ## a rig for MINUTES minutes, judged from outside (RIG=emulated: the demo on simulated wires)
	@.ci/setup python mosquitto
	@$(PYTHON) -m hil.run --rig $(RIG) --minutes $(MINUTES)

soak: ## seeded virtual hours with faults; SEEDS=n
	@.ci/setup python
	@$(PYTHON) -m tests.campaigns.soak

fuzz: ## bent frames for every parser of the wires; FRAMES=n SEED=s
	@.ci/setup python
	@$(PYTHON) -m tests.campaigns.fuzz

load: ## seeded sites under the load turn alone; FIRST, SEEDS, HOURS, FAULTS an hour
	@.ci/setup python
	@$(PYTHON) -m tests.campaigns.load_campaign

mutation: ## mutants of control against its tests; SAMPLE=n SEED=n MODULES=a,b, or AGAIN=1 for the survivors of the last run
	@.ci/setup python
	@$(PYTHON) -m venv .siteward/mutation && .siteward/mutation/bin/python -m pip install --quiet mutmut==3.8.1
	@PYTHONPATH=edge:drivers:cloud_sync:.:$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
		.siteward/mutation/bin/python -m tests.campaigns.mutation

months: ## real sessions of 52 stations for whole months; MONTHS=2019-05,2019-07 DAYS=n
	@.ci/setup python peers
	@$(PYTHON) -m tests.campaigns.months_campaign

books: ## the same months into one journal, reconciled with the meters to the Wh; MONTHS=2019-05 DAYS=n
	@.ci/setup python
	@$(PYTHON) -m tests.campaigns.books_campaign

dying: ## writers of the journal that die at random instants; KILLS=n CUTS=n SEED=n (cuts need root)
	@.ci/setup python
	@$(PYTHON) -m tests.campaigns.dying_campaign

docs: setup ## regenerate schemas, references and diagrams
	@$(PYTHON) -m siteward schema --write
	@$(PYTHON) -m siteward_sync.protocol.export

package: setup ## wheel and source distribution in dist/
	@$(PYTHON) -m hatchling build

clean: ## remove what the other targets made
	rm -rf .venv .venv-bench .siteward dist bench.json tests/fixtures/peers/npm/node_modules
