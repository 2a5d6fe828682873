package rates

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestRatesRetained tests the rates of two meters for which the broker retains messages.
func TestRatesRetained(t *testing.T) {
	setup := houseSetup()
	barn := defaultMeter()
	barn.ID = "barn"
	setup.Meters = append(setup.Meters, barn)
	setup.Publish = throttle.Realtime
	retained := retainedOf(householdRetained(t, deviceStyle()))
	retained.Values["barn"] = map[string]string{"telegram_interval": "2.5", "gas": "1.000", "import_power": "7", "net_power": "", "status": "online"}
	retained.Announced = append(retained.Announced, discovery.Message{
		Topic:   "homeassistant/sensor/hanbridge_barn/import_power/config",
		Payload: []byte(`{"device":{"name":"Barn"},"origin":{"name":"hanbridge"},"unique_id":"hanbridge_barn_import_power","expire_after":10800}`),
	})
	var r report
	r.addRetained(setup, retained, nil)
	if len(r.Meters) != 2 || r.Note != "" {
		t.Fatalf("report: got %d meters and note %q, want 2 meters and no note", len(r.Meters), r.Note)
	}
	houseRates, barnRates := r.Meters[0], r.Meters[1]
	if houseRates.Interval != "10" || len(houseRates.Quantities) != 30 || houseRates.EveryTelegram != houseRates.States || houseRates.States < 100_000 {
		t.Errorf("house: got interval %s s, %d quantities, %d of %d states, want 10 s, 30 quantities, all of at least 100 000 states",
			houseRates.Interval, len(houseRates.Quantities), houseRates.States, houseRates.EveryTelegram)
	}
	gotIntervals := map[string]string{} // by quantity, in seconds
	for _, q := range barnRates.Quantities {
		gotIntervals[q.Quantity] = string(q.Every)
	}
	wantIntervals := map[string]string{"import_power": "3600", "net_power": "2.5", "gas": "2.5"}
	if diff := cmp.Diff(wantIntervals, gotIntervals); diff != "" || barnRates.Interval != "2.5" {
		t.Errorf("barn: got interval %s s, want 2.5 s; intervals of the quantities (-want +got):\n%s", barnRates.Interval, diff)
	}
	if r.EveryTelegram != houseRates.EveryTelegram+barnRates.EveryTelegram || r.States != houseRates.States+barnRates.States {
		t.Errorf("total: got %+v, want the sum of house and barn", r.dayRates)
	}
	var out strings.Builder
	if err := r.print(&out); err != nil || !strings.Contains(out.String(), "\nbarn, a telegram every 2.5 s\n") || !strings.Contains(out.String(), "\nall meters ") {
		t.Errorf("print: got error %v and this text, want a table for barn and a line for all meters:\n%s", err, out.String())
	}
}

// TestRatesUnknown tests that a note says for which meters the broker retains no messages.
func TestRatesUnknown(t *testing.T) {
	barn := defaultMeter()
	barn.ID = "barn"
	tests := []struct {
		name     string
		retained announcements.Retained
		err      error
		wantNote string // how the note begins
		want     string // the only meter of the report
	}{
		{"no retained messages", announcements.Retained{}, nil, "Nothing is known of your meter yet (mqtt://a holds nothing of it).\nThese are", "a typical meter"},
		{"the broker does not answer", announcements.Retained{}, errors.New("no answer"), "Nothing is known of your meter yet (no answer).", "a typical meter"},
		{"retained messages of one of two meters", retainedOf(householdRetained(t, deviceStyle())), nil, "Not counted, since the broker holds nothing of it yet: barn.", "house"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setup := houseSetup()
			setup.Meters = append(setup.Meters, barn)
			var r report
			r.addRetained(setup, tt.retained, tt.err)
			if !strings.HasPrefix(r.Note, tt.wantNote) || len(r.Meters) != 1 || r.Meters[0].Meter != tt.want {
				t.Errorf("got note %q and meters %+v, want note %q and meter %s", r.Note, r.Meters, tt.wantNote, tt.want)
			}
		})
	}
}

// TestProfileOf tests that the profile of a recording has the interval of each quantity, measured with the meter's clock.
func TestProfileOf(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name      string
		telegrams int              // number of telegrams
		span      time.Duration    // from the first telegram to the last, by the meter's clock
		sent      [2]int           // number of telegrams with import_power, and with import_energy
		want      [3]time.Duration // interval of the telegrams, of import_power and of import_energy
	}{
		{"one telegram", 1, 0, [2]int{1, 1}, [3]time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second}},
		{"a meter without a clock", 20, 0, [2]int{20, 10}, [3]time.Duration{10 * time.Second, 10 * time.Second, 20 * time.Second}},
		{"a telegram every second", 61, time.Minute, [2]int{61, 61}, [3]time.Duration{time.Second, time.Second, time.Second}},
		{"every fourth telegram has import_energy", 41, 100 * time.Second, [2]int{41, 10}, [3]time.Duration{2500 * time.Millisecond, 2500 * time.Millisecond, 10300 * time.Millisecond}},
		{"one telegram has import_energy: it is an hourly list", 41, 100 * time.Second, [2]int{41, 1}, [3]time.Duration{2500 * time.Millisecond, 2500 * time.Millisecond, time.Hour}},
		{"a clock that runs backwards", 5, -time.Hour, [2]int{5, 5}, [3]time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &announcements.Observation{Telegrams: tt.telegrams, First: start, Last: start.Add(tt.span)}
			addQuantity(s, quantity.ImportEnergy, tt.sent[1])
			addQuantity(s, quantity.ImportPower, tt.sent[0])
			m := profileOf(s)
			got := [3]time.Duration{m.interval, m.quantities[0].Interval, m.quantities[1].Interval}
			if got != tt.want || m.quantities[0].ID.String() != "import_power" {
				t.Errorf("got intervals %v, want %v; got first quantity %v, want import_power", got, tt.want, m.quantities[0].ID)
			}
		})
	}
}

// TestRatesFollowPublish tests that a preset or a setting with fewer messages gives fewer states.
func TestRatesFollowPublish(t *testing.T) {
	setup := houseSetup()
	f, err := virtualport.Family("aidon-se")
	if err != nil {
		t.Fatal(err)
	}
	s, err := announcements.ObserveFamily(setup, f)
	if err != nil {
		t.Fatal(err)
	}
	states := func(publish throttle.Preset, quantities string) int {
		c := setup.Config
		c.Publish, c.Quantities = publish, parseQuantities(t, quantities)
		var r report
		r.add(c, profileOf(s))
		return r.States
	}
	realtime, balanced, frugal := states(throttle.Realtime, ""), states(throttle.Balanced, ""), states(throttle.Frugal, "")
	if realtime <= 2*balanced || balanced <= frugal {
		t.Errorf("realtime %d, balanced %d, frugal %d: want balanced below half of realtime, and frugal below balanced", realtime, balanced, frugal)
	}
	if got := states(throttle.Balanced, "voltage_* min_interval=10m max_silence=10m"); got >= balanced {
		t.Errorf("voltages every ten minutes: got %d states, want fewer than %d", got, balanced)
	}
}

// TestGroupDigits tests that a space separates groups of three digits.
func TestGroupDigits(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 9800: "9 800", 123456: "123 456", 3113280: "3 113 280"} {
		if got := groupDigits(n); got != want {
			t.Errorf("groupDigits(%d): got %q, want %q", n, got, want)
		}
	}
}

// addQuantity adds to s a quantity that the meter has sent in so many telegrams.
func addQuantity(s *announcements.Observation, id quantity.ID, sent int) {
	if s.Sent == nil {
		s.Sent = map[quantity.ID]int{}
	}
	s.Sent[id] = sent
	s.Meter.Quantities = append(s.Meter.Quantities, discovery.Quantity{ID: id})
}
