package guard_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// usual are the 30 samples of a telegram, ten of them counters.
const usual = "import_power=1727 export_power=0 net_power=1727 import_power_l1=500 import_power_l2=700 import_power_l3=527 " +
	"export_power_l1=0 export_power_l2=0 export_power_l3=0 voltage_l1=230.1 voltage_l2=231.0 voltage_l3=229.9 " +
	"current_l1=2.2 current_l2=3.0 current_l3=2.3 import_reactive_power=12 export_reactive_power=0 frequency=50.01 power_factor=0.99 current_n=0.5 " +
	"import_energy_t1=1000.001 import_energy_t2=2000.002 export_energy_t1=1.1 export_energy_t2=2.2 import_reactive_energy=5.5 " +
	"export_reactive_energy=7.7 gas=1234.5 power_failures=3 +import_energy=3000.003 +export_energy=3.3"

// A mill makes telegrams whose counters rise, or are zero.
type mill struct {
	g        *guard.Guard
	at       time.Time
	telegram guard.Telegram
	all      []quantity.Sample
	n        int64
}

func newMill(t testing.TB) *mill {
	all, _ := samples(t, usual)
	return &mill{g: guard.New(25), at: start, all: all}
}

func (m *mill) turn(zero bool) guard.Judgement {
	m.n++
	m.at = m.at.Add(10 * time.Second)
	t := &m.telegram
	t.Received, t.Meter, t.Serial = m.at, obis.FromTime(m.at), "123456"
	t.Samples = append(t.Samples[:0], m.all...)
	for i := range t.Samples {
		s := &t.Samples[i]
		switch {
		case s.ID.Row().State != quantity.TotalIncreasing:
		case zero:
			s.Value.Coef = 0
		default:
			s.Value.Coef += m.n
		}
	}
	return m.g.Judge(t)
}

func TestNoAllocations(t *testing.T) {
	mill := newMill(t)
	mill.turn(false)
	held, memory := 0, guard.Memory{}
	mill.g.Remember(&memory)
	got := testing.AllocsPerRun(100, func() {
		mill.turn(false)
		held += len(mill.turn(true).Held)
		mill.g.Remember(&memory)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if want := 101 * 10; held != want {
		t.Errorf("got %d values held back, want %d", held, want)
	}
}

func BenchmarkJudge(b *testing.B) {
	for name, zero := range map[string]bool{"good": false, "held": true} {
		b.Run(name, func(b *testing.B) {
			mill := newMill(b)
			mill.turn(false)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				mill.turn(zero && i%2 == 0)
			}
		})
	}
}
