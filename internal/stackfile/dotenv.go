package stackfile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/docker/cli/cli/compose/template"
)

// parseDotenv reads KEY=VALUE lines as docker compose does: "export" before the
// key, comments, values in single quotes (word for word, over several lines if
// need be), in double quotes (with \n, \", \$ and variables) and bare (up to
// " #", with variables). A variable is one of the environment, or stands above.
// Errors name the line, never a value.
func parseDotenv(source string, lookup template.Mapping) (map[string]string, error) {
	vars := map[string]string{}
	known := func(name string) (string, bool) {
		if v, ok := lookup(name); ok {
			return v, true
		}
		v, ok := vars[name]
		return v, ok
	}
	keyForm := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(source, "\uFEFF"), "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		at := i + 1
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		key, value = strings.TrimSpace(key), strings.TrimLeft(value, " \t")
		if !keyForm.MatchString(key) {
			return nil, fmt.Errorf("line %d is not KEY=VALUE", at)
		}
		if !ok {
			continue // KEY alone: the environment's, which counts anyway
		}
		if value == "" || value[0] != '\'' && value[0] != '"' {
			v, err := template.Substitute(bare(value), known)
			if err != nil {
				return nil, fmt.Errorf("line %d has a variable that is not one", at)
			}
			vars[key] = v
			continue
		}
		var err error
		if vars[key], i, err = quoted(lines, i, value, known); err != nil {
			return nil, err
		}
	}
	return vars, nil
}

// quoted reads a value in quotes that starts on line i, and returns the line it
// ends on.
func quoted(lines []string, i int, value string, known template.Mapping) (v string, last int, err error) {
	at := i + 1
	quote, body := value[0], value[1:]
	end := closing(body, quote)
	for end < 0 && i+1 < len(lines) {
		i++
		body += "\n" + lines[i]
		end = closing(body, quote)
	}
	if end < 0 {
		return "", i, fmt.Errorf("line %d has a quote without an end", at)
	}
	if rest := strings.TrimSpace(body[end+1:]); rest != "" && rest[0] != '#' {
		return "", i, fmt.Errorf("line %d goes on after its quote", at)
	}
	if quote == '\'' {
		return body[:end], i, nil
	}
	v, err = template.Substitute(unescaped(body[:end]), known)
	if err != nil {
		return "", i, fmt.Errorf("line %d has a variable that is not one", at)
	}
	return v, i, nil
}

// bare cuts the comment off a value without quotes.
func bare(v string) string {
	if strings.HasPrefix(v, "#") {
		return ""
	}
	for _, mark := range []string{" #", "\t#"} {
		v, _, _ = strings.Cut(v, mark)
	}
	return strings.TrimSpace(v)
}

// closing returns where the quote ends, -1 where it does not.
func closing(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote == '"':
			i++
		case s[i] == quote:
			return i
		}
	}
	return -1
}

// unescaped resolves backslashes of a value in double quotes. "\$" becomes "$$",
// which the substitution of variables reads as a dollar.
func unescaped(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\$`, "$$").Replace(s)
}
