package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
)

// TestManyMetersAreSummarised checks that the log of a bridge with many meters has a summary after a minute and then every hour, and no
// routine line about a single meter. With few meters it is the other way round.
func TestManyMetersAreSummarised(t *testing.T) {
	for meters, many := range map[int]bool{2: false, 40: true} {
		synctest.Test(t, func(t *testing.T) {
			log := new(logBuffer)
			b := bridge.New(zerolog.New(log).Level(zerolog.InfoLevel))
			ports := make([]port, meters)
			for i := range ports {
				addMeter(t, b, bridge.Meter{ID: fmt.Sprint("m", i)}, sourceOf(&ports[i]))
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- b.Run(ctx) }()
			synctest.Wait()
			telegram := nextTelegram(newMeter(t, "aidon-se"))
			for range 280 {
				for i := range ports[1:] { // the first meter is silent
					ports[i+1].send(bytes.Clone(telegram))
				}
				advance(30 * time.Second)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			count := func(text string) int { return strings.Count(log.String(), text) }
			wantSummaries, wantLines := 0, meters-1
			if many {
				wantSummaries, wantLines = 3, 0
			}
			if got := count("summary of all meters"); got != wantSummaries {
				t.Errorf("%d meters: got %d summaries, want %d", meters, got, wantSummaries)
			}
			if got := count("meter sends telegrams"); got != wantLines {
				t.Errorf("%d meters: got %d lines about single meters, want %d", meters, got, wantLines)
			}
			if summary := fmt.Sprintf(`"meters":%d,"online":%d,"telegrams":%d`, meters, meters-1, 2*(meters-1)); many && count(summary) != 1 {
				t.Errorf("no summary with %s in the log:\n%.2000s", summary, log)
			}
		})
	}
}
