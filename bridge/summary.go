package bridge

import "time"

const (
	// maxSingleLines is the largest number of meters for which the log has routine lines about each meter. With more meters, a summary takes their
	// place.
	maxSingleLines = 16
	// firstSummary is when the first summary is logged after the start: when meters that send every ten seconds have sent several telegrams.
	firstSummary = time.Minute
	// summaryInterval is the time between two summaries.
	summaryInterval = time.Hour
)

// manyMeters reports whether the log has a summary of all meters. The caller holds b.mu.
func (b *Bridge) manyMeters() bool { return len(b.meters) > maxSingleLines }

// startSummary begins to log summaries.
func (b *Bridge) startSummary() {
	var a *alarm
	a = b.clock.add(func(now time.Time) {
		b.mu.Lock()
		many := b.manyMeters()
		b.mu.Unlock()
		if many {
			b.logSummary()
		}
		a.set(now.Add(summaryInterval))
	})
	a.set(time.Now().Add(firstSummary))
}

// logSummary logs how many meters are online, and the sums of their counts.
func (b *Bridge) logSummary() {
	var meters, online int
	var sum Stats
	for _, r := range b.state.all() {
		r.mu.Lock()
		meters++
		if r.Online {
			online++
		}
		sum.Telegrams, sum.Errors, sum.Repeated = sum.Telegrams+r.Stats.Telegrams, sum.Errors+r.Stats.Errors, sum.Repeated+r.Stats.Repeated
		r.mu.Unlock()
	}
	b.log.Info().Int("meters", meters).Int("online", online).Uint64("telegrams", sum.Telegrams).Uint64("errors", sum.Errors).
		Uint64("repeated", sum.Repeated).Msg("summary of all meters")
}
