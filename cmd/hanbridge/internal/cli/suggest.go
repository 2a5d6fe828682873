package cli

import (
	"fmt"
	"slices"
	"strings"
)

// Count is a number of things in words: no key, 1 key, 2 keys.
func Count(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing
	case 1:
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// DidYouMean returns ` (did you mean "x"?)` for the candidate that name is a
// likely slip of, or nothing.
func DidYouMean(name string, candidates []string) string {
	best := Nearest(name, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// Nearest returns the candidate that name is a likely slip of, or nothing. The
// longer the name, the more slips are allowed.
func Nearest(name string, candidates []string) string {
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
