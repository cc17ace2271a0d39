# `make help` lists the targets. Each works alone on a fresh machine with cargo, make, git and a C compiler.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

# One folder for everything compiled, shared by all checkouts, one make at a time (scripts/checkout.sh).
# What is for people is in ./target: the program, the demo's report, the compute figures.
CARGO_TARGET_DIR ?= $(HOME)/.cache/breakwater/target
override export CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
# The compiled program that the tests, the demo and the tools load.
export BREAKWATER_SO := $(CURDIR)/target/deploy/breakwater.so
# Each part of the assurance leaves its figures here.
export BREAKWATER_ASSURANCE := $(CURDIR)/target/assurance
# CI refuses a Cargo.lock that does not fit the manifests.
LOCKED := $(if $(CI),--locked)
GENERATED := docs/instructions.md idl/breakwater.json idl/quotes.json clients/js/src/generated docs/reports/cu.md crates/client/src/budget/measured.rs docs/reports/guards.md docs/reports/risk-experiment.md

# Chores: crates/xtask.
xtask := cargo run --quiet $(LOCKED) --package breakwater-xtask --

# The first line of each step: says what it does, and sees to it that Cargo builds this checkout's sources.
step = @printf '\n==> %s\n' "$(1)"; bash scripts/checkout.sh

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: requirements
requirements:
	@bash scripts/requirements.sh

.PHONY: node
node: requirements
	@bash scripts/js.sh

.PHONY: build
build: requirements ## the program: target/deploy/breakwater.so, and the test double of Pyth's
	$(call step,building the program)
	@bash scripts/build.sh $(LOCKED)

# Not `cargo run`: it sets RUSTUP_TOOLCHAIN, over which Anchor's IDL builder stumbles.
.PHONY: idl
idl: node ## the program's IDL: idl/breakwater.json, and what is generated from it: clients/js/src/generated
	$(call step,writing the IDL)
	@cargo build $(LOCKED) --package breakwater-xtask
	@env --unset=RUSTUP_TOOLCHAIN "$$CARGO_TARGET_DIR/debug/xtask" idl programs/breakwater idl/breakwater.json
	@$(xtask) quotes-idl > idl/quotes.json
	@bash scripts/js.sh generate

.PHONY: test
test: node build wasm ## every test, of Rust and of JavaScript, on the compiled program
	$(call step,testing)
	@bash scripts/test.sh $(LOCKED) --workspace

.PHONY: wasm
wasm: requirements ## the engine for JavaScript: clients/js/engine.wasm
	$(call step,compiling the engine to WebAssembly)
	@bash scripts/wasm.sh $(LOCKED)

.PHONY: js
js: node build wasm ## the JavaScript client, tested on the compiled program
	$(call step,building and testing the JavaScript client)
	@bash scripts/js.sh test

.PHONY: index
index: requirements ## the keeper's index of a million accounts: memory, and the time of a tick
	$(call step,measuring the keeper's index)
	@$(xtask) index

.PHONY: cli
cli: requirements ## the command breakwater: target/breakwater
	$(call step,building the command breakwater)
	@cargo build $(LOCKED) --package breakwater-cli
	@mkdir -p target && ln -sf "$$CARGO_TARGET_DIR/debug/breakwater" target/breakwater

.PHONY: localnet
localnet: build cli ## a local validator with the program, a market and people in it, until Ctrl-C
	@target/breakwater localnet

.PHONY: demo
demo: build ## a real crash through the program: target/demo/report.html
	$(call step,running the demo)
	@$(xtask) demo

.PHONY: cu
cu: build ## compute units of every instruction: docs/reports/cu.md, target/cu.json
	$(call step,measuring compute units)
	@$(xtask) cu

.PHONY: instructions
instructions: idl cu ## what each instruction takes, answers and costs: docs/instructions.md
	$(call step,writing docs/instructions.md)
	@$(xtask) instructions

.PHONY: guards
guards: requirements ## what each price guard costs and saves: docs/reports/guards.md
	$(call step,measuring the price guards)
	@$(xtask) guards

# BREAKWATER_CANDLES: a CSV of hourly candles of March 2020, for Black Thursday on the real hours as well.
.PHONY: lab
lab: requirements ## liquidation mechanisms against each other, and goals that must hold: docs/reports/lab.md, README, target/lab
	$(call step,running the cascade laboratory)
	@cargo run $(LOCKED) --package breakwater-cli --bin breakwater -- lab --out target/lab --document docs/reports/lab.md --readme README.md

.PHONY: risk
risk: requirements ## what margin that follows risk does to a crash: docs/reports/risk-experiment.md
	$(call step,measuring margin that follows risk)
	@$(xtask) risk

# Resumes where it was stopped: both remember what was caught until the engine changes.
.PHONY: mutants
mutants: requirements ## mistakes in the engine, one at a time, that its tests must notice
	$(call step,mutating the engine)
	@bash scripts/mutants.sh
	$(call step,planting mistakes for each invariant)
	@$(xtask) planted

# FUZZ_SECONDS: for how long, 600 unless told.
.PHONY: fuzz
fuzz: requirements ## random sequences of actions, led by coverage, against every invariant
	$(call step,fuzzing the engine)
	@bash scripts/fuzz.sh $(LOCKED)

.PHONY: attacks
attacks: build ## what each attack gains, and how long others wait for it: target/attacks.json
	$(call step,playing the attacks)
	@bash scripts/attacks.sh $(LOCKED)

# What keepers call has an entry of the program's own, and Anchor's wherever anything is not as it should be: that must do the same.
.PHONY: fallback
fallback: build ## the tests of what keepers call, on a program with Anchor's entry alone
	$(call step,building the program with Anchor's entry alone)
	@cp target/deploy/breakwater.so target/deploy/own-entry.so
	@ANCHORS_ENTRY=1 bash scripts/build.sh $(LOCKED)
	@mv target/deploy/breakwater.so target/deploy/anchors-entry.so; mv target/deploy/own-entry.so target/deploy/breakwater.so
	@! cmp -s target/deploy/anchors-entry.so target/deploy/breakwater.so
	@BREAKWATER_SO=$(CURDIR)/target/deploy/anchors-entry.so cargo test $(LOCKED) --workspace --test instructions -- \
	  conformance:: liquidate observe_price matrix::

.PHONY: pyth
pyth: build ## what posting prices costs, and how long a price takes to a liquidation on a localnet: target/pyth.json
	$(call step,posting prices)
	@bash scripts/pyth.sh $(LOCKED)

.PHONY: coverage
coverage: requirements ## which lines of the engine its tests run
	$(call step,measuring coverage)
	@bash scripts/coverage.sh $(LOCKED)

.PHONY: way
way: ## what one reads who follows a liquidation from entry to event: target/way.json
	@python3 scripts/way.py

.PHONY: smt
smt: ## sizing, bounty, stress cover and flow proved for all parameters
	$(call step,proving inequalities)
	@bash scripts/smt.sh

# In CI it only compares.
.PHONY: assurance
assurance: ## the figures of all these: docs/reports/assurance.md, target/assurance.json
	$(call step,joining figures)
	@$(xtask) assurance $(if $(CI),--check)

.PHONY: fmt
fmt: ## format the sources
	@cargo fmt --all

.PHONY: lint
lint: node ## formatting, clippy and biome, with no warning allowed
	$(call step,linting)
	@cargo fmt --all --check
	@cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	@cargo clippy $(LOCKED) --package breakwater-engine --features idl -- -D warnings
	@bash scripts/js.sh lint
	@$(xtask) links

# Licenses, duplicates and sources of what is in Cargo.lock: deny.toml. Advisories need a database from the network, and are for the
# workflow.
.PHONY: deny
deny: ## licenses and sources of the crates, where cargo-deny is installed
	$(call step,looking at dependencies)
	@if cargo deny --version >/dev/null 2>&1; then \
	  cargo deny --log-level error $(LOCKED) check --hide-inclusion-graph licenses bans sources; \
	else echo "skipped: cargo-deny is not installed (cargo install cargo-deny --locked)"; fi

.PHONY: generated
generated: instructions guards risk ## generated files are committed as they are generated
	$(call step,comparing generated files)
	@git ls-files --error-unmatch $(GENERATED) >/dev/null
	@git --no-pager diff --exit-code -- $(GENERATED) && [[ -z "$$(git ls-files --others -- $(GENERATED))" ]] || \
	  { echo "The sources give other files than the committed ones. Run 'make instructions guards risk' and commit: $(GENERATED)"; exit 1; }

.PHONY: ci
ci: lint deny generated smt index test ## what CI checks
