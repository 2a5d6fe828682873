package rates

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/estimate"
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
	retained := retainedOf(houseRetained(t, deviceStyle()))
	// An empty value counts too: barn sends net_power.
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
	// With the preset realtime, every telegram is published, so States and EveryTelegram are equal.
	if houseRates.Interval != "10" || len(houseRates.Quantities) != 30 || houseRates.EveryTelegram != houseRates.States || houseRates.States < 100_000 {
		t.Errorf("house: got interval %s s, %d quantities, %d states, %d states of every telegram, want 10 s, 30 quantities, two equal numbers of at least 100 000",
			houseRates.Interval, len(houseRates.Quantities), houseRates.States, houseRates.EveryTelegram)
	}
	gotIntervals := map[string]string{} // by quantity, in seconds
	for _, q := range barnRates.Quantities {
		gotIntervals[q.Quantity] = string(q.Every)
	}
	// expire_after is three times the interval of import_power. The other quantities have the interval of the telegrams.
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
		name      string
		retained  announcements.Retained
		err       error
		wantNote  string // how the note begins
		wantMeter string // the only meter of the report
	}{
		{"no retained messages", announcements.Retained{}, nil, "Nothing is known of your meter yet (mqtt://a retains no message of it).\nThese are", "a typical meter"},
		{"the broker does not answer", announcements.Retained{}, errors.New("no answer"), "Nothing is known of your meter yet (no answer).", "a typical meter"},
		{"retained messages of one of two meters", retainedOf(houseRetained(t, deviceStyle())), nil, "Not counted, because the broker retains no message of them yet: barn.", "house"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setup := houseSetup()
			setup.Meters = append(setup.Meters, barn)
			var r report
			r.addRetained(setup, tt.retained, tt.err)
			if !strings.HasPrefix(r.Note, tt.wantNote) || len(r.Meters) != 1 || r.Meters[0].Meter != tt.wantMeter {
				t.Errorf("got note %q and meters %+v, want note %q and meter %s", r.Note, r.Meters, tt.wantNote, tt.wantMeter)
			}
		})
	}
}

// TestProfileOf tests that the profile of a recording has the interval of each quantity, measured with the meter's clock.
func TestProfileOf(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	const defaultInterval = 10 * time.Second // the assumed interval if the meter's clock does not give the interval
	tests := []struct {
		name         string
		telegrams    int
		span         time.Duration // from the first telegram to the last, by the meter's clock; 0 for a meter without a clock
		powerSent    int           // number of telegrams with import_power
		energySent   int           // number of telegrams with import_energy
		wantInterval time.Duration // of the telegrams
		wantPower    time.Duration // interval of import_power
		wantEnergy   time.Duration // interval of import_energy
	}{
		{
			name: "one telegram", telegrams: 1, powerSent: 1, energySent: 1,
			wantInterval: defaultInterval, wantPower: defaultInterval, wantEnergy: defaultInterval,
		},
		{
			name: "a meter without a clock", telegrams: 20, powerSent: 20, energySent: 10,
			wantInterval: defaultInterval, wantPower: defaultInterval, wantEnergy: 2 * defaultInterval,
		},
		{
			name: "a telegram every second", telegrams: 61, span: time.Minute, powerSent: 61, energySent: 61,
			wantInterval: time.Second, wantPower: time.Second, wantEnergy: time.Second,
		},
		{
			// The interval of import_energy is 2.5 s × 41 / 10 = 10.25 s, rounded to tenths of a second.
			name: "10 of 41 telegrams have import_energy", telegrams: 41, span: 100 * time.Second, powerSent: 41, energySent: 10,
			wantInterval: 2500 * time.Millisecond, wantPower: 2500 * time.Millisecond, wantEnergy: 10300 * time.Millisecond,
		},
		{
			name: "only one telegram has import_energy: a list that is sent once an hour", telegrams: 41, span: 100 * time.Second, powerSent: 41, energySent: 1,
			wantInterval: 2500 * time.Millisecond, wantPower: 2500 * time.Millisecond, wantEnergy: time.Hour,
		},
		{
			name: "a clock that runs backwards", telegrams: 5, span: -time.Hour, powerSent: 5, energySent: 5,
			wantInterval: defaultInterval, wantPower: defaultInterval, wantEnergy: defaultInterval,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			observed := &announcements.Observation{Telegrams: tt.telegrams, First: start, Last: start.Add(tt.span)}
			addQuantity(observed, quantity.ImportEnergy, tt.energySent)
			addQuantity(observed, quantity.ImportPower, tt.powerSent)
			got := profileOf(observed)
			want := sendProfile{interval: tt.wantInterval, quantities: []estimate.Quantity{
				{ID: quantity.ImportPower, Interval: tt.wantPower}, {ID: quantity.ImportEnergy, Interval: tt.wantEnergy},
			}}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(sendProfile{})); diff != "" {
				t.Errorf("profile (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRatesFollowPublish tests that a preset or an override that publishes less often gives fewer states, and that the preset of the MQTT output
// counts.
func TestRatesFollowPublish(t *testing.T) {
	setup := houseSetup()
	f, err := virtualport.Family("aidon-se")
	if err != nil {
		t.Fatal(err)
	}
	observed, err := announcements.ObserveFamily(setup, f)
	if err != nil {
		t.Fatal(err)
	}
	// dailyStates returns how many states a hub stores in a day. overrides has the form of HANBRIDGE_QUANTITIES.
	dailyStates := func(preset throttle.Preset, overrides string) int {
		c := setup.Config
		c.Publish, c.Quantities = preset, parseQuantities(t, overrides)
		var r report
		r.add(c, profileOf(observed))
		return r.States
	}
	realtime, balanced, frugal := dailyStates(throttle.Realtime, ""), dailyStates(throttle.Balanced, ""), dailyStates(throttle.Frugal, "")
	if realtime <= 2*balanced || balanced <= frugal {
		t.Errorf("realtime %d, balanced %d, frugal %d: want balanced below half of realtime, and frugal below balanced", realtime, balanced, frugal)
	}
	setup.MQTT.Publish = new(throttle.Frugal)
	if got := dailyStates(throttle.Realtime, ""); got != frugal {
		t.Errorf("mqtt.publish is frugal, publish is realtime: got %d states, want %d", got, frugal)
	}
	setup.MQTT.Publish = nil
	if got := dailyStates(throttle.Balanced, "voltage_* min_interval=10m max_silence=10m"); got >= balanced {
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

// addQuantity adds to o a quantity that the given number of telegrams contain.
func addQuantity(o *announcements.Observation, id quantity.ID, telegrams int) {
	if o.Sent == nil {
		o.Sent = map[quantity.ID]int{}
	}
	o.Sent[id] = telegrams
	o.Meter.Quantities = append(o.Meter.Quantities, discovery.Quantity{ID: id})
}
