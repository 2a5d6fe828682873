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

// counters are the counters of the model: two tariffs, their sum, and a counter that is not in every telegram.
var counters = [4]quantity.ID{quantity.ImportEnergyT1, quantity.ImportEnergyT2, quantity.ImportEnergy, quantity.ExportEnergy}

const sum, export = 2, 3 // indexes in counters

// A model is a meter that counts, is replaced and sends wrong values, and the Guard that checks its telegrams. Numbers are in Wh.
type model struct {
	t          *rapid.T
	guard      *meterGuard
	snapshot   guard.Snapshot
	at         time.Time
	meterClock bool // telegrams have the meter's time
	live       bool // the clock of the machine advances; for a recording it stands still

	actual     [4]int64              // the true counters
	accepted   map[quantity.ID]int64 // the last accepted values
	wrongCount int                   // wrong telegrams in a row
	// sinceReplaced is how many true telegrams a new meter has sent. It is -1 if no new meter waits to be accepted.
	sinceReplaced int
}

// pass advances the time and the counters. The household uses less than its fuse allows.
func (m *model) pass(seconds int) {
	m.at = m.at.Add(time.Duration(seconds) * time.Second)
	for i := range m.actual {
		const watts = 5000
		m.actual[i] += watts * int64(rapid.IntRange(0, seconds).Draw(m.t, "used")) / 3600
	}
	m.actual[sum] = m.actual[0] + m.actual[1]
}

// send passes a telegram to the Guard, and returns the rejected counters. No accepted counter must be lower than before without a reset.
// No sum must be accepted if one of its tariffs is rejected. The telegram has export_energy if withExport is true.
func (m *model) send(values [4]int64, withExport bool) (rejected map[quantity.ID]bool) {
	telegram := guard.Telegram{Received: start}
	if m.live {
		telegram.Received = m.at
	}
	if m.meterClock {
		telegram.MeterTime = obis.FromTime(m.at)
	}
	for i, id := range counters {
		if i != export || withExport {
			telegram.Samples = append(telegram.Samples, quantity.Sample{ID: id, Derived: i == sum, Value: obis.Decimal{Coef: values[i], Exp: -3}})
		}
	}
	result := m.guard.Check(&telegram)
	rejected = map[quantity.ID]bool{}
	for _, r := range result.Rejected {
		rejected[r.ID] = true
	}
	for _, s := range result.Accepted {
		isReset := slices.ContainsFunc(result.Resets, func(r guard.Reset) bool { return r.ID == s.ID })
		if last := m.accepted[s.ID]; s.Value.Coef < last && !isReset {
			m.t.Fatalf("%v: accepted %d after %d without a reset", s.ID, s.Value.Coef, last)
		}
		m.accepted[s.ID] = s.Value.Coef
	}
	if !rejected[counters[sum]] && len(rejected) > 0 {
		for tariff := range rejected {
			if tariff == counters[0] || tariff == counters[1] {
				m.t.Fatalf("%s is rejected, but the sum is accepted, want the sum rejected too", tariff)
			}
		}
	}
	return rejected
}

// sendTrue sends the true counters. They must be rejected only in the first two telegrams of a new meter.
func (m *model) sendTrue() {
	m.pass(rapid.SampledFrom([]int{1, 10, 900, 3600}).Draw(m.t, "seconds"))
	// A reset of export_energy is accepted in the third telegram that has export_energy. So no telegram of a new meter omits export_energy.
	// The first telegram after a wrong telegram has export_energy too, so that its true value ends the series of wrong values.
	rejected := m.send(m.actual, m.sinceReplaced >= 0 || m.wrongCount > 0 || rapid.Bool().Draw(m.t, "exports"))
	m.wrongCount = 0
	if m.sinceReplaced >= 0 {
		m.sinceReplaced++
	}
	switch {
	case m.sinceReplaced >= 0 && m.sinceReplaced < 3: // the third telegram is accepted
		if len(rejected) != len(counters) {
			m.t.Fatalf("telegram %d of a new meter: got %v rejected, want all counters", m.sinceReplaced, rejected)
		}
	case len(rejected) > 0:
		m.t.Fatalf("true values: got %v rejected, want none", rejected)
	default:
		m.sinceReplaced = -1
	}
}

// sendWrong sends a telegram in which some or all counters are wrong. It sends at most two such telegrams in a row, and none of a new meter,
// because the third telegram would be accepted.
func (m *model) sendWrong() {
	if m.wrongCount == 2 || m.sinceReplaced >= 0 {
		m.t.Skip("a third wrong telegram in a row would be accepted, or the meter was just replaced; rapid draws another step")
	}
	m.wrongCount++
	m.pass(rapid.IntRange(0, 10).Draw(m.t, "seconds"))
	values := m.actual
	wrong := rapid.SampledFrom([][]int{{0, sum}, {1, sum}, {export}, {0, 1, sum, export}}).Draw(m.t, "which")
	kind := rapid.SampledFrom([]string{"zero", "back", "jump"}).Draw(m.t, "kind")
	for _, i := range wrong {
		id := counters[i]
		switch kind {
		case "zero":
			values[i] = 0
		case "back":
			values[i] = m.accepted[id] - 1 - int64(rapid.IntRange(0, int(m.accepted[id])).Draw(m.t, "less"))
		case "jump":
			values[i] += 15_000_000
		}
	}
	if kind != "back" {
		values[sum] = values[0] + values[1]
	}
	rejected := m.send(values, true)
	for _, i := range wrong {
		if id := counters[i]; !rejected[id] {
			m.t.Fatalf("wrong value (%s) %v = %d is accepted, want it rejected", kind, id, values[i])
		}
	}
}

// replace replaces the meter by another one, whose counters are lower. The meter must have counted for a while.
func (m *model) replace() {
	if m.sinceReplaced >= 0 || m.wrongCount > 0 || slices.Min(m.actual[:]) < 100_000 {
		m.t.Skip("the meter has not counted for long enough, or was just replaced; rapid draws another step")
	}
	m.sinceReplaced = 0
	for i := range m.actual {
		m.actual[i] = rapid.Int64Range(1, m.actual[i]/4).Draw(m.t, "new")
	}
	m.actual[sum] = m.actual[0] + m.actual[1]
}

// restart restores the Guard from a snapshot. The snapshot has no series of lower values, so a new meter is accepted three telegrams later.
func (m *model) restart() {
	m.guard = restarted(m.t, m.guard, &m.snapshot)
	m.sinceReplaced = min(m.sinceReplaced, 0)
}

// TestModel checks that the Guard rejects the random wrong values of a random meter, and accepts the true values, also after restarts.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			t: t, guard: newGuard(0), at: start, actual: [4]int64{5_000_000, 3_000_000, 8_000_000, 2_000_000},
			accepted: map[quantity.ID]int64{}, sinceReplaced: -1, meterClock: rapid.Bool().Draw(t, "clock"),
		}
		m.live = !m.meterClock || rapid.Bool().Draw(t, "live")
		m.send(m.actual, true)
		t.Repeat(map[string]func(*rapid.T){
			"true": func(*rapid.T) { m.sendTrue() }, "wrong": func(*rapid.T) { m.sendWrong() },
			"replace": func(*rapid.T) { m.replace() }, "restart": func(*rapid.T) { m.restart() },
		})
	})
}
