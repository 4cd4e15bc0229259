SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# T is how long each fuzz target runs; COUNT how often each benchmark does.
T ?= 60s
COUNT ?= 1

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Under the race detector goes what shares memory between goroutines and is
# quick: it makes a test several times slower, and the core has no goroutines.
RACE := $(wildcard ./server/upstream ./server/reconcile)

LINT := go tool -modfile=.tools/golangci-lint/go.mod golangci-lint
BENCHSTAT := go tool -modfile=.tools/benchstat/go.mod benchstat
OAPI := go tool -modfile=../../.tools/oapi-codegen/go.mod oapi-codegen

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Install what is missing: PostgreSQL (npm or apt) and the Go modules
	@command -v go >/dev/null || { echo "Go is missing: https://go.dev/doc/install" >&2; exit 1; }
	@deploy/postgres/install.sh
	@go mod download

# The pages are built again when something that goes into them changed, and not else.
UI_SOURCES := $(shell find ui/src ui/public ui/scripts -type f) ui/index.html ui/embed.html ui/vite.config.ts ui/tsconfig.json

.PHONY: ui
ui: ui/dist/index.html ## Build the pages, ui/dist; nothing is done when they are as their sources

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run --silent build

.PHONY: ui-test
ui-test: ui ## Check and test the pages' sources: types, lint, logic
	cd ui && npm run --silent check && npm test --silent

.PHONY: e2e
e2e: deps build ## Test the pages in Chromium against the program and the simulators; installs Chromium by apt
	@.tools/chromium.sh
	go build -trimpath -o bin/stage ./server/sim/stage
	cd ui && npm run --silent e2e

.PHONY: build
build: ui ## Build the program with its pages, bin/trueup
	@mkdir -p bin
	go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/trueup ./server

.PHONY: demo
demo: deps build ## Run everything on simulators, see the plan and the money; ONCE=1 ends by itself
	go build -trimpath -o bin/demo ./server/sim/demo
	bin/demo

.PHONY: run
run: deps build ## Run the program, serve when nothing else is said: ARGS='plan --customer C'
	bin/trueup $(or $(ARGS),serve)

.PHONY: test
test: deps ui-test ## Run all tests on a real PostgreSQL that they start themselves
	@if [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null; then \
		echo go test -race -timeout 60m $(RACE); go test -race -timeout 60m $(RACE); \
	else echo "no race detector: there is no C compiler"; fi
	@if .tools/chromium.sh; then $(MAKE) --no-print-directory e2e; else echo "the browser's tests are left out: there is no Chromium"; fi
	go test -timeout 60m ./...

.PHONY: check
check: ## Run vet, the linters and the rules of the house
	go vet ./...
	$(LINT) run
	go test -run 'TestImportRule|TestPackages|TestSizes|TestProduct|TestNoTestSleeps' -count=1 ./server

.PHONY: generate
generate: ## Generate the API's types and routes from server/api/openapi.yaml
	cd server/api && $(OAPI) -config oapi-codegen.yaml openapi.yaml

.PHONY: fuzz
fuzz: ## Run every fuzz target for T (60s) and print its executions
	@.tools/fuzz.sh $(T)

.PHONY: bench
bench: deps build ## Measure the core and nights of 1,000 and 10,000 customers; BENCH=small is quick. Kept in bin/bench.txt
	go test -run '^$$' -bench . -benchmem $(if $(filter small,$(BENCH)),-benchtime=1x) -count=$(COUNT) -timeout 30m ./server/billing ./server/microsoft ./server/store ./server/workspace ./server/account ./server | tee bin/bench.core.txt
	go build -trimpath -o bin/bench ./server/sim/bench
	BENCH=$(BENCH) bin/bench -core bin/bench.core.txt -out bin/bench.txt

.PHONY: benchstat
benchstat: ## Compare two outputs of make bench: OLD=a.txt NEW=b.txt
	$(BENCHSTAT) $(OLD) $(NEW)

# The laws kill what the other tests let live, first on few histories.
MUTATED := plan*.go,work*.go,ledger*.go,account*.go,record*.go,due*.go,lines*.go,decide*.go,mend*.go,move*.go,drift*.go,policy*.go,money*.go,seats*.go,terms*.go,serial*.go,day*.go

.PHONY: mutate
mutate: ## Change plan and ledger in every small way; a test must notice each. MUTATE=-only=plan.go:12
	@mkdir -p bin
	go build -C .tools/mutate -o ../../bin/mutate .
	bin/mutate -package ./server/billing -files '$(MUTATED)' -allow server/decisions/mutants.txt -parallel 2 \
		-stage '-test.skip=^TestLaw' \
		-stage '-test.run=^TestLaw -histories=20' \
		-stage '-test.run=^TestLaw -histories=500' $(MUTATE)

.PHONY: cover
cover: deps ## Measure statement coverage of every package, and branch coverage of the core (95 % at least)
	@mkdir -p bin
	go build -C .tools/branches -o ../../bin/branches .
	bin/branches -package ./server/billing -min 95 -- -args -histories=1000
	go test -coverprofile=bin/cover.out ./...
	go tool cover -func=bin/cover.out | tail -1

.PHONY: clean
clean: ## Remove what was built and fetched here
	rm -rf bin deploy/postgres/node_modules ui/node_modules ui/dist/assets ui/dist/index.html
