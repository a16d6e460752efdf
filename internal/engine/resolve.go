package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/swarm"
	"github.com/opencontainers/go-digest"
)

// ResolveImage pins the request's image to the digest that the registry has
// for it now, with the platforms it is made for, as Docker's client does when
// it creates a service (moby client/service_create.go). It returns Docker's
// warning, empty when the registry answered or was not to be asked.
//
// It is done before the creation, not in it, because only the resolved image
// can be compared with that of a service that exists.
func (e *Engine) ResolveImage(ctx context.Context, r *ServiceRequest) (warning string, err error) {
	c := r.spec.TaskTemplate.ContainerSpec
	if c == nil {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(c.Image)
	if err != nil {
		// An image ID; the engine knows what to say of anything else.
		return "", nil //nolint:nilerr // as docker's client does
	}
	c.Image = reference.FamiliarString(reference.TagNameOnly(named))
	if !r.queryRegistry {
		return "", nil
	}
	found, err := e.api.DistributionInspect(ctx, c.Image, r.auth)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		r.unpinned = true
		return fmt.Sprintf("image %s could not be accessed on a registry to record\nits digest. Each node will access %[1]s independently,\npossibly leading to different nodes running different\nversions of the image.", c.Image), nil
	}
	c.Image = withDigest(c.Image, found.Descriptor.Digest)
	if len(found.Platforms) > 0 {
		p := placementOf(&r.spec)
		p.Platforms = nil
		for _, f := range found.Platforms {
			arch := f.Architecture
			if strings.EqualFold(arch, "arm") {
				// Nodes report "armv7l", manifests "arm" (swarmkit#2294).
				arch = ""
			}
			p.Platforms = append(p.Platforms, swarm.Platform{OS: f.OS, Architecture: arch})
		}
	}
	return "", nil
}

func placementOf(spec *swarm.ServiceSpec) *swarm.Placement {
	if spec.TaskTemplate.Placement == nil {
		spec.TaskTemplate.Placement = &swarm.Placement{}
	}
	return spec.TaskTemplate.Placement
}

// withDigest adds a digest to an image reference that has none.
func withDigest(image string, d digest.Digest) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	if _, pinned := named.(reference.Canonical); pinned {
		return image
	}
	with, err := reference.WithDigest(named, d)
	if err != nil {
		return image
	}
	return reference.FamiliarString(with)
}

// withoutDigest returns "name:tag" of an image reference; one that names
// nothing but a digest stays as it is, since the digest is all it says.
func withoutDigest(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	tagged, ok := named.(reference.Tagged)
	if !ok {
		return reference.FamiliarString(named)
	}
	plain, err := reference.WithTag(reference.TrimNamed(named), tagged.Tag())
	if err != nil {
		return image
	}
	return reference.FamiliarString(plain)
}
