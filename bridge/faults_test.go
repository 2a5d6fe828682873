package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// logLine has the fields of a log line that the tests check.
type logLine struct {
	Message string `json:"message"`
	Error   string `json:"error"`
	Count   int    `json:"count"`
}

// parseLog returns the lines of a log.
func parseLog(t *testing.T, log *bytes.Buffer) (all []logLine) {
	t.Helper()
	for dec := json.NewDecoder(log); ; {
		var l logLine
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
}

// TestFaultsAreCounted checks that a fault is logged once, and then every ten minutes with its count.
func TestFaultsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var f faults
		log := zerolog.New(&out)
		warn := func(text string) { f.warn(log, "wire", text, errors.New(text), time.Second) }
		for range 601 { // the last fault is ten minutes after the first
			warn("no such port")
			<-time.After(time.Second)
		}
		warn("denied")
		warn("denied")
		f.Recovered()
		warn("denied")
		want := []logLine{
			{"wire", "no such port", 0},
			{"wire", "no such port", 600},
			{"wire", "denied", 0},
			{"wire", "denied", 2}, // the fault after Recovered, and one that was not logged
		}
		if diff := cmp.Diff(want, parseLog(t, &out)); diff != "" {
			t.Error("log (-want +got):\n" + diff)
		}
	})
}

// TestFaultsOfOneKind checks that faults of one kind are counted together, also if their texts differ.
func TestFaultsOfOneKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var f faults
		for _, text := range []string{"at byte 17", "at byte 581"} {
			f.warn(zerolog.New(&out), "damaged", "", errors.New(text), 0)
		}
		if diff := cmp.Diff([]logLine{{"damaged", "at byte 17", 0}}, parseLog(t, &out)); diff != "" {
			t.Error("log (-want +got):\n" + diff)
		}
	})
}

// TestWaitIsRounded checks that a random pause is logged with at most two digits.
func TestWaitIsRounded(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		50 * time.Millisecond:       100 * time.Millisecond,
		482_917_330:                 500 * time.Millisecond,
		3 * time.Second:             3 * time.Second,
		9_940 * time.Millisecond:    9_900 * time.Millisecond,
		12_482_917_330:              12 * time.Second,
		30*time.Second + 10_000_000: 30 * time.Second,
	} {
		var out bytes.Buffer
		new(faults).warn(zerolog.New(&out), "wire", "gone", errors.New("gone"), wait)
		var line struct{ Wait float64 } // in ms, the unit of zerolog
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Wait != want.Seconds()*1000 {
			t.Errorf("%v: got %v ms, %v, want %v", wait, line.Wait, err, want)
		}
	}
}
