package meter

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestVerifierKeepsFourLists tests that a telegram without a checksum is verified if one of the last four lists has the same codes. A telegram
// without records must not be verified.
func TestVerifierKeepsFourLists(t *testing.T) {
	tests := []struct {
		lists string // a letter for the list of codes of each telegram
		want  string // a letter for each telegram: y if it is verified, n if not
	}{
		{"ABCDABCD", "nnnnyyyy"},
		{"ABCDEA", "nnnnnn"}, // five lists: more than any meter sends
		{"AABAC", "nynyn"},
		{"", ""}, // no telegram
	}
	for _, tt := range tests {
		var v verifier
		var got strings.Builder
		for _, list := range tt.lists {
			verified := "n"
			if v.verify(&Reading{Records: []obis.Record{{Code: obis.Code{byte(list)}}}}) {
				verified = "y"
			}
			got.WriteString(verified)
		}
		if got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.lists, got.String(), tt.want)
		}
	}
	var v verifier
	for range 2 {
		if v.verify(new(Reading)) {
			t.Error("a telegram without records is verified")
		}
	}
}

// TestVerifierReset tests that a Checked telegram is verified, and that telegrams before the Checked telegram do not verify telegrams after it.
func TestVerifierReset(t *testing.T) {
	var v verifier
	unchecked := &Reading{Records: []obis.Record{{Code: obis.Code{1}}}}
	for i, tt := range []struct {
		reading *Reading
		want    bool
	}{{unchecked, false}, {unchecked, true}, {&Reading{Checked: true}, true}, {unchecked, false}, {unchecked, true}} {
		if got := v.verify(tt.reading); got != tt.want {
			t.Errorf("reading %d: got %v, want %v", i, got, tt.want)
		}
	}
}
