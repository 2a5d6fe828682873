package line_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// TestAdvice: every verdict has its own word and its own advice, which says who can do something and names no program.
func TestAdvice(t *testing.T) {
	seen := map[string]bool{}
	for v := line.Silent; v <= line.LoginPrompt; v++ {
		word, advice := v.String(), v.Advice()
		if word == "" || strings.ContainsAny(word, " .") || seen[word] || seen[advice] {
			t.Errorf("%d is %q: %q", v, word, advice)
		}
		seen[word], seen[advice] = true, true
		if strings.HasSuffix(advice, ".") || !strings.Contains(advice, " ") {
			t.Errorf("%v: %q", v, advice)
		}
		if strings.Contains(advice, "hanbridge") || strings.Contains(advice, "auto") {
			t.Errorf("%v names a program or its configuration: %q", v, advice)
		}
		actions := 0
		for _, action := range []string{"set ", "Set ", "try another", "needs", "Ask your grid company", "wait"} {
			actions += strings.Count(advice, action)
		}
		if actions == 0 {
			t.Errorf("%v does not say what to do: %q", v, advice)
		}
	}
}

// TestCompare: every verdict has its own rank. Silent is the last. Verdicts that suggest another setting rank behind those that are possible
// only at the right setting.
func TestCompare(t *testing.T) {
	for a := line.Silent; a <= line.LoginPrompt; a++ {
		for b := line.Silent; b <= line.LoginPrompt; b++ {
			got, back := line.Compare(a, b), line.Compare(b, a)
			switch {
			case got != -back || (got == 0) != (a == b):
				t.Errorf("%v, %v: got %d, and %d the other way round", a, b, got, back)
			case b == line.Silent && a != b && got >= 0:
				t.Errorf("%v does not rank before Silent", a)
			case b.SuggestsOtherSetting() && !a.SuggestsOtherSetting() && a != line.Silent && got >= 0:
				t.Errorf("%v does not rank before %v", a, b)
			}
		}
	}
}
