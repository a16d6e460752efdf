package stackfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/schema"
	"github.com/docker/cli/cli/compose/template"
	composetypes "github.com/docker/cli/cli/compose/types"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// read does what docker's LoadComposefile does before it parses
// (cli/command/stack/loader GetConfigDetails), and reads ".env".
func read(o Options) (composetypes.ConfigDetails, error) {
	var details composetypes.ConfigDetails
	if len(o.Files) == 0 {
		return details, usage("no Compose file was named").WithNext("Name one with -c FILE, or -c - for standard input.")
	}
	var err error
	if details.WorkingDir, err = workingDir(o.Files); err != nil {
		return details, err
	}
	for _, name := range o.Files {
		f, err := readFile(name, o.Stdin)
		if err != nil {
			return details, err
		}
		details.ConfigFiles = append(details.ConfigFiles, f)
	}
	// The first file's version stands for all; the loader refuses others.
	details.Version = schema.Version(details.ConfigFiles[0].Config)
	if details.Environment, err = environment(o.Environ); err != nil {
		return details, err
	}
	if o.NoDotenv {
		return details, nil
	}
	return details, addDotenv(&details)
}

// workingDir is what relative paths in the files start from.
func workingDir(files []string) (string, error) {
	if len(files) == 1 && files[0] == "-" {
		return os.Getwd()
	}
	abs, err := filepath.Abs(files[0])
	return filepath.Dir(abs), err
}

func readFile(name string, stdin io.Reader) (composetypes.ConfigFile, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = io.ReadAll(stdin)
	} else {
		raw, err = os.ReadFile(name)
	}
	if err != nil {
		return composetypes.ConfigFile{}, problem.New("the Compose file cannot be read: %w", err).WithCode(problem.Usage)
	}
	config, err := loader.ParseYAML(raw)
	if err != nil {
		return composetypes.ConfigFile{}, usage("Compose file %q: %w", name, err)
	}
	return composetypes.ConfigFile{Filename: name, Config: config}, nil
}

// environment is docker's buildEnvironment, entry by entry.
func environment(environ []string) (map[string]string, error) {
	out := make(map[string]string, len(environ))
	for _, e := range environ {
		if runtime.GOOS == "windows" && strings.HasPrefix(e, "=") {
			continue // cmd.exe's own, such as "=C:=C:\" (docker/cli#4078)
		}
		k, v, ok := strings.Cut(e, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("unexpected environment variable '%s'", k)
		}
		out[k] = v
	}
	return out, nil
}

// addDotenv adds what ".env" in the working directory says and the environment
// does not.
func addDotenv(details *composetypes.ConfigDetails) error {
	path := filepath.Join(details.WorkingDir, ".env")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var more map[string]string
	if err == nil {
		more, err = parseDotenv(string(raw), details.LookupEnv)
	}
	if err != nil {
		return usage("%s: %w", path, err).WithNext("Mend the file, or leave it out with --no-dotenv as 'docker stack deploy' does.")
	}
	for k, v := range more {
		if _, set := details.Environment[k]; !set {
			details.Environment[k] = v
		}
	}
	return nil
}

// name returns the stack's name, and takes the top-level "name", which docker's
// schema does not know, out of the files. A later file's name counts, as every
// scalar of a later file does.
func (o Options) name(details composetypes.ConfigDetails) (string, error) {
	fromFile := ""
	for _, f := range details.ConfigFiles {
		v, ok := f.Config["name"]
		if !ok {
			continue
		}
		s, ok := v.(string)
		if !ok {
			return "", usage("Compose file %q: name must be a string", f.Filename)
		}
		s, err := template.Substitute(s, details.LookupEnv)
		if err != nil {
			return "", usage("Compose file %q: name: %w", f.Filename, err)
		}
		delete(f.Config, "name")
		fromFile = s
	}
	name := o.Stack
	switch {
	case name != "":
	case fromFile != "":
		name = fromFile
	default:
		name = directoryName(details.WorkingDir)
	}
	// What docker takes for a stack's name (cli/command/stack validateStackName).
	if strings.Trim(name, " \t\n\v\f\r\"'") == "" {
		return "", usage("invalid stack name: %q", name).WithNext("Say it after the options: 'docker swarmnet deploy -c FILE STACK'.")
	}
	return name, nil
}

// directoryName makes a stack's name of a directory as docker compose does
// (compose-go loader NormalizeProjectName).
func directoryName(dir string) string {
	name := strings.ToLower(filepath.Base(dir))
	name = regexp.MustCompile(`[^-_a-z0-9]+`).ReplaceAllString(name, "")
	return strings.TrimLeft(name, "_-")
}

// parse is docker's LoadComposefile after the reading.
func parse(details composetypes.ConfigDetails) (*composetypes.Config, []string, error) {
	config, err := loader.Load(details)
	if err != nil {
		var forbidden *loader.ForbiddenPropertiesError
		if errors.As(err, &forbidden) {
			return nil, nil, usage("Compose file contains unsupported options:\n\n%s\n", explained(forbidden.Properties))
		}
		return nil, nil, usage("Compose file %q: %w", details.ConfigFiles[0].Filename, err)
	}
	var dicts []map[string]any
	for _, f := range details.ConfigFiles {
		dicts = append(dicts, f.Config)
	}
	var warnings []string
	if keys := loader.GetUnsupportedProperties(dicts...); len(keys) > 0 {
		warnings = append(warnings, "Ignoring unsupported options: "+strings.Join(keys, ", ")+"\n\n")
	}
	if keys := loader.GetDeprecatedProperties(dicts...); len(keys) > 0 {
		warnings = append(warnings, "Ignoring deprecated options:\n\n"+explained(keys)+"\n\n")
	}
	for _, sv := range config.Services {
		if sv.Image == "" {
			return nil, nil, usage("invalid image reference for service %s: no image specified", sv.Name)
		}
		if _, err := reference.ParseAnyReference(sv.Image); err != nil {
			return nil, nil, usage("invalid image reference for service %s: %w", sv.Name, err)
		}
	}
	return config, warnings, nil
}

func explained(properties map[string]string) string {
	var out []string
	for name, description := range properties {
		out = append(out, name+": "+description)
	}
	slices.Sort(out)
	return strings.Join(out, "\n\n")
}
