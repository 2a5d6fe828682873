package guard_test

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// typicalTelegram has 30 samples, ten of them counters.
const typicalTelegram = "import_power=1727 export_power=0 net_power=1727 import_power_l1=500 import_power_l2=700 import_power_l3=527 " +
	"export_power_l1=0 export_power_l2=0 export_power_l3=0 voltage_l1=230.1 voltage_l2=231.0 voltage_l3=229.9 " +
	"current_l1=2.2 current_l2=3.0 current_l3=2.3 import_reactive_power=12 export_reactive_power=0 frequency=50.01 power_factor=0.99 current_n=0.5 " +
	"import_energy_t1=1000.001 import_energy_t2=2000.002 export_energy_t1=1.1 export_energy_t2=2.2 import_reactive_energy=5.5 " +
	"export_reactive_energy=7.7 gas=1234.5 power_failures=3 +import_energy=3000.003 +export_energy=3.3"

// A telegramLoop passes telegrams to a Guard. It allocates no memory itself.
type telegramLoop struct {
	guard    *meterGuard
	at       time.Time
	telegram guard.Telegram
	samples  []quantity.Sample
	count    int64 // telegrams so far
}

func newTelegramLoop(t testing.TB) *telegramLoop {
	all, _ := samples(t, typicalTelegram)
	return &telegramLoop{guard: newGuard(25), at: start, samples: all}
}

// next passes a telegram to the Guard. The telegram arrives 10 s after the last telegram. If zero is true, all its counters are 0.
// Otherwise all its counters have risen.
func (l *telegramLoop) next(zero bool) guard.Result {
	l.count++
	l.at = l.at.Add(10 * time.Second)
	t := &l.telegram
	t.Received, t.MeterTime, t.MeterReplaced = l.at, obis.FromTime(l.at), l.guard.replaced("123456")
	t.Samples = append(t.Samples[:0], l.samples...)
	for i := range t.Samples {
		s := &t.Samples[i]
		switch {
		case s.ID.Row().StateClass != quantity.TotalIncreasing: // not a counter
		case zero:
			s.Value.Coef = 0
		default:
			s.Value.Coef += l.count
		}
	}
	return l.guard.Check(t)
}

// TestCheckAllocations checks that neither Check nor Snapshot allocates memory.
func TestCheckAllocations(t *testing.T) {
	loop := newTelegramLoop(t)
	loop.next(false)
	rejected, snapshot := 0, guard.Snapshot{}
	loop.guard.Snapshot(&snapshot)
	got := testing.AllocsPerRun(100, func() {
		loop.next(false)
		rejected += len(loop.next(true).Rejected)
		loop.guard.Snapshot(&snapshot)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if want := 101 * 10; rejected != want { // AllocsPerRun(100, f) calls f 101 times; each time ten counters are zero
		t.Errorf("got %d values rejected, want %d", rejected, want)
	}
}

// BenchmarkCheck measures Check. In the case "rejected", the counters of every second telegram are zero.
func BenchmarkCheck(b *testing.B) {
	for name, zero := range map[string]bool{"accepted": false, "rejected": true} {
		b.Run(name, func(b *testing.B) {
			loop := newTelegramLoop(b)
			loop.next(false)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				loop.next(zero && i%2 == 0)
			}
		})
	}
}

// BenchmarkMemory measures the heap that a Guard uses after an hour of telegrams of the family aidon-se.
func BenchmarkMemory(b *testing.B) {
	family, ok := simulate.Named("aidon-se")
	if !ok {
		b.Fatal("no family aidon-se")
	}
	sender, d := simulate.NewMeter(family, 1, start), decoder(1)
	guards := make([]*guard.Guard, 1000)
	before := heapInUse()
	for i := range guards {
		guards[i] = guard.New(0)
	}
	for b.Loop() {
		for range time.Hour / family.Interval {
			at, telegram := sender.Next()
			d.Reset(bytes.NewReader(telegram))
			r, err := d.Next()
			if err != nil {
				b.Fatal(err)
			}
			for _, g := range guards {
				g.Check(&guard.Telegram{Received: at, MeterTime: r.Time, Samples: slices.Clone(r.Samples)})
			}
		}
	}
	b.ReportMetric(float64(heapInUse()-before)/float64(len(guards)), "heap-B/meter")
	runtime.KeepAlive(guards)
}

// heapInUse returns the bytes of the heap that are in use after a garbage collection.
func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
