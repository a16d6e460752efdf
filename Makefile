VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
PKG     := github.com/swarmnet/docker-swarmnet
LDFLAGS := -s -w -X $(PKG)/metadata.Version=$(VERSION) -X $(PKG)/metadata.Commit=$(COMMIT)
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)"

.PHONY: help build test unit
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

build: ## build bin/docker-swarmnet for this machine
	$(GOBUILD) -o bin/docker-swarmnet .

test: unit ## all tests

unit: ## vet and unit tests
	go vet ./...
	go test -race ./...
