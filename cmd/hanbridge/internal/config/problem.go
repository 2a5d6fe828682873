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

// A location is where a value was written: a line of a file, or an environment variable.
type location struct {
	name string // of the file or of the variable
	line int    // 0 for a variable
	key  string // the path of the key that the variable sets; "" in a file
}

// on returns the location of a line in the same file or variable.
func (p location) on(line int) location {
	p.line = line
	return p
}

func (p location) String() string {
	if p.line == 0 {
		return p.name
	}
	return fmt.Sprintf("%s:%d", p.name, p.line)
}

// A problem is a mistake in the configuration.
type problem struct {
	at    location
	path  string // of the key; "" if the problem is not about a key
	text  string
	other string // the path of the other key in a conflict of two, or ""
}

// String returns location, key and text. If the location is a variable, its name replaces the key that it sets, or the beginning of a longer key.
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

// Problems is an error with one line for each problem. It prints the first maxProblems problems, and the number of the others.
type Problems []problem

// maxProblems is the maximum number of problems that are printed.
const maxProblems = 50

func (p Problems) Error() string {
	var lines []string
	for _, item := range p[:min(len(p), maxProblems)] {
		lines = append(lines, item.String())
	}
	if more := len(p) - maxProblems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %s more: correct the problems above first", cli.Count(more, "problem")))
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, problem{path: path, text: fmt.Sprintf(format, args...)})
}

// addError adds err as a problem, unless it is nil.
func (p *Problems) addError(path string, err error) {
	if err != nil {
		p.add(path, "%s", err)
	}
}

// addConflict adds the problem that the values of the keys path and other contradict each other.
func (p *Problems) addConflict(path, other, format string, args ...any) {
	p.add(path, format, args...)
	(*p)[len(*p)-1].other = other
}

// Err returns p, or nil if p is empty. It sorts p by the lines of the file. The problems of variables are last.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	line := func(item problem) int { return cmp.Or(item.at.line, math.MaxInt) } // MaxInt for a variable, which has no line
	slices.SortStableFunc(p, func(a, b problem) int { return line(a) - line(b) })
	return p
}

func (l *loader) addProblem(at location, path, format string, args ...any) {
	l.problems = append(l.problems, problem{at: at, path: path, text: fmt.Sprintf(format, args...)})
}

// locationOf returns the location of the key path. If that location is not known, it returns the location of the innermost section that
// contains the key and has a location.
func (l *loader) locationOf(path string) location {
	for path != "" {
		if at, ok := l.locations[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return location{name: l.file}
}

// validate adds valueProblems, the problems of values that were read. It skips the problem of a key that has a problem already, and of a section
// that contains such a key. It also skips a conflict with such a key or section.
func (l *loader) validate(valueProblems Problems) {
	faulty := map[string]bool{} // by path: the keys that have a problem, and the sections that contain them
	for _, p := range l.problems {
		for path := p.path; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
			faulty[path] = true
		}
	}
	for _, item := range valueProblems {
		if faulty[item.path] || faulty[item.other] {
			continue
		}
		if item.other != "" {
			item.text += fmt.Sprintf(" (see also %s)", l.locationOf(item.other))
		}
		faulty[item.path] = item.path != ""
		l.addProblem(l.locationOf(item.path), item.path, "%s", item.text)
	}
}
