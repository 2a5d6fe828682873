package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// A place is where a value was written: a line of a file, or an environment variable (line 0), which sets a key.
type place struct {
	name string
	line int
	key  string // of a variable
}

// on returns the place of a line of the same file or variable.
func (p place) on(line int) place {
	p.line = line
	return p
}

func (p place) String() string {
	if p.line == 0 {
		return p.name
	}
	return fmt.Sprintf("%s:%d", p.name, p.line)
}

// A problem is one thing to mend in the configuration.
type problem struct {
	at   place
	path string // the key, empty for the file as a whole
	text string
	with string // the key of something else that it is about
}

// String gives place, key and text. A variable names its key itself, but for what is in a table.
func (p problem) String() string {
	var parts []string
	if p.at.name != "" {
		parts = append(parts, p.at.String())
	}
	if p.path != p.at.key {
		parts = append(parts, strings.TrimPrefix(p.path, p.at.key+"."))
	}
	return safetext.Redact(strings.Join(append(parts, p.text), ": "))
}

// Problems are an error of one line each, of so many lines as somebody may read.
type Problems []problem

const mostProblems = 50

func (p Problems) Error() string {
	var lines []string
	for _, one := range p[:min(len(p), mostProblems)] {
		lines = append(lines, one.String())
	}
	if more := len(p) - mostProblems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %s more: mend these first", cli.Count(more, "problem")))
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, problem{path: path, text: fmt.Sprintf(format, args...)})
}

// addError adds an error, if there is one.
func (p *Problems) addError(path string, err error) {
	if err != nil {
		p.add(path, "%s", err)
	}
}

// addBoth adds what is wrong between two keys.
func (p *Problems) addBoth(path, with, format string, args ...any) {
	p.add(path, format, args...)
	(*p)[len(*p)-1].with = with
}

// Err returns p in the order of the file, the environment last, or nil if it is empty.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	line := func(one problem) int { return cmp.Or(one.at.line, math.MaxInt) }
	slices.SortStableFunc(p, func(a, b problem) int { return line(a) - line(b) })
	return p
}

func (l *loader) add(at place, path, format string, args ...any) {
	l.found = append(l.found, problem{at: at, path: path, text: fmt.Sprintf(format, args...)})
}

// placeOf returns where path was set, or the nearest section above it.
func (l *loader) placeOf(path string) place {
	for path != "" {
		if at, ok := l.places[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return place{name: l.file}
}

// validate adds what is wrong with values. A key that already has a problem is left alone, what it is a part of too, and what
// compares with it: its value did not arrive.
func (l *loader) validate(wrong Problems) {
	bad := map[string]bool{}
	for _, p := range l.found {
		for path := p.path; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
			bad[path] = true
		}
	}
	for _, one := range wrong {
		if bad[one.path] || bad[one.with] {
			continue
		}
		if one.with != "" {
			one.text += fmt.Sprintf(" (the other: %s)", l.placeOf(one.with))
		}
		bad[one.path] = one.path != ""
		l.add(l.placeOf(one.path), one.path, "%s", one.text)
	}
}
