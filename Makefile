VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
PKG     := github.com/swarmnet/docker-swarmnet
LDFLAGS := -s -w -X $(PKG)/metadata.Version=$(VERSION) -X $(PKG)/metadata.Commit=$(COMMIT)
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)"

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# The stripped linux/amd64 binary may not grow past this, in bytes.
MAX_SIZE  := 29360128

.PHONY: help build cross images engine clean test unit
help: ## show this list
	@grep -hE '^[a-z/-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

build: ## build bin/docker-swarmnet for this machine
	$(GOBUILD) -o bin/docker-swarmnet .

cross: ## build bin/docker-swarmnet-OS-ARCH for every platform, check the size
	@set -e; for p in $(PLATFORMS); do \
		out=bin/docker-swarmnet-$$(echo $$p | tr / -); \
		case $$p in windows/*) out=$$out.exe;; esac; \
		echo "$$out"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GOBUILD) -o $$out .; \
	done
	@size=$$(wc -c <bin/docker-swarmnet-linux-amd64); \
	test $$size -le $(MAX_SIZE) || { echo "linux/amd64 has $$size bytes, more than $(MAX_SIZE)" >&2; exit 1; }

bin/docker: e2e/dockercli/go.mod ## the Docker CLI that the scenarios use
	cd e2e/dockercli && CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X github.com/docker/cli/cli/version.Version=28.5.2" \
		-o ../../bin/docker github.com/docker/cli/cmd/docker

images: ## make the images of demo and scenarios, print their tars
	@hack/image-postgres
	@hack/image-webapp

ENGINE ?= distro
engine: ## make the engine root of ENGINE=SUITE (trixie, sid), print its directory
	@hack/engine-root $(ENGINE)

clean: ## remove what was built (not the cache of engines and images)
	rm -rf bin

test: unit ## all tests

unit: ## vet and unit tests
	go vet ./...
	go test -race ./...
