# The front door: everything a person or a build server does here goes through a target below.
# `make` alone lists them. Nothing is built inside the clone, so that reruns and fresh clones stay warm.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

HOME ?= /tmp
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TARGET_DIR ?= $(HOME)/.cache/kwartier/target

# On a build server the lock file must already be right; at a desk cargo may mend it.
LOCKED := $(if $(CI),--locked)
OUT := out
SAMPLES := data/samples
SITE := $(SAMPLES)/depot-site.toml
KWARTIER := cargo run --quiet --release -p kwartier $(LOCKED) --

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name what; do printf '  make %-14s %s\n' "$$name" "$$what"; done

.PHONY: setup
setup: ## install the build tools that are missing (silent when nothing is)
	@scripts/setup $(SETUP)

# What more than building is done needs more.
test check closed-loop bench-store vintage: SETUP := test
run: SETUP := $(if $(SPEED),speed)
dist: SETUP := dist

DATA ?= $(HOME)/.local/share/kwartier/demo$(if $(SPEED),-fast)
LISTEN ?= 127.0.0.1:8080

.PHONY: run
run: setup ## build and serve the demo depot: simulated chargers on real prices; prints where to look (DATA=, LISTEN=; SPEED=24: a day in an hour)
	@echo "Building kwartier (the first time takes minutes: the solver is compiled from source) ..."
	@cargo build --release -p kwartier $(LOCKED)
	@exec $(if $(SPEED),faketime -m -f '+0 x$(SPEED)') $(CARGO_TARGET_DIR)/release/kwartier serve --demo --listen $(LISTEN) --data $(DATA)

.PHONY: demo-plan
demo-plan: setup ## build, plan the sample depot for a day from its tables, show what it costs and why; pages in out/
	@echo "Building kwartier (the first time takes minutes: the solver is compiled from source) ..."
	@cargo build --release -p kwartier $(LOCKED)
	@mkdir -p $(OUT)
	@echo "Checking the sample site, $(SITE) ..."
	@$(KWARTIER) site check $(SITE)
	@echo "Making a planning instance of 13 June 2023, from noon to noon ..."
	@$(KWARTIER) site instance $(SITE) --roster $(SAMPLES)/roster.csv --prices $(SAMPLES)/prices.csv \
	  --building $(SAMPLES)/building.csv --pv $(SAMPLES)/pv.csv --date 2023-06-13 --start 12:00 \
	  --peak-so-far-kw 60 --used-this-year-kwh 40000 --battery-soc Battery=40 --out $(OUT)/instance.json
	@echo "Planning it ..."
	@$(KWARTIER) plan $(OUT)/instance.json --out $(OUT)/plan.json --chart $(OUT)/plan.svg --html $(OUT)/plan.html --explain
	@echo "Checking every limit and the cost of $(OUT)/plan.json from scratch ..."
	@$(KWARTIER) check $(OUT)/instance.json $(OUT)/plan.json

DEMO := $(SAMPLES)/forecast
DEMO_DAY := --date 2023-06-13 --start 12:00 --peak-so-far-kw 30 --used-this-year-kwh 40000 --battery-soc Battery=40
DEMO_SEEN := --at 2023-06-13T12:00+02:00 --horizon 24h --tz Europe/Amsterdam

.PHONY: demo-forecast
demo-forecast: setup ## plan the sample depot from history alone, next to what then really happened; pages in out/
	@echo "Building kwartier (the first time takes minutes: the solver is compiled from source) ..."
	@cargo build --release -p kwartier $(LOCKED)
	@mkdir -p $(OUT)
	@echo; echo "1. What will be, from six weeks of history up to noon of 13 June 2023, and what then was"
	@for what in building:load: pv:pv:'--unit kW/kWp --lat 52.09 --lon 5.12' price:price:; do \
	  IFS=: read -r name kind more <<< "$$what"; \
	  $(KWARTIER) forecast $$kind --history $(DEMO)/$$name-history.csv --happened $(DEMO)/$$name-happened.csv \
	    $(DEMO_SEEN) $$more --chart $(OUT)/forecast-$$name.svg --out $(OUT)/forecast-$$name.csv 2>&1 \
	    | sed -n "s/^note: against what happened: /   $$name: /p; /^error/p"; \
	  test -s $(OUT)/forecast-$$name.csv; \
	done
	@echo; echo "2. Planned from those forecasts, from noon to noon"
	@$(KWARTIER) site instance $(SITE) --roster $(SAMPLES)/roster.csv $(DEMO_DAY) --forecast --at 2023-06-13T12:00+02:00 \
	  --building-history $(DEMO)/building-history.csv --pv-history $(DEMO)/pv-history.csv \
	  --price-history $(DEMO)/price-history.csv --out $(OUT)/forecast-instance.json 2>&1 >/dev/null \
	  | sed -n 's/^note: \(.* are forecast at .*\)/   \1/p; /^error/,$$p'
	@$(KWARTIER) plan $(OUT)/forecast-instance.json --quiet --out $(OUT)/forecast-plan.json --html $(OUT)/forecast-plan.html
	@echo; echo "3. Planned knowing what happened: the best there could have been"
	@$(KWARTIER) site instance $(SITE) --roster $(SAMPLES)/roster.csv $(DEMO_DAY) --building $(DEMO)/building-happened.csv \
	  --pv $(DEMO)/pv-happened.csv --prices $(DEMO)/price-happened.csv --out $(OUT)/happened-instance.json >/dev/null 2>&1
	@$(KWARTIER) plan $(OUT)/happened-instance.json --quiet --out $(OUT)/happened-plan.json --html $(OUT)/happened-plan.html
	@echo; echo "4. The day as it was, by the plan from forecasts, with nobody reacting to what was different:"
	@$(KWARTIER) check $(OUT)/happened-instance.json $(OUT)/forecast-plan.json --made-for $(OUT)/forecast-instance.json || test $$? -eq 1
	@echo "   and by the plan that knew:"
	@$(KWARTIER) check $(OUT)/happened-instance.json $(OUT)/happened-plan.json --made-for $(OUT)/happened-instance.json
	@echo; echo "To look at: $(OUT)/forecast-{building,pv,price}.svg, $(OUT)/forecast-plan.html, $(OUT)/happened-plan.html"

.PHONY: test
test: setup ## run every test
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace $(LOCKED); \
	 else cargo test --workspace --lib --bins --tests $(LOCKED); fi
	@cargo test --workspace --doc $(LOCKED)

.PHONY: check
check: setup ## all that must pass before a commit: format, lints, documentation, tests
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets $(LOCKED) -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps $(LOCKED)
	@$(MAKE) test

.PHONY: fix
fix: setup ## mend what a machine can: lints, then format
	@cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	@cargo fmt --all

.PHONY: golden
golden: setup ## write docs/openapi.json, docs/isolation.md and the tables of docs/feeds.md anew from what is
	@INSTA_UPDATE=always cargo nextest run --workspace $(LOCKED) -E 'test(http::tests::golden) or test(the_table_in_the_repository) or test(fetch::tests::)'

.PHONY: tour
tour: setup ## from an empty folder to streamed setpoints for the example depot, with curl alone
	@cargo build --release -p kwartier $(LOCKED)
	@scripts/tour $(CARGO_TARGET_DIR)/release/kwartier

.PHONY: conformance
conformance: setup ## try the service against its OpenAPI document with schemathesis (needs Python 3.11; longer: EXAMPLES=…)
	@cargo build --release -p kwartier $(LOCKED)
	@scripts/conformance $(CARGO_TARGET_DIR)/release/kwartier $(EXAMPLES)

.PHONY: stranger
stranger: setup ## try the service with stations, fuses and a meter that are not ours (needs Python 3.11; longer: STRANGER="--seconds 600")
	@cargo build --release -p kwartier $(LOCKED)
	@scripts/stranger $(CARGO_TARGET_DIR)/release/kwartier $(STRANGER)

.PHONY: bench-http
bench-http: setup ## measure requests a second and how long they take, with 1,000 sites (others: SITES=…)
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@$(CARGO_TARGET_DIR)/release/bench_http $(CARGO_TARGET_DIR)/release/kwartier $(or $(SITES),1000)

.PHONY: soak
SECONDS ?= 60
soak: setup ## play random depots with random faults for so long (make soak SECONDS=600), and tell what broke
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@$(CARGO_TARGET_DIR)/release/soak $(SECONDS)

.PHONY: scenarios
SEEDS ?= 3
scenarios: setup ## play the shipped scenarios under three policies and print the table of docs/simulation.md (SEEDS=3)
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@$(CARGO_TARGET_DIR)/release/scenarios $(CARGO_TARGET_DIR)/release/kwartier tests/scenarios $(SEEDS)

.PHONY: bench
bench: setup ## measure, side by side with the reference solver (quickly: make bench BENCH=--quick)
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@cargo run --quiet --release -p kwartier-tests --bin bench $(LOCKED) -- $(BENCH)

.PHONY: bench-tick
bench-tick: setup ## measure a tick of the fast loop: 10,000 chargers under 500 boards
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@$(CARGO_TARGET_DIR)/release/bench_tick

.PHONY: bench-ocpp
STATIONS ?= 5000
bench-ocpp: setup ## measure from a meter's overload to a lowered limit on the wire, with 5,000 stations (others: STATIONS=…)
	@cargo build --release -p kwartier $(LOCKED)
	@scripts/bench-ocpp $(CARGO_TARGET_DIR)/release/kwartier $(STATIONS)

.PHONY: closed-loop
CLOSED_LOOP ?= 24min
closed-loop: setup ## steer 200 stations over websockets for a day in 24 minutes, links cut, the service killed (others: CLOSED_LOOP=…)
	@CLOSED_LOOP=$(CLOSED_LOOP) cargo nextest run --workspace $(LOCKED) --no-capture -E 'test(two_hundred_stations)'

.PHONY: bench-service
BENCH_SITES ?= 1000
BENCH_SECONDS ?= 120
bench-service: setup ## measure the service's loop: 1,000 sites of 10 chargers each second (others: BENCH_SITES=…)
	@BENCH_SITES=$(BENCH_SITES) BENCH_SECONDS=$(BENCH_SECONDS) cargo test --quiet --release -p kwartier -p kwartier-tests --bin kwartier $(LOCKED) \
	  -- --ignored --nocapture bench_service

.PHONY: bench-publication
bench-publication: setup ## measure how long 1,000 sites of 10 chargers take from the day's prices to a plan on them (others: BENCH_SITES=…)
	@BENCH_SITES=$(BENCH_SITES) cargo test --quiet --release -p kwartier -p kwartier-tests --bin kwartier $(LOCKED) \
	  -- --ignored --nocapture bench_publication

.PHONY: kill-store
KILLS ?= 200
kill-store: setup ## kill the store with -9 while it writes, so often (KILLS=200), and see that nothing acknowledged is lost
	@KWARTIER_TEST_KILLS=$(KILLS) cargo test --workspace $(LOCKED) --bin kwartier -- --nocapture --exact \
	  store::tests::killed::nothing_acknowledged_is_lost_when_it_is_killed

.PHONY: bench-store
bench-store: setup ## measure how fast the store is on SQLite and PostgreSQL, and how much room things take
	@cargo test --release -p kwartier -p kwartier-tests $(LOCKED) --bin kwartier -- --nocapture --ignored --test-threads 1 store::tests::bench

.PHONY: vintage
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
vintage: setup ## keep a database of this version, for the test that every release's database opens
	@test ! -e tests/vintage/$(VERSION) || { echo "tests/vintage/$(VERSION) is there: what was released is never changed" >&2; exit 2; }
	@KWARTIER_TEST_VINTAGE=$(CURDIR)/tests/vintage/$(VERSION)/kwartier.db.zst cargo test --workspace $(LOCKED) --bin kwartier -- \
	  --ignored --exact store::tests::upgrade::makes_a_database_of_this_version

.PHONY: bench-forecast
REFERENCE_ENV := $(HOME)/.cache/kwartier/reference
bench-forecast: setup ## score forecasts against references that are not ours (needs Python 3.11, the public series)
	@test -d "$(or $(KWARTIER_SHARED),/work/shared)/data" || { echo "no public series: set KWARTIER_SHARED to the folder that holds data/" >&2; exit 2; }
	@cargo build --release -p kwartier -p kwartier-tests $(LOCKED)
	@test -x $(REFERENCE_ENV)/bin/python || python3 -m venv $(REFERENCE_ENV)
	@$(REFERENCE_ENV)/bin/pip install --quiet --requirement tests/reference/requirements.txt
	@$(REFERENCE_ENV)/bin/python tests/reference/forecasts.py reference --out $(OUT)/reference $(SERIES)
	@$(REFERENCE_ENV)/bin/python tests/reference/product.py --kwartier $(CARGO_TARGET_DIR)/release/kwartier --reference $(OUT)/reference $(SERIES)
	@$(REFERENCE_ENV)/bin/python tests/reference/sessions.py reference --out $(OUT)/reference --csv

.PHONY: bench-refresh
bench-refresh: setup ## measure how long fits, forecasts and the daily refresh of 1,000 sites take (others: SITES=…)
	@cargo build --release -p kwartier -p kwartier-forecast $(LOCKED)
	@$(CARGO_TARGET_DIR)/release/bench-refresh $(or $(SITES),1000)

.PHONY: dist
dist: setup ## build the binary to hand out and pack it in dist/: a tar.gz and a Debian package (of a binary that is there: BINARY=…)
	@scripts/dist $(BINARY)

.PHONY: clean
clean: ## remove everything built
	@cargo clean
	@rm -rf $(OUT) dist
