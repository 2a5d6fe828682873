package bridge_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/throttle"
)

// A meterList is an output that records which meters come and go, and the number of telegrams of each.
type meterList struct {
	events    []string // such as "barn added"
	telegrams map[string]int
	health    func() []string // returns the names of the goroutines
	snapshots func() []bridge.Snapshot
}

func (l *meterList) Streams() bridge.Streams {
	return bridge.Streams{Plan: new(throttle.Plan), Telegrams: true}
}

func (l *meterList) Run(ctx context.Context, s *bridge.Subscription) error {
	known := map[string]bool{}
	l.telegrams = map[string]int{}
	l.snapshots = s.Snapshots
	l.health = func() (names []string) {
		for _, status := range s.Health() {
			names = append(names, status.Name)
		}
		return names
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ready():
		}
		for b := s.Take(); b != nil; b = s.Take() {
			for _, u := range b.Changes {
				switch {
				case u.Removed:
					l.events = append(l.events, u.Meter.ID+" removed")
					delete(known, u.Meter.ID)
				case !known[u.Meter.ID]:
					l.events = append(l.events, u.Meter.ID+" added")
					known[u.Meter.ID] = true
				}
			}
			for _, t := range b.Telegrams {
				l.telegrams[t.Meter]++
			}
			s.Delivered(b.Number)
		}
	}
}

// TestAddAndRemoveMeters adds and removes meters while a bridge runs.
func TestAddAndRemoveMeters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, list := bridge.New(zerolog.Nop()), new(meterList)
		b.AddOutput("list", list)
		house, barn, again := new(port), new(port), new(port)
		addMeter(t, b, bridge.Meter{ID: "house"}, sourceOf(house))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		synctest.Wait()
		m := newMeter(t, "aidon-se")
		house.send(nextTelegram(m))
		goroutines, names := runtime.NumGoroutine(), list.health()

		addMeter(t, b, bridge.Meter{ID: "barn"}, sourceOf(barn))
		synctest.Wait()
		if err := b.AddMeter(bridge.Meter{ID: "barn"}, sourceOf(barn)); err == nil {
			t.Error("a second meter with the same id was added, want an error")
		}
		house.send(nextTelegram(m))
		barn.send(nextTelegram(m))
		if got := list.health(); !slices.Contains(got, "meter barn") {
			t.Errorf("got goroutines %q, want one of the meter barn", got)
		}
		if !b.RemoveMeter("barn") || b.RemoveMeter("barn") || b.RemoveMeter("other") {
			t.Error("RemoveMeter: want true for the meter barn, and false for a meter that does not exist")
		}
		synctest.Wait()
		if _, err := barn.writer.Write(nil); err == nil {
			t.Error("the port of the removed meter is still open")
		}
		if got := list.health(); !slices.Equal(got, names) || runtime.NumGoroutine() > goroutines {
			t.Errorf("after the removal: got goroutines %q, %d in all, want %q and %d", got, runtime.NumGoroutine(), names, goroutines)
		}
		advance(time.Hour) // no alarm of the removed meter rings
		addMeter(t, b, bridge.Meter{ID: "barn"}, sourceOf(again))
		synctest.Wait()
		again.send(nextTelegram(m))
		house.send(nextTelegram(m))
		var online []string
		for _, s := range list.snapshots() {
			online = append(online, fmt.Sprintf("%s online %v, %d telegrams, values %v", s.Meter.ID, s.Online, s.Stats.Telegrams, len(s.Values) > 0))
		}
		if want := []string{"house online true, 3 telegrams, values true", "barn online true, 1 telegrams, values true"}; !slices.Equal(online, want) {
			t.Errorf("snapshots: got %q, want %q", online, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if want := []string{"house added", "barn added", "barn removed", "barn added"}; !slices.Equal(list.events, want) {
			t.Errorf("got %q, want %q", list.events, want)
		}
		if list.telegrams["house"] != 3 || list.telegrams["barn"] != 2 {
			t.Errorf("got telegrams %v, want 3 of the house and 2 of the barn", list.telegrams)
		}
		if b.AddMeter(bridge.Meter{ID: "late"}, sourceOf(house)) == nil {
			t.Error("a meter was added after Run, want an error")
		}
	})
}

// TestRemovedMeterKeepsItsCounters checks that a meter that is removed and added again continues from its counters.
func TestRemovedMeterKeepsItsCounters(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b, rec := bridge.New(zerolog.Nop()), new(recorder)
		b.KeepState(dir)
		b.AddOutput("recorder", rec)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		for _, energy := range []string{"1000.000", "999.000"} { // the second value is below the first
			p := new(port)
			addMeter(t, b, bridge.Meter{ID: "house"}, sourceOf(p))
			synctest.Wait()
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(time.Minute)
			b.RemoveMeter("house")
		}
		rec.inspect(func(r *recorder) {
			if r.values["import_energy"] != "1000.000" {
				t.Errorf("got import_energy %q, want 1000.000, because the lower value is rejected", r.values["import_energy"])
			}
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
