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
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// searchTime is the maximum time in which all usual line settings are tried.
var searchTime = time.Duration(len(source.UsualLines)) * 12 * time.Second

// maxLogLines is the maximum number of log lines that the search for a meter causes.
const maxLogLines = 4

// forEachFamily runs a test in fake time with each family for which choose returns true, and with both kinds of UARTs; see
// simulate.LineSetting.WaitsForIdle.
func forEachFamily(t *testing.T, choose func(simulate.Family) bool, test func(*testing.T, simulate.Family, *uart)) {
	for _, f := range simulate.Families() {
		for name, waitsForIdle := range map[string]bool{"takes a missing stop bit for a start bit": false, "waits for idle": true} {
			if !choose(f) {
				continue
			}
			t.Run(f.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { test(t, f, &uart{waitsForIdle: waitsForIdle}) })
			})
		}
	}
}

func everyFamily(simulate.Family) bool { return true }

func encryptedFamily(f simulate.Family) bool { return f.Cipher != 0 }

// TestSearchFindsEveryFamily checks that the search finds the line setting of each family, and does not try another setting afterwards.
func TestSearchFindsEveryFamily(t *testing.T) {
	forEachFamily(t, everyFamily, func(t *testing.T, f simulate.Family, port *uart) {
		h := newHousehold(t, f, port)
		rec, running := h.startBridge(options())
		defer running.end()
		h.sendUntilPublished(rec, 1, searchTime+3*f.Interval)
		openingsBefore := len(port.openings())
		h.sendUntilPublished(rec, 13, 13*f.Interval)
		h.check(rec)
		if got := port.openings(); len(got) != openingsBefore {
			t.Errorf("other settings were tried after %s was found: %q", got[openingsBefore-1], got)
		}
		rec.inspect(func(rec *recorder) {
			if rec.description.Port != uartPort || rec.description.Line != port.openings()[openingsBefore-1] {
				t.Errorf("got port and line %s %s, want %s %s", rec.description.Port, rec.description.Line, uartPort, port.openings()[openingsBefore-1])
			}
			if len(rec.events) > 0 {
				t.Errorf("got events %q, want none", rec.events)
			}
		})
		if got := strings.Count(running.log.String(), "\n"); got > maxLogLines {
			t.Errorf("the log has %d lines, want %d at most:\n%s", got, maxLogLines, running.log)
		}
	})
}

// TestNetworkReaders checks that a meter of each family is read through a network reader, with only one dial.
func TestNetworkReaders(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHousehold(t, f, &uart{network: true})
				rec, running := h.startBridge(options())
				defer running.end()
				h.sendUntilPublished(rec, 12, 14*f.Interval)
				h.check(rec)
				if got := len(h.port.openings()); got != 1 {
					t.Errorf("dialled %d times, want once", got)
				}
			})
		})
	}
}

// TestSearchDuringTelegram opens a slow port during a telegram. The next telegram is complete only after more than 12 s, and the search must
// wait for its end.
func TestSearchDuringTelegram(t *testing.T) {
	f := familyWithLine(t, "aidon-se", "2400 8E1")
	for offset := time.Duration(0); offset < f.Interval; offset += 200 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			h := newHousehold(t, f, &uart{})
			advance(offset)
			rec, running := h.startBridge(options())
			defer running.end()
			h.sendUntilPublished(rec, 1, searchTime+3*f.Interval)
			if got := len(h.port.openings()); got != 2 {
				t.Errorf("offset %v: %d settings were tried, want 2", offset, got)
			}
		})
	}
}

// options returns options with the key that all simulated meters use.
func options() meter.Options {
	return meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true}
}

// startBridge starts a bridge that reads the port.
func (h *household) startBridge(o meter.Options) (*recorder, *runningBridge) {
	h.t.Helper()
	var rec recorder
	s := h.port.source()
	s.Options = o
	return &rec, runMeter(h.t, bridge.Meter{ID: "house", KeySetting: "meters[0].key"}, s, &rec)
}

// sendUntilPublished sends telegrams until the recorder has the given number of telegrams. The test fails if that takes longer than within.
func (h *household) sendUntilPublished(rec *recorder, telegrams int, within time.Duration) {
	h.t.Helper()
	for end := time.Now().Add(within); rec.telegramCount() < telegrams; h.sendNext() {
		if time.Now().After(end) {
			h.t.Fatalf("%d telegrams were published within %v, want %d; settings that were tried: %q", rec.telegramCount(), within, telegrams, h.port.openings())
		}
	}
}

// check checks that the published telegrams are those that were sent, with their values, and that none is missing after the first one.
func (h *household) check(rec *recorder) {
	h.t.Helper()
	decoder := meter.NewDecoder(nil, options())
	var want []map[string]string
	for i := range h.sent {
		want = append(want, valuesOf(h.t, decoder, &h.sent[i]))
	}
	rec.inspect(func(rec *recorder) {
		index := 0
		for i, telegram := range rec.telegrams {
			got := map[string]string{}
			for _, v := range telegram.Values {
				got[v.ID.String()] = valueText(v.Number, v.Text)
			}
			if i == 0 { // find the sent telegram that was published first
				for index+1 < len(want) && (!cmp.Equal(got, want[index]) || !h.sent[index+1].at.After(telegram.Received)) {
					index++
				}
			}
			if index == len(want) { // every sent telegram was compared
				h.t.Fatalf("%d telegrams are published, which is more than were sent", len(rec.telegrams))
			}
			if diff := cmp.Diff(want[index], got); diff != "" {
				h.t.Fatalf("telegram %d, published as number %d (-sent +published):\n%s", index, i, diff)
			}
			index++
		}
		if index < len(want)-1 { // one can be missing, because the end of some telegrams is known only when the next one begins
			h.t.Errorf("%d of %d telegrams are missing", len(want)-index, len(want))
		}
	})
}

// valuesOf decodes a telegram as it was sent, and returns its values by name. It compares them with the state of the household, as far as
// expectedValue knows that.
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
		values[name] = valueText(v.Value, string(v.Text))
		want, tolerance, ok := expectedValue(s, name)
		if !ok {
			continue
		}
		compared++
		if d, ok := v.Value.Add(want.Neg()); !ok || d.Cmp(tolerance) > 0 || d.Cmp(tolerance.Neg()) < 0 {
			t.Errorf("%s: got %v, want %v, as in the household", name, v.Value, want)
		}
	}
	if compared == 0 {
		t.Errorf("no value can be compared with the household: %v", values)
	}
	return values
}

// valueText returns a value as text that can be compared.
func valueText(number obis.Decimal, text string) string { return fmt.Sprint(number, text) }

// expectedValue returns the value of a quantity in the household, and the tolerance because meters round values. Ok is false if the value is not
// known.
func expectedValue(s *sentTelegram, quantity string) (value, tolerance obis.Decimal, ok bool) {
	watts, _ := s.state.Net()
	switch quantity {
	case "import_power":
		return obis.Decimal{Coef: max(watts, 0) / s.family.Ratio}, obis.Decimal{Coef: 10}, true
	case "export_power":
		return obis.Decimal{Coef: max(-watts, 0) / s.family.Ratio}, obis.Decimal{Coef: 10}, true
	case "voltage_l1":
		return obis.Decimal{Coef: s.state.Voltage[0], Exp: -1}, obis.Decimal{Coef: 1}, true
	case "import_energy":
		wattSeconds := s.state.Energies.Import
		if s.family.Country == "NO" || s.family.Name == "kamstrup-se" {
			return value, tolerance, false // these meters send the value of the last full hour
		}
		return obis.Decimal{Coef: wattSeconds * 25 / 9 / s.family.Ratio, Exp: -7}, obis.Decimal{Coef: 1, Exp: -2}, true // 1 Ws is 25/9 · 10^-7 kWh
	case "thermal_energy":
		return obis.Decimal{Coef: s.state.Heat, Exp: -3}, obis.Decimal{Coef: 1, Exp: -3}, true
	}
	return value, tolerance, false
}
