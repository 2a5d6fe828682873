package bridge_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
	usual "github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// searchTime is how long it may take to try all usual line settings.
var searchTime = time.Duration(len(usual.UsualLines)) * 12 * time.Second

// maxLogLines is how many log lines the search for a meter may cause.
const maxLogLines = 4

// forEachFamily runs a test in fake time for each family that choose returns true for, and for both kinds of UARTs.
func forEachFamily(t *testing.T, choose func(simulate.Family) bool, test func(*testing.T, simulate.Family, *uart)) {
	for _, f := range simulate.Families() {
		for name, patient := range map[string]bool{"takes a start bit": false, "waits for idle": true} {
			if !choose(f) {
				continue
			}
			t.Run(f.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { test(t, f, &uart{patient: patient}) })
			})
		}
	}
}

func all(simulate.Family) bool { return true }

func encrypts(f simulate.Family) bool { return f.Cipher != 0 }

// TestSearchFindsEveryFamily checks that the line setting of each family is found and kept.
func TestSearchFindsEveryFamily(t *testing.T) {
	forEachFamily(t, all, func(t *testing.T, f simulate.Family, port *uart) {
		h := newHousehold(t, f, port)
		n, bridge := h.read(options())
		defer bridge.end()
		h.sendUntil(n, 1, searchTime+3*f.Interval)
		tries := len(port.openings())
		h.sendUntil(n, 13, 13*f.Interval)
		h.check(n)
		if got := port.openings(); len(got) != tries {
			t.Errorf("found at %s, and other settings were tried afterwards: %q", got[tries-1], got)
		}
		n.inspect(func(n *recorder) {
			if n.description.Port != uartPort || n.description.Line != port.openings()[tries-1] {
				t.Errorf("got %s %s, want %s %s", n.description.Port, n.description.Line, uartPort, port.openings()[tries-1])
			}
			if len(n.events) > 0 {
				t.Errorf("events: %q", n.events)
			}
		})
		if got := strings.Count(bridge.log.String(), "\n"); got > maxLogLines {
			t.Errorf("the log has %d lines, want %d at most:\n%s", got, maxLogLines, bridge.log)
		}
	})
}

// TestNetworkReaders checks that each family is read through a network reader, with one dial.
func TestNetworkReaders(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHousehold(t, f, &uart{network: true})
				n, bridge := h.read(options())
				defer bridge.end()
				h.sendUntil(n, 12, 14*f.Interval)
				h.check(n)
				if got := len(h.port.openings()); got != 1 {
					t.Errorf("dialled %d times, want once", got)
				}
			})
		})
	}
}

// TestSearchDuringTelegram opens a slow port during a telegram. The next telegram is complete after more than 12 s only, and must be awaited.
func TestSearchDuringTelegram(t *testing.T) {
	f := familyWithLine(t, "aidon-se", "2400 8E1")
	for offset := time.Duration(0); offset < f.Interval; offset += 200 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			h := newHousehold(t, f, &uart{})
			advance(offset)
			n, bridge := h.read(options())
			defer bridge.end()
			h.sendUntil(n, 1, searchTime+3*f.Interval)
			if got := len(h.port.openings()); got != 2 {
				t.Errorf("offset %v: %d settings were tried, want 2", offset, got)
			}
		})
	}
}

// options returns options with the key of all simulated meters.
func options() meter.Options {
	return meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true}
}

// read starts a bridge that reads the port.
func (h *household) read(o meter.Options) (*recorder, *runningBridge) {
	h.t.Helper()
	var n recorder
	s := h.port.source()
	s.Options = o
	return &n, runMeter(h.t, bridge.Meter{ID: "house", KeySetting: "meters[0].key"}, s, &n)
}

// sendUntil sends telegrams until so many have been published. It fails the test if that takes longer than within.
func (h *household) sendUntil(n *recorder, telegrams int, within time.Duration) {
	h.t.Helper()
	for end := time.Now().Add(within); n.telegramCount() < telegrams; h.sendNext() {
		if time.Now().After(end) {
			h.t.Fatalf("%d telegrams within %v, want %d; tried %q", n.telegramCount(), within, telegrams, h.port.openings())
		}
	}
}

// check checks that every telegram after the first published one is published, with its values, and that no others are.
func (h *household) check(n *recorder) {
	h.t.Helper()
	decoder := meter.NewDecoder(nil, options())
	var want []map[string]string
	for i := range h.sent {
		want = append(want, valuesOf(h.t, decoder, &h.sent[i]))
	}
	n.inspect(func(n *recorder) {
		index := 0
		for i, telegram := range n.telegrams {
			got := map[string]string{}
			for _, v := range telegram.Values {
				got[v.ID.String()] = text(v.Number, v.Text)
			}
			if i == 0 {
				for index+1 < len(want) && (!cmp.Equal(got, want[index]) || !h.sent[index+1].at.After(telegram.Received)) {
					index++
				}
			}
			if index == len(want) {
				h.t.Fatalf("%d telegrams are published, and fewer were sent", len(n.telegrams))
			}
			if diff := cmp.Diff(want[index], got); diff != "" {
				h.t.Fatalf("telegram %d, published as number %d (-sent +published):\n%s", index, i, diff)
			}
			index++
		}
		if index < len(want)-1 { // the end of the last telegram may be known only by the next
			h.t.Errorf("%d of %d telegrams are missing", len(want)-index, len(want))
		}
	})
}

// valuesOf decodes a telegram as it was sent. Some values must be those of the household.
func valuesOf(t *testing.T, decoder *meter.Decoder, s *sentTelegram) map[string]string {
	t.Helper()
	decoder.Reset(bytes.NewReader(s.telegram))
	r, err := decoder.Next()
	if err != nil {
		t.Fatalf("the telegram as it was sent: %v", err)
	}
	values, compared := map[string]string{}, 0
	for i := range r.Samples {
		v := &r.Samples[i]
		name := v.ID.String()
		values[name] = text(v.Value, string(v.Text))
		want, within, ok := expectedValue(s, name)
		if !ok {
			continue
		}
		compared++
		if d, ok := v.Value.Add(want.Neg()); !ok || d.Cmp(within) > 0 || d.Cmp(within.Neg()) < 0 {
			t.Errorf("%s: got %v, and the household had %v", name, v.Value, want)
		}
	}
	if compared == 0 {
		t.Errorf("nothing to compare with the household among %v", values)
	}
	return values
}

func text(number obis.Decimal, text string) string { return fmt.Sprint(number, text) }

// expectedValue returns the value of a quantity in the household, and by how much a meter may round it. Ok is false if it is not known.
func expectedValue(s *sentTelegram, quantity string) (value, within obis.Decimal, ok bool) {
	watts, _ := s.state.Net()
	switch quantity {
	case "import_power":
		return obis.Decimal{Coef: max(watts, 0) / s.family.Ratio}, obis.Decimal{Coef: 10}, true
	case "export_power":
		return obis.Decimal{Coef: max(-watts, 0) / s.family.Ratio}, obis.Decimal{Coef: 10}, true
	case "voltage_l1":
		return obis.Decimal{Coef: s.state.Voltage[0], Exp: -1}, obis.Decimal{Coef: 1}, true
	case "import_energy":
		ws := s.state.Energies.Import
		if s.family.Country == "NO" || s.family.Name == "kamstrup-se" {
			return value, within, false // these send the value at the last hour
		}
		return obis.Decimal{Coef: ws * 25 / 9 / s.family.Ratio, Exp: -7}, obis.Decimal{Coef: 1, Exp: -2}, true
	case "thermal_energy":
		return obis.Decimal{Coef: s.state.Heat, Exp: -3}, obis.Decimal{Coef: 1, Exp: -3}, true
	}
	return value, within, false
}
