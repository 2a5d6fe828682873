package line_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// TestAdvice: the word and the advice of a verdict differ from those of all other verdicts. The advice says what to do. It names neither hanbridge
// nor its configuration, because other programs use the package too.
func TestAdvice(t *testing.T) {
	seen := map[string]bool{}
	for v := line.Silent; v <= line.LoginPrompt; v++ {
		word, advice := v.String(), v.Advice()
		if word == "" || strings.ContainsAny(word, " .") || seen[word] || seen[advice] {
			t.Errorf("verdict %d: got word %q and advice %q, want a single word, and a word and an advice that no other verdict has", v, word, advice)
		}
		seen[word], seen[advice] = true, true
		if strings.HasSuffix(advice, ".") || !strings.Contains(advice, " ") {
			t.Errorf("%v: got advice %q, want a text without a full stop at its end", v, advice)
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

// TestCompare tests that no two verdicts are equal, and that they sort in this order: verdicts that suggest no other setting, verdicts that suggest
// another setting, Silent.
func TestCompare(t *testing.T) {
	for a := line.Silent; a <= line.LoginPrompt; a++ {
		for b := line.Silent; b <= line.LoginPrompt; b++ {
			got, reversed := line.Compare(a, b), line.Compare(b, a)
			switch {
			case got != -reversed || (got == 0) != (a == b):
				t.Errorf("Compare(%v, %v) = %d, and %d with the arguments exchanged", a, b, got, reversed)
			case b == line.Silent && a != b && got >= 0:
				t.Errorf("Compare(%v, %v) = %d, want less than 0", a, b, got)
			case b.SuggestsOtherSetting() && !a.SuggestsOtherSetting() && a != line.Silent && got >= 0:
				t.Errorf("Compare(%v, %v) = %d, want less than 0", a, b, got)
			}
		}
	}
}
