# Everything that is done with this project, one target each. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test long check build install docs screenshots bench bench-roll bench-plugin fuzz sandbox sandbox-down
SANDBOX := acceptance-tests/sandbox/sandbox.sh

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

demo: ## everything from nothing: a cluster, OpenTofu, the quickstart applied, 100 messages written and read
	@acceptance-tests/demo.sh

test: ## everything from nothing: a cluster, the checks, the whole test suite
	@acceptance-tests/test.sh

long: ## the tests of many minutes that `make test` leaves out: more scenarios, and those under Terraform too
	@acceptance-tests/test.sh long

check: ## format, lints, licences, reference pages (no cluster)
	@acceptance-tests/sandbox/setup.sh deny && acceptance-tests/check.sh

build: ## the provider, release build
	cargo build --release

install: build ## the release build to where OpenTofu and Terraform find it
	@acceptance-tests/support/mirror.sh target/release/terraform-provider-kafkastack "$(HOME)/.terraform.d/plugins"

docs: ## writes the reference pages, docs/index.md and the folders beside it, from the schemas
	cargo run --quiet -- docs docs

screenshots: ## draws the pictures of the drill's report in the documentation, from docs/images/drill.json
	@acceptance-tests/sandbox/setup.sh packages && acceptance-tests/screenshots.sh

bench: ## `tofu apply` beside `kubectl apply` of the same objects
	@$(SANDBOX) setup && $(SANDBOX) up && cargo build --release
	@eval "$$($(SANDBOX) env)" && acceptance-tests/bench/apply.py

bench-roll: ## one apply that restarts three brokers beside the sum of their single restarts
	@$(SANDBOX) setup && $(SANDBOX) up && cargo build --release
	@eval "$$($(SANDBOX) env)" && acceptance-tests/bench/roll.py

bench-plugin: ## start, memory and plan of 1,000 instances, beside a provider in Go and OpenTofu's own terraform_data
	@acceptance-tests/sandbox/setup.sh tools && cargo build --release --bins --example noop
	@PATH="$${SANDBOX_HOME:-$$HOME/.cache/kafkastack-sandbox}/bin:$$PATH" acceptance-tests/bench/plugin.py

fuzz: ## ten minutes for each fuzz target; what is worth it is kept in acceptance-tests/fuzz/corpus
	@acceptance-tests/sandbox/setup.sh fuzz && acceptance-tests/fuzz/run.sh

sandbox: ## a three-node Kubernetes cluster on this machine
	@$(SANDBOX) setup && $(SANDBOX) up

sandbox-down: ## removes it, and checks that nothing is left
	@$(SANDBOX) down
