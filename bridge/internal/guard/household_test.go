package guard_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A household is a simulated household with a meter, and the way in which the meter is read.
type household struct {
	family   string // of meters, as in package simulate
	ratio    int64  // of the current transformers in front of the meter; 0 for none
	recorded bool   // the clock of the machine stands still
	gaps     bool   // now and then the telegrams of up to five hours are missing
	restarts bool   // the Guard is restored from a snapshot now and then
	noClock  bool   // the telegrams are checked without the meter's time

	interval time.Duration // the shortest time between telegrams; 0 stands for 30 s
	mustHave string        // a quantity that at least five telegrams must have; "" stands for import_energy, "-" for none
}

// TestTrueCounters checks that no true value is rejected. In the simulated night, summer time ends and clocks are set back. Recordings
// begin a day earlier, because some meters send no time zone, so that a recording cannot show that an hour was repeated.
func TestTrueCounters(t *testing.T) {
	for _, tt := range []household{
		{family: "p1-se-aidon", interval: 10 * s},
		{family: "p1-se-aidon", recorded: true, gaps: true},
		{family: "p1-se-aidon", gaps: true, restarts: true, noClock: true},
		{family: "p1-se-aidon", ratio: 60, gaps: true},
		{family: "aidon-se", gaps: true, restarts: true},
		{family: "aidon-se", ratio: 600, recorded: true},
		{family: "aidon-no", interval: 10 * s, gaps: true},
		{family: "aidon-no", interval: 10 * s, ratio: 60, restarts: true},
		{family: "aidon-no3", recorded: true, gaps: true},
		{family: "kamstrup-no", ratio: 60, gaps: true, restarts: true},
		{family: "kaifa-se-ct", ratio: 40},
		{family: "p1-nl-5", mustHave: "water"},
		{family: "p1-nl-4-kaifa", mustHave: "gas", recorded: true, gaps: true},
		{family: "p1-nl-22", mustHave: "gas", ratio: 60, gaps: true, restarts: true},
	} {
		t.Run(tt.String(), func(t *testing.T) { t.Parallel(); tt.run(t, 24*time.Hour) })
	}
}

func (h household) String() string {
	words := []string{h.family}
	for word, set := range map[string]bool{"scaled": h.ratio > 1, "recorded": h.recorded, "gaps": h.gaps, "restarts": h.restarts, "no clock": h.noClock} {
		if set {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return strings.Join(words, " ")
}

// TestTrueCountersOfFamilies checks that no true value of any family is rejected in three hours.
func TestTrueCountersOfFamilies(t *testing.T) {
	for _, f := range simulate.Families() {
		household{family: f.Name, mustHave: "-"}.run(t, 3*time.Hour)
	}
}

// run reads the meter for a simulated duration.
func (h household) run(t *testing.T, duration time.Duration) {
	t.Helper()
	if h.mustHave == "" {
		h.mustHave = "import_energy"
	}
	f, ok := simulate.Named(h.family)
	if !ok {
		t.Fatalf("no family %s", h.family)
	}
	begin := time.Date(2026, 10, 24, 14, 0, 0, 0, time.UTC)
	if h.recorded {
		begin = begin.AddDate(0, 0, -1)
	}
	f.Interval = max(f.Interval, cmp.Or(h.interval, 30*time.Second))
	sender := simulate.NewMeter(f, 7, begin) // 7 is an arbitrary seed
	random := rand.New(rand.NewPCG(1, 2))
	g, d := newGuard(0), decoder(h.ratio)
	var snapshot guard.Snapshot
	withQuantity := 0 // telegrams with the quantity mustHave
	for silentUntil := begin; ; {
		at, telegram := sender.Next()
		if at.Sub(begin) > duration {
			break
		}
		if h.gaps && random.IntN(500) == 0 {
			silentUntil = at.Add(time.Duration(random.IntN(5*3600)) * time.Second)
		}
		if at.Before(silentUntil) {
			continue
		}
		if h.restarts && random.IntN(100) == 0 {
			g = restarted(t, g, &snapshot)
		}
		d.Reset(bytes.NewReader(telegram))
		r, err := d.Next()
		if err != nil {
			continue // some telegrams cannot be read before another telegram has arrived
		}
		if h.check(t, g, at, r) {
			withQuantity++
		}
	}
	if h.mustHave != "-" && withQuantity < 5 {
		t.Errorf("%v: got %d telegrams with %s, want at least 5", h, withQuantity, h.mustHave)
	}
}

// check checks that no value of a reading is rejected. It reports whether the reading has the quantity mustHave.
func (h household) check(t *testing.T, g *meterGuard, at time.Time, r *meter.Reading) bool {
	t.Helper()
	hasQuantity := slices.ContainsFunc(r.Samples, func(s quantity.Sample) bool { return s.ID.String() == h.mustHave })
	telegram := guard.Telegram{Received: at, MeterTime: r.Time, MeterReplaced: g.replaced(r.Meter.Serial), Samples: r.Samples}
	if h.recorded {
		telegram.Received = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if h.noClock {
		telegram.MeterTime = obis.Time{}
	}
	if got := describe(g.Check(&telegram)); got != "" {
		t.Fatalf("%v, at %v: got %q, want nothing rejected", h, at, got)
	}
	return hasQuantity
}

// decoder returns a Decoder that multiplies powers and energies by the ratio of current transformers.
func decoder(ratio int64) *meter.Decoder {
	o := meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true}
	if ratio > 1 {
		o.Scale = new(quantity.Scale)
		for i, row := range quantity.Rows() {
			if strings.Contains(row.Name, "_power") || strings.Contains(row.Name, "_energy") {
				o.Scale[i] = obis.Decimal{Coef: ratio}
			}
		}
	}
	return meter.NewDecoder(nil, o)
}

// restarted returns a new Guard that is restored from a snapshot of g. It writes the snapshot to m.
func restarted(t fataler, g *meterGuard, m *guard.Snapshot) *meterGuard {
	t.Helper()
	g.Snapshot(m)
	return restored(t, m)
}

// restored returns a new Guard that is restored from a snapshot. It encodes the snapshot as JSON and decodes it, like the state file.
func restored(t fataler, m *guard.Snapshot) *meterGuard {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var decoded guard.Snapshot
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	g := newGuard(0)
	g.Restore(&decoded)
	return g
}

// A fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}
