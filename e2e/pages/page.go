// Package pages executes the console blocks of documentation pages, so that
// what a page shows is what happens. CONTRIBUTING.md describes the format.
package pages

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// A Page is what is executed of one Markdown page, in order.
type Page struct {
	Steps []Step
}

// A Step is a command of a console block, or a hidden block.
type Step struct {
	// Line is that of the command in the page, from 1.
	Line int
	// Script is one command, or all of a hidden block.
	Script string
	// Want are the lines of output that the page shows; none are not compared.
	Want []string
	// ExitCode is that which the page promises.
	ExitCode int
	// Hidden tells a hidden block, each command of which must end with 0.
	Hidden bool
}

const (
	consoleInfo = "console"
	hiddenBegin = "<!-- run"
	hiddenEnd   = "-->"
	prompt      = "$ "
	more        = "> "
)

// Parse reads a page. An error names the line that is wrong: a block that
// does not end, output before the first command, an info string with unknown
// words.
func Parse(markdown string) (*Page, error) {
	p := parser{lines: strings.Split(markdown, "\n")}
	for p.next < len(p.lines) {
		if err := p.block(); err != nil {
			return nil, err
		}
	}
	return &p.page, nil
}

// parser goes through the lines of a page.
type parser struct {
	lines []string
	next  int
	page  Page
}

// block takes the next line, and all of the block that it begins.
func (p *parser) block() error {
	begin := p.next
	line := p.lines[begin]
	p.next++
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	switch {
	case text == hiddenBegin:
		body, err := p.until(indent, func(l string) bool { return l == hiddenEnd })
		if err != nil {
			return fmt.Errorf("line %d: the comment has no end", begin+1)
		}
		p.page.Steps = append(p.page.Steps, Step{Line: begin + 2, Script: strings.Join(body, "\n"), Hidden: true})
	case strings.HasPrefix(text, "```"):
		fence := text[:len(text)-len(strings.TrimLeft(text, "`"))]
		body, err := p.until(indent, func(l string) bool { return l == fence })
		if err != nil {
			return fmt.Errorf("line %d: the block has no end", begin+1)
		}
		return p.console(begin+1, strings.Fields(text[len(fence):]), body)
	}
	return nil
}

// until takes the lines up to the one that ends the block, without the
// indentation that the block's first line has.
func (p *parser) until(indent int, end func(string) bool) ([]string, error) {
	var body []string
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		p.next++
		if end(strings.TrimSpace(line)) {
			return body, nil
		}
		body = append(body, line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):])
	}
	return nil, fmt.Errorf("no end")
}

// console adds the commands of a block, if it is one that is executed.
func (p *parser) console(fence int, info, body []string) error {
	if len(info) == 0 || info[0] != consoleInfo {
		return nil
	}
	code, err := exitCode(info[1:])
	if err != nil {
		return fmt.Errorf("line %d: %w", fence, err)
	}
	var steps []Step
	for i, line := range body {
		last := len(steps) - 1
		command, isCommand := strings.CutPrefix(line, prompt)
		switch rest, isMore := strings.CutPrefix(line, more); {
		case isCommand:
			steps = append(steps, Step{Line: fence + 1 + i, Script: command})
		case last < 0:
			return fmt.Errorf("line %d: a console block begins with a command (%q)", fence+1+i, prompt)
		case isMore && len(steps[last].Want) == 0:
			steps[last].Script += "\n" + rest
		default:
			steps[last].Want = append(steps[last].Want, line)
		}
	}
	if len(steps) == 0 {
		return fmt.Errorf("line %d: the console block is empty", fence)
	}
	steps[len(steps)-1].ExitCode = code
	p.page.Steps = append(p.page.Steps, steps...)
	return nil
}

// exitCode reads what follows "console" in an info string.
func exitCode(words []string) (int, error) {
	code := 0
	for _, w := range words {
		value, ok := strings.CutPrefix(w, "exit=")
		n, err := strconv.Atoi(value)
		if !ok || err != nil {
			return 0, fmt.Errorf("a console block has no option %q, only exit=CODE", w)
		}
		code = n
	}
	return code, nil
}

// index is the page that only lists the others.
const index = "README.md"

// Files are the pages of a checkout that are executed: its README and the
// runbooks.
func Files(checkout string) ([]string, error) {
	runbooks, err := filepath.Glob(filepath.Join(checkout, "docs", "runbooks", "*.md"))
	if err != nil {
		return nil, err
	}
	files := []string{filepath.Join(checkout, "README.md")}
	for _, file := range runbooks {
		if filepath.Base(file) != index {
			files = append(files, file)
		}
	}
	return files, nil
}
