// Package throttle decides how often each quantity of a meter is published: often enough to see what happens, and seldom enough for the
// database of a hub. A Plan holds the rates, the same for all meters. A Throttle follows one meter and decides about each value.
//
// A change that reaches the deadband is published as soon as MinInterval has passed since the last publication. A smaller change is
// withheld until MaxSilence has passed. Besides:
//
//   - A hub takes a value as valid until the next one, so a withheld change makes the hub's mean wrong. A Throttle sums up this error. A change
//     that would increase the error is withheld for only half of MaxSilence. So the mean of a day comes out right, even that of a net power
//     whose import and export nearly cancel. With a deadband only, the mean would come out wrong.
//   - A power that changes its sign (net power) is published whatever the size of the change.
//   - A counter is published with the last telegram before each full hour and the first one after it, so that hourly statistics are exact
//     and the end of a day misses nothing.
//   - The last published value is repeated every few minutes, so that a hub does not take it for outdated.
package throttle

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Decision says what to do with a value.
type Decision uint8

const (
	// Withhold means: do not publish the value now.
	Withhold Decision = iota
	// Publish means: publish the value.
	Publish
	// Repeat means: publish the last published value again, as the same string. A database that stores changes gets no row from it.
	Repeat
)

// String returns the decision's name.
func (d Decision) String() string { return [...]string{"withhold", "publish", "repeat"}[d] }

// RepeatAfter is the time after which a published value is repeated, if a telegram with the quantity arrives.
const RepeatAfter = 5 * time.Minute

// A Throttle decides about the values of one meter, and remembers what was published. It is not safe for concurrent use. Only Decide
// allocates memory, and only for the first value of a quantity.
type Throttle struct {
	plan      *Plan
	positions []uint8   // by quantity.ID: 1 + the index in histories; 0 if the meter has not sent the quantity
	histories []history // of the quantities that the meter has sent
}

// New returns the Throttle of a meter that has published nothing.
func New(p *Plan) *Throttle {
	return &Throttle{plan: p, positions: make([]uint8, quantity.Count())}
}

// history returns the history of a quantity, or nil if there is none.
func (t *Throttle) history(id quantity.ID) *history {
	if p := t.positions[id]; p != 0 {
		return &t.histories[p-1]
	}
	return nil
}

// addHistory adds the history of a quantity that has none. It makes earlier pointers to histories invalid.
func (t *Throttle) addHistory(id quantity.ID) *history {
	t.histories = append(t.histories, history{})
	t.positions[id] = uint8(len(t.histories))
	return t.history(id)
}

// Decide decides about one value of a telegram that arrived at now. Call it in the order of the telegrams. A number is published with the
// given count of decimals. For a quantity that is text, pass the text: the Throttle keeps it. Interval is the time from one telegram of the
// meter to the next, 0 if unknown. A telegram can arrive early by a quarter of interval. After the clock was set back, a value is possibly
// published too early, but never too late.
func (t *Throttle) Decide(now time.Time, interval time.Duration, id quantity.ID, number obis.Decimal, decimals uint8, text string) Decision {
	q, rate := t.history(id), &t.plan.rates[id]
	if q == nil {
		q = t.addHistory(id)
	}
	if q.decimals != decimals {
		*q = history{decimals: decimals}
	}
	a := arrival{now: now.UnixNano(), previous: q.newestAt, interval: int64(min(max(interval, 0), time.Hour))}
	value := scaled(number, decimals)
	q.add(a.now, value, text)
	changed := value != q.published || text != q.publishedText
	switch {
	case !q.started, changed && q.isDue(rate, id.Row().Kind, &a):
		q.publish(a.now, rate.Deadband)
		return Publish
	case rate.everyTelegram(), a.elapsed(q.repeatedAt, RepeatAfter):
		q.repeatedAt = a.now
		return Repeat
	}
	return Withhold
}

// Withheld reports whether the newest value of a quantity differs from the published one. The bridge publishes such a value when it stops,
// so that the retained message has the newest value.
func (t *Throttle) Withheld(id quantity.ID) bool {
	q := t.history(id)
	return q != nil && q.started && (q.newest != q.published || q.newestText != q.publishedText)
}

// Forget drops the history of a quantity. Decide then publishes its next value. Call Forget for a published value that is no longer on the
// broker or no longer valid.
func (t *Throttle) Forget(id quantity.ID) {
	if q := t.history(id); q != nil {
		*q = history{}
	}
}

// A history holds what was published and what arrived of one quantity. Values are in units of the last decimal, times are Unix times in ns.
type history struct {
	started       bool // something has been published
	decimals      uint8
	published     int64
	publishedText string
	publishedAt   int64
	threshold     int64 // the smallest change of published that reaches the deadband
	repeatedAt    int64 // time of the last publication or repetition
	newest        int64 // value of the last telegram
	newestText    string
	newestAt      int64
	signChangeAt  int64 // time of the last change of sign that was published before MinInterval had passed
	// meanError is the sum of (newest - published) × ms: how far the mean of the published values is from the true mean.
	meanError int64
}

// isDue reports whether a changed value is published.
func (q *history) isDue(rate *Rate, kind quantity.Kind, a *arrival) bool {
	change := q.newest - q.published
	minPassed := a.elapsed(q.publishedAt, rate.MinInterval)
	switch {
	case kind == quantity.Counter && a.isNextToFullHour(), rate.everyTelegram():
		return true
	case kind == quantity.Power && oppositeSigns(q.newest, q.published):
		return minPassed || q.allowSignChange(rate, a)
	case !minPassed:
		return false
	case max(change, -change) >= q.threshold:
		return true
	}
	wait := rate.MaxSilence // a withheld change of the opposite sign reduces meanError
	if !oppositeSigns(change, q.meanError) {
		wait /= 2
	}
	return a.elapsed(q.publishedAt, wait)
}

// allowSignChange reports whether a change of sign is published before MinInterval has passed: once in each MaxSilence. A battery that
// holds the net power of a house at zero changes the sign every second.
func (q *history) allowSignChange(rate *Rate, a *arrival) bool {
	if !a.elapsed(q.signChangeAt, rate.MaxSilence) {
		return false
	}
	q.signChangeAt = a.now
	return true
}

// publish stores that the newest value is published.
func (q *history) publish(now int64, d Deadband) {
	q.started, q.published, q.publishedText = true, q.newest, q.newestText
	q.publishedAt, q.repeatedAt = now, now
	q.threshold = d.threshold(q.published, q.decimals)
}

// add stores a value as the newest one. It first adds to meanError what the value before has contributed until now. A silence longer than
// RepeatAfter counts as RepeatAfter, because the true value in it is unknown. Limits keep the sum from overflowing.
func (q *history) add(now, value int64, text string) {
	const maxDifference, maxSilence = 1 << 31, int64(RepeatAfter)
	difference := min(max(q.newest-q.published, -maxDifference), maxDifference)
	ms := min(max(now-q.newestAt, 0), maxSilence) / int64(time.Millisecond)
	q.meanError = min(max(q.meanError+difference*ms, -maxValue), maxValue)
	q.newest, q.newestText, q.newestAt = value, text, now
}

// oppositeSigns reports whether one number is above zero and the other below.
func oppositeSigns(a, b int64) bool { return a > 0 && b < 0 || a < 0 && b > 0 }

// An arrival has the time of a telegram, that of the previous telegram with the quantity, and the time from one telegram to the next. All
// are in ns.
type arrival struct {
	now, previous, interval int64
}

// elapsed reports whether the duration d has passed since a time, or the clock was set back after that time.
func (a *arrival) elapsed(since int64, d time.Duration) bool {
	passed := a.now - since
	return passed < 0 || passed >= int64(d)-a.interval/4
}

// isNextToFullHour reports whether the telegram is the first of an hour, or probably the last. Some counters are only in each fourth
// telegram, so the time since the previous value counts too. Full hours of UTC are full hours in nearly every time zone.
func (a *arrival) isNextToFullHour() bool {
	const hour = int64(time.Hour)
	next := min(max(a.interval, a.now-a.previous), hour)
	current := a.now / hour
	return a.previous/hour != current || (a.now+next+next/4)/hour != current
}

// PublishNewest records that the newest value of every quantity has been published, at the time when it arrived. Call it for an output that
// has published all newest values again after a reconnect. A quantity that has published nothing, or that was forgotten, stays so.
func (t *Throttle) PublishNewest() {
	for id := range t.positions {
		if q := t.history(quantity.ID(id)); q != nil && q.started {
			q.publish(q.newestAt, t.plan.rates[id].Deadband)
		}
	}
}
