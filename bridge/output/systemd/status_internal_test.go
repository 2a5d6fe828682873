package systemd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
)

// TestStatus tests when a status of two meters is due, and its text.
func TestStatus(t *testing.T) {
	var s status
	start := time.Now()
	update := func(id string, online bool, telegrams uint64) bridge.MeterUpdate {
		return bridge.MeterUpdate{Meter: bridge.Meter{ID: id}, Online: online, Stats: bridge.Stats{Telegrams: telegrams}}
	}
	for _, step := range []struct {
		after  time.Duration // since the start
		update bridge.MeterUpdate
		want   string // "" if no status is due
	}{
		{0, update("house", false, 0), "waiting for the first telegram"},
		{0, update("barn", false, 0), ""},
		{time.Hour, update("barn", false, 0), ""}, // nothing has changed
		{time.Hour, update("house", true, 1), "1 of 2 meters online, telegrams: 1"},
		{time.Hour + 10*time.Second, update("house", true, 2), ""},
		{time.Hour + 20*time.Second, update("barn", true, 1), "2 of 2 meters online, telegrams: 3"},
		{time.Hour + 79*time.Second, update("house", true, 8), ""}, // 59 s after the last status
		{time.Hour + 80*time.Second, update("barn", true, 7), "2 of 2 meters online, telegrams: 15"},
		{time.Hour + 81*time.Second, update("house", false, 8), "1 of 2 meters online, telegrams: 15"},
		{time.Hour + 82*time.Second, update("barn", false, 7), "0 of 2 meters online, telegrams: 15"},
		{2 * time.Hour, update("barn", false, 7), ""}, // nothing has changed
	} {
		s.add(&step.update)
		got := ""
		if s.due(start.Add(step.after)) {
			got = s.String()
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("update of %s after %v: status (-want +got):\n%s", step.update.Meter.ID, step.after, diff)
		}
	}
}

// TestStatusOfOneMeter tests that the status of a single meter has no count of meters.
func TestStatusOfOneMeter(t *testing.T) {
	var s status
	for _, step := range []struct {
		online bool
		want   string
	}{
		{false, "waiting for the first telegram"},
		{true, "meter online, telegrams: 5"},
		{false, "meter silent, telegrams: 5"},
	} {
		s.add(&bridge.MeterUpdate{Online: step.online, Stats: bridge.Stats{Telegrams: 5}})
		if got := s.String(); got != step.want {
			t.Errorf("online %v: got %q, want %q", step.online, got, step.want)
		}
	}
}

// NewStuckAfter returns an Output that reports a part as stuck after d without progress.
func NewStuckAfter(d time.Duration) *Output { return &Output{stuckAfter: d} }
