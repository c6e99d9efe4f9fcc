# The commands of this project. Each works on a fresh Debian or Ubuntu with Rust, git and make: what is missing
# is installed first. The work is in scripts/.

.PHONY: help run test build lint bench soak fuzz audit screenshots
.DEFAULT_GOAL := help

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 14

run: ## Start the portal with a simulated Microsoft tenant, ready to sign in
	@scripts/run

test: ## Everything that must hold before a change is taken
	@scripts/test

build: ## The release, into target/dist
	@scripts/setup run
	@scripts/build

lint: ## Format and clippy, both sides
	@scripts/setup test
	@scripts/lint

bench: ## How fast filters, searches among users, and the sync are
	@scripts/setup test
	@scripts/bench

soak: ## The property tests, the model test and the kills, with many more cases
	@scripts/soak

fuzz: ## Texts at the filters that no test thought of, for a minute each
	@scripts/fuzz

audit: ## Licences, sources and known vulnerabilities of the dependencies
	@scripts/audit

screenshots: ## The pictures of the README, from the release
	@scripts/screenshots
