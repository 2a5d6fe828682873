package identity

import (
	"strings"
	"testing"
)

// TestSerials checks which sequences of serial numbers show that the meter was replaced.
func TestSerials(t *testing.T) {
	for _, tt := range []struct {
		name, sent string // the numbers, separated by spaces; - means that the telegram has none
		want       string // the changes, each as "old>new "
	}{
		{"one meter", "A A A", ""},
		{"no numbers", "- - -", ""},
		{"telegrams without a number between", "A - - A", ""},
		{"a number that was garbled once", "A B A B A", ""},
		{"another meter", "A B B", "A>B "},
		{"another meter, with telegrams without a number between", "A B - B", "A>B "},
		{"a third meter", "A B C C", "A>C "},
		{"two meters that alternate in pairs", "A A B B A A B B A A B B", "A>B "},
		{"the previous meter is used again", "A B B " + strings.Repeat("A ", 100), "A>B B>A "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Serials
			got := ""
			for _, number := range strings.Fields(tt.sent) {
				if old, replaced := s.Update(strings.Trim(number, "-")); replaced {
					got += old + ">" + s.Current() + " "
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestProfiles checks which sequences of profiles count as a change.
func TestProfiles(t *testing.T) {
	aidon, short, aidonP1 := Profile{Protocol: "hdlc", Family: "aidon"}, Profile{Protocol: "hdlc"}, Profile{Protocol: "p1", Family: "aidon"}
	kaifa, embriq := Profile{Protocol: "hdlc", Family: "kaifa"}, Profile{Protocol: "hdlc", Family: "landisgyr", Named: true}
	tests := []struct {
		name string
		sent []Profile
		want string // the changes, each as "from > to; "
	}{
		{"one profile", []Profile{aidon, aidon, aidon, aidon}, ""},
		{"short lists, which name no make", []Profile{short, short, aidon, short, short, short, aidon}, ""},
		{"single telegrams of another profile", []Profile{aidon, aidonP1, aidonP1, aidon, aidonP1, aidon}, ""},
		{"another framing", []Profile{aidon, aidonP1, aidonP1, aidonP1, aidonP1}, "aidon hdlc > aidon p1; "},
		{"another make, then a short list", []Profile{aidon, kaifa, short, kaifa}, ""}, // the short list is possibly of the old make
		{"another make", []Profile{aidon, kaifa, kaifa, kaifa}, "aidon hdlc > kaifa hdlc; "},
		{"lists with the name of the make, and short lists like those of Aidon", []Profile{embriq, aidon, aidon, aidon, embriq, aidon, aidon, aidon}, ""},
		{"a list whose name shows another make than the first list", []Profile{aidon, embriq, aidon, aidonP1, aidonP1, aidonP1}, "landisgyr hdlc > aidon p1; "},
		{"a new framing whose first list names no make", []Profile{aidonP1, short, aidon, short, aidon}, "aidon p1 > aidon hdlc; "},
		{"there and back", []Profile{aidon, aidonP1, aidonP1, aidonP1, aidon, aidon, aidon}, "aidon hdlc > aidon p1; aidon p1 > aidon hdlc; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w Profiles
			got := ""
			for _, p := range tt.sent {
				if from, changed := w.Add(p); changed {
					got += from.String() + " > " + w.Current().String() + "; "
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSerialsRestore checks that Serials continues with the number of an earlier run, and forgets what it has seen before.
func TestSerialsRestore(t *testing.T) {
	var s Serials
	s.Update("B")
	s.Update("C")
	s.Restore("A")
	if got := s.Current(); got != "A" {
		t.Errorf("got %q, want A", got)
	}
	for i, want := range []string{"", "A"} { // the second telegram with C after Restore shows that A was replaced
		if old, replaced := s.Update("C"); old != want || replaced != (want != "") {
			t.Errorf("telegram %d: got %q, %v; want %q", i, old, replaced, want)
		}
	}
	s.Restore("")
	if old, replaced := s.Update("D"); replaced || s.Current() != "D" {
		t.Errorf("after Restore without a number: got %q, %v, current %q; want no change, current D", old, replaced, s.Current())
	}
}
