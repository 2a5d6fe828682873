package main

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean returns ` (did you mean "x"?)` for the candidate that name is a
// likely slip of, or nothing.
func didYouMean(name string, candidates []string) string {
	best := nearest(name, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// nearest returns the candidate that name is a likely slip of, or nothing. The
// longer the name, the more slips are allowed.
func nearest(name string, candidates []string) string {
	best, limit := "", 1+(len(name)+1)/4
	for _, c := range candidates {
		if max(len(name)-len(c), len(c)-len(name)) >= limit {
			continue // so many letters are to insert or to drop
		}
		if d := min(slips(strings.ToLower(name), strings.ToLower(c)), swap(name, c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// guessVariable returns a hint for a HANBRIDGE_ variable that does not exist.
func guessVariable(name string) string {
	const prefix = "HANBRIDGE_"
	name = strings.TrimPrefix(name, prefix)
	var variables []string
	for _, k := range values(configKeys) {
		variable := strings.TrimPrefix(k.env, prefix)
		if strings.HasSuffix(variable, "_"+name) {
			return fmt.Sprintf(" (did you mean %q?)", k.env)
		}
		variables = append(variables, variable)
	}
	if best := nearest(name, variables); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", prefix+best)
	}
	return " (a key of config.example.yaml makes a variable thus: mqtt.url, HANBRIDGE_MQTT_URL)"
}

// whereIs returns a hint for a key that does not exist in the section of keys:
// the nearest of them, else the section where it does exist, else all of them.
func whereIs(name string, keys []key) string {
	if hint := didYouMean(name, names(keys)); hint != "" {
		return hint
	}
	for _, k := range values(configKeys) {
		if k.name == name {
			return fmt.Sprintf(" (did you mean %q?)", k.path)
		}
	}
	return " (known here: " + strings.Join(names(keys), ", ") + ")"
}

// slips counts the letters to insert, drop or change to make b of a.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{cost, row[j] + 1, row[j+1] + 1})
		}
	}
	return row[len(b)]
}

// swap returns 1 when b is a with two neighbours in the other order, else more than any limit.
func swap(a, b string) int {
	for i := 1; i < len(a) && len(a) == len(b); i++ {
		if a[:i-1] == b[:i-1] && a[i-1] == b[i] && a[i] == b[i-1] && a[i+1:] == b[i+1:] {
			return 1
		}
	}
	return len(a) + len(b) + 1
}
