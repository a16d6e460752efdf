package pages

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

const page = "# A page\n" +
	"\n" +
	"```console\n" +
	"$ echo one\n" +
	"one\n" +
	"$ printf '%s\\n' two \\\n" +
	"> '> three'\n" +
	"two\n" +
	"> three\n" +
	"```\n" +
	"\n" +
	"1. In a list:\n" +
	"\n" +
	"   ```console exit=3\n" +
	"   $ (exit 3)\n" +
	"   ```\n" +
	"\n" +
	"   <!-- run\n" +
	"   x=1\n" +
	"   test $x = 1\n" +
	"   -->\n" +
	"\n" +
	"```sh\n" +
	"$ not executed\n" +
	"```\n"

func TestParse(t *testing.T) {
	p, err := Parse(page)
	assert.NilError(t, err)
	assert.DeepEqual(t, p.Steps, []Step{
		{Line: 4, Script: "echo one", Want: []string{"one"}},
		{Line: 6, Script: "printf '%s\\n' two \\\n'> three'", Want: []string{"two", "> three"}},
		{Line: 15, Script: "(exit 3)", ExitCode: 3},
		{Line: 19, Script: "x=1\ntest $x = 1", Hidden: true},
	})
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, page, want string }{
		{"no end", "x\n```console\n$ true\n", "line 2: the block has no end"},
		{"comment without end", "<!-- run\ntrue\n", "line 1: the comment has no end"},
		{"output first", "```console\none\n```\n", "line 2: a console block begins with a command"},
		{"empty", "```console\n```\n", "line 1: the console block is empty"},
		{"unknown word", "```console quiet\n$ true\n```\n", `no option "quiet"`},
		{"no number", "```console exit=x\n$ true\n```\n", `no option "exit=x"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse(tc.page)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		name, want, got string
		fails           string
	}{
		{name: "equal", want: "a\nb", got: "a\nb\n"},
		{name: "spaces", want: "a  b c", got: "a b    c \n\n"},
		{name: "part of a line", want: "id ... up ...", got: "id 7f3 up 3 s"},
		{name: "nothing between two words", want: "id ... up", got: "id up"},
		{name: "what is special in patterns", want: "a (b) [c] $ ...", got: "a (b) [c] $ d"},
		{name: "whole rest of a line", want: "id ...", got: "id 7f3 up"},
		{name: "lines", want: "a\n...\nd", got: "a\nb\nc\nd"},
		{name: "no lines", want: "a\n...\nb", got: "a\nb"},
		{name: "lines to the end", want: "a\n...", got: "a\nb\nc"},
		{name: "a line that comes twice", want: "...\nb\nc", got: "b\nb\nc"},
		{name: "blank line within", want: "a\n\nb", got: "a\nb", fails: `no line like ""`},
		{name: "another line", want: "a\nb", got: "a\nc", fails: `no line like "b"`},
		{name: "a line too much", want: "a", got: "a\nb", fails: "goes on"},
		{name: "a line too few", want: "a\nb", got: "a", fails: `no line like "b"`},
		{name: "only the beginning agrees", want: "a ... c", got: "a b d", fails: "no line like"},
		{name: "ends overlap", want: "ab...ba", got: "aba", fails: "no line like"},
		{name: "order within a line", want: "...b...a...", got: "a b", fails: "no line like"},
		{name: "not at the beginning", want: "b", got: "a b", fails: "no line like"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Match(strings.Split(tc.want, "\n"), tc.got)
			if tc.fails == "" {
				assert.NilError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.fails)
			}
		})
	}
}

// run runs a page and returns what its steps printed.
func run(t *testing.T, markdown string) ([]string, error) {
	t.Helper()
	p, err := Parse(markdown)
	assert.NilError(t, err)
	var outputs []string
	err = Run(context.Background(), p, t.TempDir(), os.Environ(), func(r Result) { outputs = append(outputs, r.Output) })
	return outputs, err
}

func TestRun(t *testing.T) {
	outputs, err := run(t, page)
	assert.NilError(t, err)
	assert.DeepEqual(t, outputs, []string{"one\n", "two\n> three\n", "", ""})
}

func TestRunKeepsTheShell(t *testing.T) {
	_, err := run(t, "<!-- run\nmkdir d; cd d\ny=2\n-->\n```console\n$ echo $y; basename $PWD\n2\nd\n$ cat; echo end\nend\n```\n")
	assert.NilError(t, err)
}

func TestRunFails(t *testing.T) {
	for _, tc := range []struct{ name, page, want string }{
		{"exit code", "```console\n$ (exit 2)\n```", "line 2: exit code 2, not 0"},
		{"only the last command may fail", "```console exit=1\n$ false\n$ false\n```", "line 2: exit code 1, not 0"},
		{"promised failure", "```console exit=1\n$ true\n```", "line 2: exit code 0, not 1"},
		{"output", "```console\n$ echo b >&2\na\n```", "line 2: the output has no line like"},
		{"a hidden command", "<!-- run\nfalse\ntrue\n-->", "line 2: the shell ended"},
		{"exit", "```console\n$ sleep 60 & exit 0\n```", "line 2: the shell ended"},
		{"no shell", "```console\n$ if\n```", "line 2: exit code"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := run(t, tc.page)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestRunNamesTheHiddenCommandThatFails(t *testing.T) {
	outputs, err := run(t, "<!-- run\ntrue\n(exit 4)\necho not reached\n-->")
	assert.ErrorContains(t, err, "the shell ended")
	assert.DeepEqual(t, outputs, []string{"failed: ( exit 4 )\n"})
}

// The pages of the project can be read, and none is without a command.
func TestPagesParse(t *testing.T) {
	files, err := Files("../..")
	assert.NilError(t, err)
	assert.Assert(t, len(files) > 3)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			assert.NilError(t, err)
			p, err := Parse(string(content))
			assert.NilError(t, err)
			assert.Check(t, len(p.Steps) > 0, "no console block: nothing of it is executed")
		})
	}
}

// The index of the runbooks has them all.
func TestIndexIsComplete(t *testing.T) {
	files, err := Files("../..")
	assert.NilError(t, err)
	index, err := os.ReadFile("../../docs/runbooks/" + index)
	assert.NilError(t, err)
	for _, file := range files {
		if name := filepath.Base(file); name != "README.md" {
			assert.Check(t, is.Contains(string(index), "("+name+")"))
		}
	}
}
