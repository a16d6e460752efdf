package stackfile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/docker/cli/cli/compose/convert"
	composetypes "github.com/docker/cli/cli/compose/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
)

// convertStack makes engine objects of a parsed file, in docker's own way
// (cli/command/stack/swarm deployCompose).
func convertStack(name string, config *composetypes.Config, noShortAliases bool) (*Stack, error) {
	ns := convert.NewNamespace(name)
	st := &Stack{Name: name}
	var external []string
	st.Networks, external = convert.Networks(ns, config.Networks, usedNetworks(config.Services))
	for n, o := range st.Networks {
		if o.Driver == "" {
			o.Driver = "overlay"
			st.Networks[n] = o
		}
	}
	slices.Sort(external)
	st.External = slices.Compact(external)
	var err error
	if st.Secrets, err = convert.Secrets(ns, config.Secrets); err != nil {
		return nil, usage("secret: %w", err)
	}
	slices.SortFunc(st.Secrets, func(a, b swarm.SecretSpec) int { return cmp.Compare(a.Name, b.Name) })
	if st.Configs, err = convert.Configs(ns, config.Configs); err != nil {
		return nil, usage("config: %w", err)
	}
	slices.SortFunc(st.Configs, func(a, b swarm.ConfigSpec) int { return cmp.Compare(a.Name, b.Name) })
	specs, err := convert.Services(context.Background(), ns, config, namesAsIDs{}) //nolint:forbidigo // the client answers from memory
	if err != nil {
		return nil, usage("%w", err)
	}
	for _, sv := range config.Services {
		made := Service{Spec: specs[sv.Name]}
		for _, d := range sv.DependsOn {
			if _, ok := specs[d]; !ok {
				st.Warnings = append(st.Warnings, fmt.Sprintf("Ignoring depends_on of service %s: the file has no service %q\n\n", sv.Name, d))
				continue
			}
			made.DependsOn = append(made.DependsOn, ns.Scope(d))
		}
		inOrder(made.Spec.TaskTemplate.ContainerSpec)
		if noShortAliases {
			dropShortAlias(&made.Spec, sv, st.External)
		}
		st.Services = append(st.Services, made)
	}
	slices.SortFunc(st.Services, func(a, b Service) int { return cmp.Compare(a.Spec.Name, b.Spec.Name) })
	return st, nil
}

// usedNetworks returns the networks that services name; docker makes no others.
func usedNetworks(services []composetypes.ServiceConfig) map[string]struct{} {
	used := map[string]struct{}{}
	for _, sv := range services {
		if len(sv.Networks) == 0 {
			used["default"] = struct{}{}
		}
		for n := range sv.Networks {
			used[n] = struct{}{}
		}
	}
	return used
}

// inOrder sorts references to one secret or config by their file: the
// conversion leaves those in a random order.
func inOrder(c *swarm.ContainerSpec) {
	slices.SortStableFunc(c.Secrets, func(a, b *swarm.SecretReference) int {
		return cmp.Or(cmp.Compare(a.SecretName, b.SecretName), cmp.Compare(a.File.Name, b.File.Name))
	})
	slices.SortStableFunc(c.Configs, func(a, b *swarm.ConfigReference) int {
		file := func(r *swarm.ConfigReference) string {
			if r.File == nil {
				return ""
			}
			return r.File.Name
		}
		return cmp.Or(cmp.Compare(a.ConfigName, b.ConfigName), cmp.Compare(file(a), file(b)))
	})
}

// dropShortAlias takes the alias off that the conversion has added as the last
// one of every network. One that the file asks for stays.
func dropShortAlias(spec *swarm.ServiceSpec, sv composetypes.ServiceConfig, external []string) {
	nets := spec.TaskTemplate.Networks
	for i, n := range nets {
		last := len(n.Aliases) - 1
		if !slices.Contains(external, n.Target) || !container.NetworkMode(n.Target).IsUserDefined() || last < 0 {
			continue
		}
		nets[i].Aliases = slices.Clone(n.Aliases[:last])
	}
}

// namesAsIDs answers the conversion's questions about secrets and configs: each
// is there, and its ID is its name. The engine package puts IDs in their place.
type namesAsIDs struct{ client.APIClient }

// ClientVersion is from where on networks of a service stand in its task.
func (namesAsIDs) ClientVersion() string { return "1.41" }

// SecretList has every secret that is asked for.
func (namesAsIDs) SecretList(_ context.Context, o swarm.SecretListOptions) ([]swarm.Secret, error) {
	var out []swarm.Secret
	for _, n := range o.Filters.Get("name") {
		out = append(out, swarm.Secret{ID: n, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	return out, nil
}

// ConfigList has every config that is asked for.
func (namesAsIDs) ConfigList(_ context.Context, o swarm.ConfigListOptions) ([]swarm.Config, error) {
	var out []swarm.Config
	for _, n := range o.Filters.Get("name") {
		out = append(out, swarm.Config{ID: n, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	return out, nil
}

// String keeps the package's types out of %v, which would print contents.
func (s *Stack) String() string { return fmt.Sprintf("stack %q", s.Name) }
