package cli

import (
	"fmt"
	"strings"
)

// Count returns n and the noun thing as text, such as "no key", "1 key" or "2 keys".
func Count(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing
	case 1:
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// DidYouMean returns ` (did you mean "x"?)`, where x is the candidate that Nearest returns. If Nearest returns "", DidYouMean
// returns "".
func DidYouMean(name string, candidates []string) string {
	if best := Nearest(name, candidates); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// Nearest returns the candidate that is most similar to name, or "" if no candidate is similar. A long name can have more mistakes than a
// short name.
func Nearest(name string, candidates []string) string {
	best, limit := "", 1+(len(name)+1)/4 // a similar candidate has an edit distance below limit
	for _, c := range candidates {
		if max(len(name)-len(c), len(c)-len(name)) >= limit {
			continue // the edit distance is at least the difference of the lengths
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// editDistance returns the minimum number of edits that turn a into b. An edit inserts, removes or changes one byte, or swaps two adjacent
// bytes. The algorithm is optimal string alignment.
func editDistance(a, b string) int {
	d := make([][]int, len(a)+1) // d[i][j] is the distance between a[:i] and b[:j]
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
