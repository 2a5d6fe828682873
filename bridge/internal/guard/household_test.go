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

// A household is a simulated household, its meter, and how the meter is read.
type household struct {
	family   string
	ratio    int64 // of the current transformers in front of the meter; 0 for none
	recorded bool  // the clock of the machine stands still
	gaps     bool  // now and then some hours are missing
	restarts bool  // the Guard is restored from a snapshot now and then
	noClock  bool  // the telegrams are checked without the meter's time

	interval time.Duration // the least time between telegrams; 0 for 30 s
	mustHave string        // a quantity that the telegrams must have; "" for import_energy, "-" for none
}

// TestTrueCounters checks that no true value is rejected. In the simulated night clocks are set back. Recordings are of another night,
// since a Norwegian meter sends no zone and a recording of it does not show that hour.
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

func (o household) String() string {
	words := []string{o.family}
	for word, is := range map[string]bool{"scaled": o.ratio > 1, "recorded": o.recorded, "gaps": o.gaps, "restarts": o.restarts, "no clock": o.noClock} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return strings.Join(words, " ")
}

// TestTrueCountersOfFamilies checks the same for three hours of every family.
func TestTrueCountersOfFamilies(t *testing.T) {
	for _, f := range simulate.Families() {
		household{family: f.Name, mustHave: "-"}.run(t, 3*time.Hour)
	}
}

// run reads the meter for the simulated time.
func (o household) run(t *testing.T, length time.Duration) {
	t.Helper()
	if o.mustHave == "" {
		o.mustHave = "import_energy"
	}
	f, ok := simulate.Named(o.family)
	if !ok {
		t.Fatalf("no family %s", o.family)
	}
	from := time.Date(2026, 10, 24, 14, 0, 0, 0, time.UTC)
	if o.recorded {
		from = from.AddDate(0, 0, -1)
	}
	f.Interval = max(f.Interval, cmp.Or(o.interval, 30*time.Second))
	sender := simulate.NewMeter(f, 7, from)
	random := rand.New(rand.NewPCG(1, 2))
	g, d := guard.New(0), decoder(o.ratio)
	var snapshot guard.Snapshot
	counters := 0
	for silentUntil := from; ; {
		at, telegram := sender.Next()
		if at.Sub(from) > length {
			break
		}
		if o.gaps && random.IntN(500) == 0 {
			silentUntil = at.Add(time.Duration(random.IntN(5*3600)) * time.Second)
		}
		if at.Before(silentUntil) {
			continue
		}
		if o.restarts && random.IntN(100) == 0 {
			g = restarted(t, g, &snapshot)
		}
		d.Reset(bytes.NewReader(telegram))
		r, err := d.Next()
		if err != nil {
			continue // some lists are read only after a second one alike, or after another list
		}
		counters += o.check(t, g, at, r)
	}
	if o.mustHave != "-" && counters < 5 {
		t.Errorf("%v: got %d telegrams with %s, want at least 5", o, counters, o.mustHave)
	}
}

// check checks a reading, in which nothing may be rejected. It returns 1 if the reading has the quantity mustHave, 0 otherwise.
func (o household) check(t *testing.T, g *guard.Guard, at time.Time, r *meter.Reading) (found int) {
	t.Helper()
	for _, s := range r.Samples {
		if s.ID.String() == o.mustHave {
			found = 1
		}
	}
	telegram := guard.Telegram{Received: at, MeterTime: r.Time, Serial: r.Meter.Serial, Samples: r.Samples}
	if o.recorded {
		telegram.Received = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.noClock {
		telegram.MeterTime = obis.Time{}
	}
	if got := describe(g.Check(&telegram)); got != "" {
		t.Fatalf("%v, at %v: %s", o, at, got)
	}
	return found
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

// restarted returns a Guard that is restored from a snapshot of g. It uses the memory of m for the snapshot.
func restarted(t fataler, g *guard.Guard, m *guard.Snapshot) *guard.Guard {
	t.Helper()
	g.Snapshot(m)
	return restored(t, m)
}

// restored returns a Guard that is restored from a snapshot, which goes through JSON as in the state file.
func restored(t fataler, m *guard.Snapshot) *guard.Guard {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var read guard.Snapshot
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	g := guard.New(0)
	g.Restore(&read)
	return g
}

// A fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}
