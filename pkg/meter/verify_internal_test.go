package meter

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestVerifierKeepsFourLists tests that a telegram without a checksum is verified if one of the last four lists had the same codes, and a
// telegram without records never is.
func TestVerifierKeepsFourLists(t *testing.T) {
	tests := []struct {
		lists, want string // each letter is a list; y: it is verified
	}{
		{"ABCDABCD", "nnnnyyyy"},
		{"ABCDEA", "nnnnnn"}, // more lists than any meter has
		{"AABAC", "nynyn"},
		{"", ""},
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
			t.Error("a telegram without a record is verified")
		}
	}
}

// TestVerifierReset tests that a checked telegram is verified, and makes the Decoder forget earlier telegrams without a checksum.
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
