package simulate_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestNorwegianSchedule checks when a meter sends lists 1, 2 and 3, which have 1, 13 and 18 records.
func TestNorwegianSchedule(t *testing.T) {
	f, _ := simulate.Named("aidon-no")
	hour := midsummer.Add(2 * time.Hour)
	m := simulate.NewMeter(f, 1, hour.Add(-time.Minute+time.Second))
	due := hour.Add(-time.Minute + 2500*time.Millisecond)
	lists := map[int]int{} // telegrams by their number of records
	for due.Before(hour.Add(59 * time.Minute)) {
		at, telegram := m.Next()
		if !at.Equal(due) {
			t.Fatalf("got a telegram at %v, want %v", at, due)
		}
		want := 1
		switch {
		case at.Equal(hour.Add(10 * time.Second)):
			want = 18
		case at.Equal(at.Truncate(10 * time.Second)):
			want = 13
		}
		reading, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{AcceptUnverified: true}).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(reading.Records); got != want {
			t.Errorf("at %v: got %d records, want %d", at, got, want)
		}
		if want == 18 && !m.State().Hour.Equal(hour) {
			t.Errorf("list 3 has the counters of %v, want %v", m.State().Hour, hour)
		}
		lists[len(reading.Records)]++
		due = due.Add(2500 * time.Millisecond)
	}
	if lists[18] != 1 || lists[13] < 300 || lists[1] < 900 {
		t.Errorf("got telegrams by number of records %v, want one with 18, most of them with 1", lists)
	}
}

// TestTelegramsDependOnSeed checks that the same seed gives the same telegrams, and another seed gives other telegrams.
func TestTelegramsDependOnSeed(t *testing.T) {
	for _, f := range simulate.Families() {
		a, b := simulate.NewMeter(f, 9, midsummer), simulate.NewMeter(f, 9, midsummer)
		other := simulate.NewMeter(f, 10, midsummer)
		differs := false
		for range 50 {
			at, telegram := a.Next()
			atB, telegramB := b.Next()
			if !at.Equal(atB) || !bytes.Equal(telegram, telegramB) || a.State() != b.State() {
				t.Fatalf("%s: two meters with the same seed differ at %v", f.Name, at)
			}
			if got := a.State().Time; !got.Equal(at.Truncate(time.Second)) {
				t.Fatalf("%s: got the state of %v in the telegram of %v", f.Name, got, at)
			}
			_, telegram = other.Next()
			differs = differs || !bytes.Equal(telegram, telegramB)
		}
		if !differs {
			t.Errorf("%s: two different seeds give the same telegrams", f.Name)
		}
	}
}

// TestFamilyCopyWithAnotherInterval checks that the Interval of a copy can be changed, and that the family itself keeps its Interval.
func TestFamilyCopyWithAnotherInterval(t *testing.T) {
	f, _ := simulate.Named("p1-se-aidon")
	f.Interval = time.Second
	m := simulate.NewMeter(f, 1, midsummer)
	for i := range 5 {
		if at, _ := m.Next(); !at.Equal(midsummer.Add(time.Duration(i) * time.Second)) {
			t.Errorf("telegram %d is due at %v, want %d s after %v", i, at, i, midsummer)
		}
	}
	if f, _ := simulate.Named("p1-se-aidon"); f.Interval != 10*time.Second {
		t.Errorf("got interval %v of the family after a change of its copy, want 10s", f.Interval)
	}
}

func BenchmarkMeter(b *testing.B) {
	for _, name := range []string{"aidon-se", "p1-se-aidon"} {
		f, _ := simulate.Named(name)
		m := simulate.NewMeter(f, 1, midsummer)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Next()
			}
		})
	}
}
