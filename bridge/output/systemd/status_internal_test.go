package systemd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
)

// TestStatus tests the status of two meters over a day.
func TestStatus(t *testing.T) {
	var s status
	start := time.Now()
	news := func(id string, online bool, telegrams uint64) bridge.MeterUpdate {
		return bridge.MeterUpdate{Meter: bridge.Meter{ID: id}, Online: online, Stats: bridge.Stats{Telegrams: telegrams}}
	}
	for _, step := range []struct {
		after time.Duration // since the start
		news  bridge.MeterUpdate
		want  string // "" if no status is due
	}{
		{0, news("house", false, 0), "waiting for the first telegram"},
		{0, news("barn", false, 0), ""},
		{time.Hour, news("barn", false, 0), ""}, // nothing has changed
		{time.Hour, news("house", true, 1), "1 of 2 meters online, telegrams: 1"},
		{time.Hour + 10*time.Second, news("house", true, 2), ""},
		{time.Hour + 20*time.Second, news("barn", true, 1), "2 of 2 meters online, telegrams: 3"},
		{time.Hour + 79*time.Second, news("house", true, 8), ""},
		{time.Hour + 80*time.Second, news("barn", true, 7), "2 of 2 meters online, telegrams: 15"},
		{time.Hour + 81*time.Second, news("house", false, 8), "1 of 2 meters online, telegrams: 15"},
		{time.Hour + 82*time.Second, news("barn", false, 7), "0 of 2 meters online, telegrams: 15"},
		{2 * time.Hour, news("barn", false, 7), ""},
	} {
		s.add(&step.news)
		got := ""
		if s.due(start.Add(step.after)) {
			got = s.String()
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("after %v, %s (-want +got):\n%s", step.after, step.news.Meter.ID, diff)
		}
	}
}

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

// NewStuckAfter returns an Output for which a part is stuck after d without progress.
func NewStuckAfter(d time.Duration) *Output { return &Output{stuckAfter: d} }
