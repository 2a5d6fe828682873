package main

import (
	"bytes"
	"regexp"
	"strings"
)

// yamlHints turn the parser's words into what to mend, the first that fits.
// None repeats text of the file, which may be a secret.
var yamlHints = []struct{ words, hint string }{
	{"mapping values are not allowed", `two colons in one line, or it is indented too far (a value with a colon and a space in it must be put in quotes)`},
	{"could not find expected ':'", `want "key: value" (is the colon missing, or the space after it?)`},
	{"unexpected end of stream", "a quote is not closed"},
	{"did not find expected key", "the line is not indented like those above it"},
	{"did not find expected '-'", "the line is not indented like those above it"},
	{"did not find expected", "a bracket or a brace is not closed, or a value is followed by something else"},
	{"unknown anchor", "a value that begins with * must be put in quotes"},
	{"cannot start any token", "a value that begins with @, ` or % must be put in quotes"},
	{"unknown escape", `a backslash must be doubled inside "double quotes"; inside 'single quotes' it is left alone`},
	{"UTF-8", "not UTF-8: save the file with this encoding"},
	{"control characters", "not a text file"},
}

var yamlPlace = regexp.MustCompile(`^(yaml: )?(line \d+: )?`)

// yamlFault returns the line where text stops being YAML, from 1, and what is
// wrong there. The parser's own line is where the block began, and often is not
// given; so look for the line up to which text is sound.
func yamlFault(text []byte, err error) (line int, hint string) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	line = len(lines)
	for line > 1 {
		if _, before := parseYAML(bytes.Join(lines[:line-1], nil)); before == nil {
			break
		}
		line--
	}
	written := lines[line-1]
	indent := written[:len(written)-len(bytes.TrimLeft(written, " \t"))]
	if bytes.ContainsRune(indent, '\t') {
		return line, "a tab: YAML wants spaces to indent"
	}
	said := yamlPlace.ReplaceAllString(err.Error(), "")
	for _, h := range yamlHints {
		if strings.Contains(said, h.words) {
			return line, h.hint
		}
	}
	return line, said
}
