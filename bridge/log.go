package bridge

import (
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A meterLog logs what happens to one meter. It listens to what the chain produced, and limits the number of lines.
type meterLog struct {
	zerolog.Logger
	meter          Meter
	summarised     bool              // routine lines have the level debug, because a summary of all meters takes their place
	wireFaults     faults            // faults that end with the next telegram
	telegramFaults faults            // faults of telegrams and counters
	eventLines     ratelimit.Limiter // log lines of events
	units          unitCheck
	logged         []string // the keys of lines that are logged once
}

func newMeterLog(log zerolog.Logger, m Meter, summarised bool) meterLog {
	return meterLog{Logger: log.With().Str("meter", m.ID).Logger(), meter: m, summarised: summarised}
}

// routineLevel returns the level of a routine line: this level, or debug if a summary takes its place.
func (l *meterLog) routineLevel(level zerolog.Level) zerolog.Level {
	if l.summarised {
		return zerolog.DebugLevel
	}
	return level
}

// logTelegram logs what is remarkable about a verified telegram.
func (l *meterLog) logTelegram(r *meter.Reading, res *result, lines dueLines, now *Snapshot) {
	l.wireFaults.Recovered()
	for i := range res.guarded.Rejected {
		l.logRejection(&res.guarded.Rejected[i])
	}
	for _, e := range res.events() {
		l.logEvent(&e, res.identified.change)
	}
	l.checkUnits(res.telegram)
	if lines.online {
		d := &now.Description
		l.WithLevel(l.routineLevel(lines.level)).Fields(nonEmpty("family", r.Family, "list", d.List, "protocol", d.Protocol, "source", d.Port, "line", d.Line)).
			Msg("meter sends telegrams")
	}
	if lines.allWell {
		s := &now.Stats
		l.WithLevel(l.routineLevel(zerolog.InfoLevel)).Uint64("telegrams", s.Telegrams).Uint64("errors", s.Errors).Uint64("repeated", s.Repeated).Msg("all is well")
	}
}

// logEvent logs an event. The lines are limited because telegrams of two meters can alternate on one line.
func (l *meterLog) logEvent(e *Event, change meterChange) {
	from, to, message := e.From, e.To, ""
	switch e.Name {
	case ProfileChanged:
		message = "the format of the telegrams has changed"
	case SettingsChanged:
		message = "the meter is read with other settings"
	case CounterReset:
		message = "a counter goes on from another value: it was reset, or the meter is a new one. A hub may take the step for consumption: in " +
			"Home Assistant put it right under Developer tools, Statistics"
	case MeterChanged:
		from, to, message = "", "", "another meter is connected" // serial numbers are not logged
		if change == otherSinceLastStart {
			message += " than before the start"
		}
	}
	if count, ok := l.eventLines.Allow(e.Name + e.Quantity); ok {
		ratelimit.WithCount(l.Info(), count).Fields(nonEmpty("quantity", e.Quantity, "from", from, "to", to)).Msg(message)
	}
}

// logRejection logs a rejected value. The lines about each reason are limited; see faults.
func (l *meterLog) logRejection(r *guard.Rejection) {
	if r.Repeated {
		return
	}
	message := rejectedMessage
	if r.Reason == guard.Jump {
		message = jumpMessage
	}
	log := l.With().Str("quantity", r.ID.String()).Str("reason", rejectedReason(r)).Logger()
	l.telegramFaults.warn(log, message, r.Reason.String(), nil, 0)
}

// rejectedReason returns why a value was rejected, as text for people.
func rejectedReason(r *guard.Rejection) string {
	reason := fmt.Sprintf("%s %s: %v", r.ID, formatCounter(r.ID, r.Value), r.Reason)
	if !r.First {
		reason += ", last " + formatCounter(r.ID, r.LastAccepted)
	}
	return reason
}

const (
	rejectedText = "counter value rejected: no meter counts like that, and a hub would keep the wrong consumption for ever. If the counter goes on " +
		"from this value, hanbridge takes the meter for a new one and publishes the value"
	rejectedMessage = rejectedText + " after a few telegrams"
	jumpMessage     = rejectedText + " after a day. If the meter is new, and a day is too long: stop hanbridge, remove hanbridge.* from state_dir, " +
		"and start hanbridge again"
)

// checkUnits warns once if import_energy rises ten times too fast or too slowly for import_power. The values are published all the same, since
// only a person can decide which is right.
func (l *meterLog) checkUnits(t *Telegram) {
	number := func(id quantity.ID) *obis.Decimal {
		if i, found := findValue(t.Values, id); found {
			return &t.Values[i].Number
		}
		return nil
	}
	const same = " in the configuration, and the same for its reactive energies"
	switch l.units.add(t.Received, number(quantity.ImportPower), number(quantity.ImportEnergy)) {
	case 10:
		l.Warn().Msg("import_energy counts ten times what import_power says: this meter most likely counts in Wh. Give it " +
			"scale: {import_energy: 0.1, export_energy: 0.1}" + same)
	case -10:
		l.Warn().Msg("import_energy counts a tenth of what import_power says: this meter most likely counts in 10 Wh. Give it " +
			"scale: {import_energy: 10, export_energy: 10}" + same)
	}
}

// isFirst reports whether it is called with this key for the first time. The key identifies a line that is logged once.
func (l *meterLog) isFirst(key string) bool {
	if slices.Contains(l.logged, key) {
		return false
	}
	l.logged = append(l.logged, key)
	return true
}

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

// nonEmpty returns the fields for a log line from pairs of name and value, without those whose value is "".
func nonEmpty(pairs ...string) map[string]any {
	fields := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields[pairs[i]] = pairs[i+1]
		}
	}
	return fields
}
