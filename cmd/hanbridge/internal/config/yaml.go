package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlHints translate messages of the YAML parser into advice. The first entry whose words are in the message is used. A hint never contains
// text of the file, because the text is possibly a secret.
var yamlHints = []struct{ words, hint string }{
	{"mapping values are not allowed", `two colons in one line, or the line is indented too far (a value that contains a colon and a space must be put in quotes)`},
	{"could not find expected ':'", `want "key: value" (is the colon missing, or the space after it?)`},
	{"unexpected end of stream", "a quote is not closed"},
	{"did not find expected key", "the line is not indented like the lines above"},
	{"did not find expected '-'", "the line is not indented like the lines above"},
	{"did not find expected", "a bracket or a brace is not closed, or a value is followed by something else"},
	{"unknown anchor", "a value that begins with * must be put in quotes"},
	{"cannot start any token", "a value that begins with @, ` or % must be put in quotes"},
	{"unknown escape", `a backslash must be doubled inside "double quotes"; inside 'single quotes' it must not be doubled`},
	{"UTF-8", "not UTF-8: save the file with this encoding"},
	{"control characters", "not a text file"},
}

var (
	yamlPlace  = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`) // the beginning of a message of the parser
	yamlQuoted = regexp.MustCompile(`(?s)'.*'|".*"`)                 // text of the file in a message of the parser
)

// parseYAML returns the root node of text, which must contain one document. For an empty text it returns an empty node.
func parseYAML(text io.Reader) (*yaml.Node, error) {
	dec := yaml.NewDecoder(text)
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{}, nil
	}
	if err != nil {
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second document begins (---): write all settings into one document", second.Line)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return doc.Content[0], nil
}

// A lineReader contains the lines that are not read yet. Each Read returns at most one line. So the lineReader shows how far a parser has
// read when the parser fails.
type lineReader [][]byte

func (r *lineReader) Read(p []byte) (int, error) {
	if len(*r) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*r)[0])
	(*r)[0] = (*r)[0][n:]
	if len((*r)[0]) == 0 {
		*r = (*r)[1:]
	}
	return n, nil
}

// yamlFault returns the number of the first line of text that is not valid YAML, from 1, and a hint what is wrong in that line.
func yamlFault(text []byte) (line int, hint string) {
	lines := slices.Collect(bytes.Lines(text))
	rest := lineReader(slices.Clone(lines))
	_, err := parseYAML(&rest)
	linesBegun := min(len(lines)-len(rest)+1, len(lines))
	line = firstInvalidLine(lines, linesBegun, err)
	invalid := lines[line-1]
	indent := invalid[:len(invalid)-len(bytes.TrimLeft(invalid, " \t"))]
	if bytes.ContainsRune(indent, '\t') {
		return line, "a tab: YAML wants spaces to indent"
	}
	message := yamlPlace.ReplaceAllString(fmt.Sprint(err), "")
	for _, h := range yamlHints {
		if strings.Contains(message, h.words) {
			return line, h.hint
		}
	}
	return line, yamlQuoted.ReplaceAllString(message, "…")
}

// firstInvalidLine returns the number of the first invalid line, from 1. It searches a number n for which the first n lines are valid YAML.
// The parser had begun to read linesBegun lines when it failed with err. The text of err names the line where the invalid block begins. Only
// values of n near these two numbers of lines are tried, because parsing every beginning of a long file takes too long.
func firstInvalidLine(lines [][]byte, linesBegun int, err error) int {
	blockLine, _ := strconv.Atoi(yamlPlace.FindStringSubmatch(fmt.Sprint(err))[1]) // 0 if err names no line
	var tries []int                                                                // values of n
	for i := range 12 {
		tries = append(tries, max(linesBegun-1-i, 0))
	}
	for i := range 4 {
		tries = append(tries, max(blockLine+1-i, 0))
	}
	for _, n := range tries {
		if _, err := parseYAML(bytes.NewReader(bytes.Join(lines[:min(n, linesBegun-1)], nil))); err == nil {
			return n + 1
		}
	}
	return min(max(blockLine, 1), linesBegun)
}
