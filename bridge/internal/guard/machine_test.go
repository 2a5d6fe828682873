package guard_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// names are the counters of the machine: two that are sent with every telegram, their sum, and one that is not always.
var names = [4]string{"import_energy_t1", "import_energy_t2", "import_energy", "export_energy"}

const sum, export = 2, 3

// A machine is a meter that counts, is replaced and sends nonsense, and the Guard behind it. Numbers are in Wh.
type machine struct {
	t     *rapid.T
	g     *guard.Guard
	kept  guard.Memory
	at    time.Time
	clock bool // telegrams have the meter's
	live  bool // our clock runs

	truth  [4]int64
	good   map[quantity.ID]int64 // the last that was believed
	wrong  int                   // telegrams in a row
	strait int                   // true telegrams in a row since the meter was replaced, -1 when the last one is followed
}

// pass lets time go by in which the house uses what its fuse lets through, or less.
func (m *machine) pass(seconds int) {
	m.at = m.at.Add(time.Duration(seconds) * time.Second)
	for i := range m.truth {
		const watts = 5000
		m.truth[i] += watts * int64(rapid.IntRange(0, seconds).Draw(m.t, "used")) / 3600
	}
	m.truth[sum] = m.truth[0] + m.truth[1]
}

// send judges a telegram. Whatever it says, no counter is less than it was without being said to begin again, and no sum is believed
// without its parts.
func (m *machine) send(values [4]int64, exports bool) (held map[quantity.ID]bool) {
	telegram := guard.Telegram{Received: start}
	if m.live {
		telegram.Received = m.at
	}
	if m.clock {
		telegram.Meter = obis.FromTime(m.at)
	}
	for i, name := range names {
		if id, _ := quantity.Named(name); i != export || exports {
			telegram.Samples = append(telegram.Samples, quantity.Sample{ID: id, Derived: i == sum, Value: obis.Decimal{Coef: values[i], Exp: -3}})
		}
	}
	j := m.g.Judge(&telegram)
	held = map[quantity.ID]bool{}
	for _, h := range j.Held {
		held[h.ID] = true
	}
	for _, s := range j.Good {
		began := slices.ContainsFunc(j.Resets, func(r guard.Reset) bool { return r.ID == s.ID })
		if last := m.good[s.ID]; s.Value.Coef < last && !began {
			m.t.Fatalf("%v went from %d to %d", s.ID, last, s.Value.Coef)
		}
		m.good[s.ID] = s.Value.Coef
	}
	if id, _ := quantity.Named(names[sum]); !held[id] && len(held) > 0 {
		for tariff := range held {
			if name := tariff.String(); name == names[0] || name == names[1] {
				m.t.Fatalf("%s is held back, and the sum is not", name)
			}
		}
	}
	return held
}

// true sends what is true. It is held back only while a new meter has not sent three telegrams.
func (m *machine) true() {
	m.pass(rapid.SampledFrom([]int{1, 10, 900, 3600}).Draw(m.t, "seconds"))
	// Telegrams without a counter are none of those in a row that carry it.
	held := m.send(m.truth, m.strait >= 0 || m.wrong > 0 || rapid.Bool().Draw(m.t, "exports"))
	m.wrong = 0
	if m.strait >= 0 {
		m.strait++
	}
	switch {
	case m.strait >= 0 && m.strait < 3:
		if len(held) != len(names) {
			m.t.Fatalf("telegram %d of a new meter is believed but for %v", m.strait, held)
		}
	case len(held) > 0:
		m.t.Fatalf("%v are held back, and are true", held)
	default:
		m.strait = -1
	}
}

// nonsense sends a wrong value of one counter or of all, at most twice in a row.
func (m *machine) nonsense() {
	if m.wrong == 2 || m.strait >= 0 {
		m.t.Skip("two wrong ones in a row are enough, and none while a meter is replaced: rapid draws another step")
	}
	m.wrong++
	m.pass(rapid.IntRange(0, 10).Draw(m.t, "seconds"))
	values := m.truth
	wrong := rapid.SampledFrom([][]int{{0, sum}, {1, sum}, {export}, {0, 1, sum, export}}).Draw(m.t, "which")
	kind := rapid.SampledFrom([]string{"zero", "back", "jump"}).Draw(m.t, "kind")
	for _, i := range wrong {
		id, _ := quantity.Named(names[i])
		switch kind {
		case "zero":
			values[i] = 0
		case "back":
			values[i] = m.good[id] - 1 - int64(rapid.IntRange(0, int(m.good[id])).Draw(m.t, "less"))
		case "jump":
			values[i] += 15_000_000
		}
	}
	if kind != "back" {
		values[sum] = values[0] + values[1]
	}
	held := m.send(values, true)
	for _, i := range wrong {
		if id, _ := quantity.Named(names[i]); !held[id] {
			m.t.Fatalf("%s of %v = %d is believed", kind, id, values[i])
		}
	}
}

// replace puts another meter in the place of this one, which must have counted for a while.
func (m *machine) replace() {
	if m.strait >= 0 || m.wrong > 0 || slices.Min(m.truth[:]) < 100_000 {
		m.t.Skip("a meter is replaced when it has counted for a while, and one at a time: rapid draws another step")
	}
	m.strait = 0
	for i := range m.truth {
		m.truth[i] = rapid.Int64Range(1, m.truth[i]/4).Draw(m.t, "new")
	}
	m.truth[sum] = m.truth[0] + m.truth[1]
}

// restart ends the Guard and begins with what it knew. What was not believed is counted anew.
func (m *machine) restart() {
	m.g = restarted(m.t, m.g, &m.kept)
	m.strait = min(m.strait, 0)
}

// TestMachine: a random meter with random nonsense, over restarts.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{
			t: t, g: guard.New(0), at: start, truth: [4]int64{5_000_000, 3_000_000, 8_000_000, 2_000_000},
			good: map[quantity.ID]int64{}, strait: -1, clock: rapid.Bool().Draw(t, "clock"),
		}
		m.live = !m.clock || rapid.Bool().Draw(t, "live")
		m.send(m.truth, true)
		t.Repeat(map[string]func(*rapid.T){
			"true": func(*rapid.T) { m.true() }, "nonsense": func(*rapid.T) { m.nonsense() },
			"replace": func(*rapid.T) { m.replace() }, "restart": func(*rapid.T) { m.restart() },
		})
	})
}
