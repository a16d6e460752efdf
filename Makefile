VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
PKG     := github.com/swarmnet/docker-swarmnet
LDFLAGS := -s -w -X $(PKG)/metadata.Version=$(VERSION) -X $(PKG)/metadata.Commit=$(COMMIT)
# Of what docker/cli brings along, most never runs: without inlining it is 5 %
# smaller, and without grpc's trace pages, html/template stays out. What reads the
# lists of an engine keeps it.
SMALLER := -tags grpcnotrace -gcflags=github.com/...=-l -gcflags=google.golang.org/...=-l \
	-gcflags=go.opentelemetry.io/...=-l -gcflags=golang.org/x/...=-l -gcflags=go.etcd.io/...=-l \
	-gcflags=text/template/...=-l -gcflags=encoding/xml=-l -gcflags=debug/...=-l \
	-gcflags=github.com/go-json-experiment/...= -gcflags=$(PKG)/...=
GOBUILD := CGO_ENABLED=0 go build -trimpath $(SMALLER) -ldflags "$(LDFLAGS)"

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# The stripped linux/amd64 binary may not grow past this, in bytes.
MAX_SIZE  := 29360128

.PHONY: help build cross images engine demo e2e e2e-long e2e-mesh e2e-pages migrate-campaign chaos bench score clean test unit
help: ## show this list
	@grep -hE '^[a-z0-9/-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

build: ## build bin/docker-swarmnet for this machine
	$(GOBUILD) -o bin/docker-swarmnet .

cross: ## build bin/docker-swarmnet-OS-ARCH for every platform, check the size
	@set -e; for p in $(PLATFORMS); do \
		out=bin/docker-swarmnet-$$(echo $$p | tr / -); \
		case $$p in windows/*) out=$$out.exe;; esac; \
		echo "$$out"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GOBUILD) -o $$out .; \
	done
	@case "$(PLATFORMS)" in *linux/amd64*) ;; *) exit 0;; esac; \
	size=$$(wc -c <bin/docker-swarmnet-linux-amd64); \
	test $$size -le $(MAX_SIZE) || { echo "linux/amd64 has $$size bytes, more than $(MAX_SIZE)" >&2; exit 1; }

# Without -trimpath, as Docker's own packages are built: they tell their version in
# the build information, which "docker swarmnet version" reads.
bin/docker: e2e/dockercli/go.mod ## the Docker CLI that the scenarios use
	cd e2e/dockercli && CGO_ENABLED=0 go build -buildvcs=false \
		-ldflags "-s -w -X github.com/docker/cli/cli/version.Version=28.5.2" \
		-o ../../bin/docker github.com/docker/cli/cmd/docker

images: ## make the images of demo and scenarios, print their tars
	@hack/image-postgres
	@hack/image-webapp

ENGINE ?= distro
engine: ## make the engine root of ENGINE=SUITE (trixie, sid), print its directory
	@hack/engine-root $(ENGINE)

demo: build ## the main job on a three-node swarm of this machine (root; DEMO_KEEP=1)
	@DEMO_KEEP=$(DEMO_KEEP) hack/demo

# RUN narrows the scenarios down, as go test -run does.
RUN ?= .
# Scenarios of many minutes, for a machine that has nothing else to do.
LONG := ^Test(Attach.*|Ingress(Killed|Recreate|Undoes)|RmForceDetach|Faults|Healthy|Migrate(Killed|UnderLoad|MeetsOthers|Undoes|TwinFills)|Stack(Faults|Killed|WorkerLost|LeaderLost|Addresses|Alike.*|InSeveralSwarms))$$
# What has a target of its own is left out; of it, what RUN names is not.
SKIP = ^TestMesh$(if $(filter .,$(RUN)),|^TestPages|$(LONG))
e2e: ## scenarios on a swarm of ENGINE=distro|trixie|sid|DIR (root; RUN=REGEXP)
	@hack/e2e-needs
	E2E_ENGINE=$(ENGINE) go test -tags e2e -count 1 -timeout 40m -v -run '$(RUN)' -skip '$(SKIP)' ./e2e

e2e-long: ## faults against check, healthy swarms, changes of services interrupted, killed, under load (root, half an hour)
	@hack/e2e-needs
	E2E_ENGINE=$(ENGINE) go test -tags e2e -count 1 -timeout 80m -v -run '$(LONG)' ./e2e

e2e-pages: ## do what README and runbooks show (root; E2E_PAGES=jobs leaves findings out)
	@hack/e2e-needs
	E2E_ENGINE=$(ENGINE) go test -tags e2e -count 1 -timeout 60m -parallel 1 -v -run '^TestPages' ./e2e

e2e-mesh: ## scenarios inside a kernel with IPVS and IPsec: ingress mesh, encryption (root, 4 to 20 minutes)
	@hack/e2e-needs user-mode-linux
	E2E_ENGINE=$(ENGINE) go test -tags e2e -count 1 -timeout 40m -v -run '^TestMesh' ./e2e

# In "make e2e-long" the same scenarios run with two kills and a few requests.
migrate-campaign: ## kill migrations at 20 random moments, and send 20,000 requests through one (root, about 30 minutes)
	@hack/e2e-needs
	E2E_ENGINE=$(ENGINE) MIGRATE_KILLS=20 MIGRATE_REQUESTS=20000 go test -tags e2e -count 1 -timeout 120m -v -run '^TestMigrate(Killed|UnderLoad)$$' ./e2e

# In "make e2e-long" the same scenarios run with two faults and one kill.
FAULTS ?= 100
KILLS  ?= 20
chaos: ## deploy stacks with faults put in, and kill deploys with -9 (root, hours; FAULTS=100 KILLS=20)
	@hack/e2e-needs
	E2E_ENGINE=$(ENGINE) STACK_FAULTS=$(FAULTS) STACK_KILLS=$(KILLS) go test -tags e2e -count 1 -timeout 240m -v -run '^TestStack(Faults|Killed)$$' ./e2e

bench: build bin/docker ## compare with docker's own commands, side by side, and at size (root)
	@hack/e2e-needs
	@go run ./e2e/bench bin/docker bin/docker-swarmnet

clean: ## remove what was built (not the cache of engines and images)
	rm -rf bin

# A whole run takes about half an hour for each engine.
SCORE_ENGINES ?= distro trixie
score: ## every fault put into a live swarm: how often check is right; writes docs/score.md (root)
	@hack/e2e-needs
	rm -rf bin/score
	@set -e; for e in $(SCORE_ENGINES); do \
		E2E_ENGINE=$$e SCORE_COMMIT=$$(git describe --always --dirty) SCORE_PAGE=docs/score.md go test -tags e2e -count 1 -timeout 120m -v ./e2e/score; \
	done

# Tools are built once and kept apart by version.
TOOLS    ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/docker-swarmnet/tools
LINT     := $(TOOLS)/golangci-lint-v2.15.0/golangci-lint
VULN     := $(TOOLS)/govulncheck-v1.9.0/govulncheck
SCRIPTS   = install.sh $(shell grep -lE '^\#!/(bin/sh|bin/bash|usr/bin/env bash)' hack/* hack/postgres/* .ci/* 2>/dev/null)

$(LINT):
	GOBIN=$(@D) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

$(VULN):
	GOBIN=$(@D) GOFLAGS= go install golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: lint fmt vuln docs docs-check
lint: $(LINT) ## hold the rules of .golangci.yml, shellcheck the scripts
	$(LINT) run ./...
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); \
	else echo "lint: scripts NOT CHECKED: there is no shellcheck" >&2; fi

fmt: $(LINT) ## format the code
	$(LINT) fmt ./...

vuln: $(VULN) ## look for known vulnerabilities, where the database can be had
	@hack/vulncheck $(VULN)

docs: ## write docs/reference from the commands
	go run ./docs/generate docs/reference

docs-check: ## fail when docs/reference is not current
	go run ./docs/generate -check docs/reference

# SUITES narrows down: code docs scripts distro trixie pages mesh.
test: ## all tests, on real swarms too (root; SUITES="code docs")
	@hack/test $(SUITES)

unit: ## vet and unit tests
	go vet ./...
	go test -race ./...
