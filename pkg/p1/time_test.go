package p1_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

func TestJoinTime(t *testing.T) {
	at := obis.Time{Year: 2022, Month: 1, Day: 30, Hour: 9, Minute: 41, Second: 27}
	for _, tt := range []struct {
		time, date string
		want       obis.Time
		ok         bool
	}{
		{"094127", "220130", at, true},
		{"094127", "20220130", at, true},
		{"094127", "19220130", obis.Time{}, false},
		{"094127", "221330", obis.Time{Year: 2022, Month: 13, Day: 30, Hour: 9, Minute: 41, Second: 27}, false},
		{"94127", "220130", obis.Time{}, false},
		{"094127", "2220130", obis.Time{}, false},
		{"0941x7", "220130", obis.Time{}, false},
		{"", "", obis.Time{}, false},
	} {
		got, ok := p1.ParseClock([]byte(tt.time), []byte(tt.date))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("JoinTime(%q, %q) = %v, %v; want %v, %v", tt.time, tt.date, got, ok, tt.want, tt.ok)
		}
	}
}
