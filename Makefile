# Everything a contributor runs; CI runs the same targets (.ci/run). Times are for two cores and an empty target folder.

.DEFAULT_GOAL := help
.PHONY: help build demo test-fast test test-otel oracle oracle-vectors generate generate-chart lint format bench dist ci

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the program for trying it out
	cargo build --release

demo: ## Start the webhook on loopback and show its answers
	cargo run --release -- demo

test-fast: ## Run the tests that need no control plane (about 6 minutes)
	cargo test -p mirrorguard-core
	cargo test -p mirrorguard --lib --test vectors --test cli --test http --test serve

test: ## Run every test, on a real API server too (about 25 minutes the first time)
	cargo test

test-otel: ## Run the tests of the feature otel
	cargo test -p mirrorguard --features otel --test serve traces

# Random clusters, their seed (a new one each time if empty), and the programs of tests/oracle to compare with.
N ?= 10000
SEED ?=
WITH ?= node,hypershift,machine-config-operator
ORACLE = cargo run -p mirrorguard-core --example oracle -- --with $(WITH)

oracle: ## Compare the model with upstream code on N random clusters: make oracle N=500 SEED=1 WITH=node
	$(ORACLE) --clusters $(N) $(if $(SEED),--seed $(SEED))

oracle-vectors: ## Record what upstream code answers on 100 clusters, for the tests
	$(ORACLE) --clusters 100 --seed 8 --record tests/vectors/oracle

generate: ## Rewrite everything that is generated from the code
	MIRRORGUARD_UPDATE=1 cargo test --no-fail-fast -p mirrorguard-core
	MIRRORGUARD_UPDATE=1 cargo test --no-fail-fast -p mirrorguard --lib --test cli --test http --test serve

generate-chart: ## Rewrite the snapshot of the chart's errors (builds Helm on the first run)
	MIRRORGUARD_UPDATE=1 cargo test --test chart

lint: ## Check the format, and the code by clippy
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --workspace --all-targets --features otel -- -D warnings

format: ## Format the code
	cargo fmt

bench: ## Run the benchmarks; compare pairs of one run, not times
	cargo bench

dist: ## Build the program as the image and the archives have it
	cargo build --profile dist --features otel

ci: ## Run what CI runs
	.ci/run
