package bridge

import "testing"

func TestProfiles(t *testing.T) {
	hdlc, short, text := profile{protocol: "hdlc", family: "aidon"}, profile{protocol: "hdlc"}, profile{protocol: "p1", family: "aidon"}
	kaifa, embriq := profile{protocol: "hdlc", family: "kaifa"}, profile{protocol: "hdlc", family: "landisgyr", named: true}
	tests := []struct {
		name string
		seen []profile
		want string
	}{
		{"one profile", []profile{hdlc, hdlc, hdlc, hdlc}, ""},
		{"lists that name no make", []profile{short, short, hdlc, short, short, short, hdlc}, ""},
		{"a stray telegram", []profile{hdlc, text, text, hdlc, text, hdlc}, ""},
		{"another framing", []profile{hdlc, text, text, text, text}, "aidon hdlc > aidon p1; "},
		{"another make", []profile{hdlc, kaifa, short, kaifa}, ""}, // a list that names none may be the old one's
		{"another make, named each time", []profile{hdlc, kaifa, kaifa, kaifa}, "aidon hdlc > kaifa hdlc; "},
		{"lists that look like another make's", []profile{embriq, hdlc, hdlc, hdlc, embriq, hdlc, hdlc, hdlc}, ""},
		{"the name of the list comes later", []profile{hdlc, embriq, hdlc, text, text, text}, "landisgyr hdlc > aidon p1; "},
		{"a make that is named later", []profile{text, short, hdlc, short, hdlc}, "aidon p1 > aidon hdlc; "},
		{"there and back", []profile{hdlc, text, text, text, hdlc, hdlc, hdlc}, "aidon hdlc > aidon p1; aidon p1 > aidon hdlc; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w profiles
			got := ""
			for _, p := range tt.seen {
				if from, changed := w.add(p); changed {
					got += from.String() + " > " + w.current.String() + "; "
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
