package text

import (
	"testing"

	"gotest.tools/v3/assert"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ doc, in, want string }{
		{"plain", "postgres", "postgres"},
		{"other scripts stay", "größe 数据", "größe 数据"},
		{"escape sequence", "a\x1b[31mb", "a [31mb"},
		{"line break and tab", "a\nb\tc\r", "a b c "},
		{"C1 control", "a\u009bb", "a b"},
		{"bidirectional override", "a\u202eb", "a b"},
		{"invalid UTF-8", "a\xffb", "a\uFFFDb"},
	} {
		t.Run(tc.doc, func(t *testing.T) { assert.Equal(t, Clean(tc.in), tc.want) })
	}
}

func TestLinesKeepsBreaks(t *testing.T) {
	assert.Equal(t, Lines("a\x07\r\nb"), "a \nb")
}
