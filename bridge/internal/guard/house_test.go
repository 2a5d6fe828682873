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

// A house is a simulated household, its meter, and how it is read.
type house struct {
	family   string
	factor   int64 // of the transformers before the meter
	recorded bool  // all telegrams are read in no time
	gaps     bool  // now and then some hours are missing
	restarts bool  // the Guard is put aside and restored, for gaps or without
	blind    bool  // the meter's clock is not read

	every time.Duration // the least time between telegrams, 0 for 30 s
	wants string        // a quantity that must have been seen; "" for import_energy, "-" for none
}

// TestTruth: nothing that a meter counts is ever held back. The night is the one in which clocks are set back; for recordings it is
// another, as a Norwegian one knows nothing of that hour.
func TestTruth(t *testing.T) {
	for _, tt := range []house{
		{family: "p1-se-aidon", every: 10 * s},
		{family: "p1-se-aidon", recorded: true, gaps: true},
		{family: "p1-se-aidon", gaps: true, restarts: true, blind: true},
		{family: "p1-se-aidon", factor: 60, gaps: true},
		{family: "aidon-se", gaps: true, restarts: true},
		{family: "aidon-se", factor: 600, recorded: true},
		{family: "aidon-no", every: 10 * s, gaps: true},
		{family: "aidon-no", every: 10 * s, factor: 60, restarts: true},
		{family: "aidon-no3", recorded: true, gaps: true},
		{family: "kamstrup-no", factor: 60, gaps: true, restarts: true},
		{family: "kaifa-se-ct", factor: 40},
		{family: "p1-nl-5", wants: "water"},
		{family: "p1-nl-4-kaifa", wants: "gas", recorded: true, gaps: true},
		{family: "p1-nl-22", wants: "gas", factor: 60, gaps: true, restarts: true},
	} {
		t.Run(tt.String(), func(t *testing.T) { t.Parallel(); tt.live(t, 24*time.Hour) })
	}
}

func (o house) String() string {
	words := []string{o.family}
	for word, is := range map[string]bool{"scaled": o.factor > 1, "recorded": o.recorded, "gaps": o.gaps, "restarts": o.restarts, "blind": o.blind} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return strings.Join(words, " ")
}

// TestTruthOfAll is the same for three hours of every family.
func TestTruthOfAll(t *testing.T) {
	for _, f := range simulate.Families() {
		house{family: f.Name, wants: "-"}.live(t, 3*time.Hour)
	}
}

// live reads the meter for so long.
func (o house) live(t *testing.T, length time.Duration) {
	t.Helper()
	if o.wants == "" {
		o.wants = "import_energy"
	}
	f, ok := simulate.Named(o.family)
	if !ok {
		t.Fatalf("no family %s", o.family)
	}
	from := time.Date(2026, 10, 24, 14, 0, 0, 0, time.UTC)
	if o.recorded {
		from = from.AddDate(0, 0, -1)
	}
	f.Interval = max(f.Interval, cmp.Or(o.every, 30*time.Second))
	mt := simulate.NewMeter(f, 7, from)
	chance := rand.New(rand.NewPCG(1, 2))
	g, d := guard.New(0), decoder(o.factor)
	var memory guard.Memory
	counters := 0
	for silent := from; ; {
		at, telegram := mt.Next()
		if at.Sub(from) > length {
			break
		}
		if o.gaps && chance.IntN(500) == 0 {
			silent = at.Add(time.Duration(chance.IntN(5*3600)) * time.Second)
		}
		if at.Before(silent) {
			continue
		}
		if o.restarts && chance.IntN(100) == 0 {
			g = restarted(t, g, &memory)
		}
		d.Reset(bytes.NewReader(telegram))
		r, err := d.Next()
		if err != nil {
			continue // some lists want two alike, or another list first
		}
		counters += o.check(t, g, at, r)
	}
	if o.wants != "-" && counters < 5 {
		t.Errorf("%v: got %d telegrams with %s, want more", o, counters, o.wants)
	}
}

// check judges a reading, and returns 1 if it has the quantity that it wants.
func (o house) check(t *testing.T, g *guard.Guard, at time.Time, r *meter.Reading) (found int) {
	t.Helper()
	for _, s := range r.Samples {
		if s.ID.String() == o.wants {
			found = 1
		}
	}
	telegram := guard.Telegram{Received: at, Meter: r.Time, Serial: r.Meter.Serial, Samples: r.Samples}
	if o.recorded {
		telegram.Received = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.blind {
		telegram.Meter = obis.Time{}
	}
	if got := said(g.Judge(&telegram)); got != "" {
		t.Fatalf("%v, at %v: %s", o, at, got)
	}
	return found
}

func decoder(factor int64) *meter.Decoder {
	o := meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true}
	if factor > 1 {
		o.Scale = new(quantity.Scale)
		for i, row := range quantity.Rows() {
			if strings.Contains(row.Name, "_power") || strings.Contains(row.Name, "_energy") {
				o.Scale[i] = obis.Decimal{Coef: factor}
			}
		}
	}
	return meter.NewDecoder(nil, o)
}

// restarted returns a Guard that knows what the other one gives to be kept, as it is kept.
func restarted(t fataler, g *guard.Guard, m *guard.Memory) *guard.Guard {
	t.Helper()
	g.Remember(m)
	return restored(t, m)
}

func restored(t fataler, m *guard.Memory) *guard.Guard {
	t.Helper()
	kept, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var read guard.Memory
	if err := json.Unmarshal(kept, &read); err != nil {
		t.Fatal(err)
	}
	g := guard.New(0)
	g.Restore(&read)
	return g
}

// A fataler is a test of any kind.
type fataler interface {
	Helper()
	Fatal(args ...any)
}
