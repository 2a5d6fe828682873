// Package throttle decides how often each quantity of a meter is published, so that people see what happens and nobody's database
// is flooded. A Plan says how often, the same for all meters; a Throttle follows one meter and decides telegram by telegram.
//
// A change that reaches the deadband is published at once, but not sooner than MinInterval after the last; a smaller one is
// withheld until MaxSilence is over. On top of that:
//
//   - What is published holds until the next, so that withholding moves the mean that a hub works out. A Throttle keeps account of
//     it, and a small change that makes up for what was withheld waits only half as long. So the mean of a day
//     comes out right, also that of a net power that nearly cancels out, which no deadband alone could do.
//   - A power that changes its sign (net power) is published whatever the size of the change.
//   - A counter is published with the last telegram before each full hour and the first behind it: statistics by the hour are
//     exact, and at the end of a day nothing is missing.
//   - What was published last is repeated every few minutes, so that nobody takes it for forgotten.
package throttle

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Decision is what to do with a value.
type Decision uint8

const (
	// Withhold a value that is not worth publishing.
	Withhold Decision = iota
	// Publish this value.
	Publish
	// Repeat what was published last, as the same string: a database of changes gets no row from it.
	Repeat
)

// String returns the decision's name.
func (d Decision) String() string { return [...]string{"withhold", "publish", "repeat"}[d] }

// RepeatAfter is how long after it was published a value is repeated at the latest, as long as telegrams come.
const RepeatAfter = 5 * time.Minute

// A Throttle knows what has been published of one meter, and decides about its next values. It is for one goroutine, and allocates nothing
// once it is made.
type Throttle struct {
	plan       *Plan
	quantities []history // by quantity.ID
}

// New returns the Throttle of a meter of which nothing has been published.
func New(p *Plan) *Throttle {
	return &Throttle{plan: p, quantities: make([]history, quantity.Count())}
}

// Decide takes a value of a telegram that came now, in the order of the telegrams, and decides. The value is a number that is
// published with so many decimals, or a text where the quantity is text, which is kept. Every is the time from one telegram of
// the meter to the next, as far as it is known: one may be early by a quarter of it. A clock that is set back has a value
// published too early, never too late.
func (t *Throttle) Decide(now time.Time, every time.Duration, id quantity.ID, number obis.Decimal, decimals uint8, text string) Decision {
	q, rate := &t.quantities[id], &t.plan.rates[id]
	if q.decimals != decimals {
		*q = history{decimals: decimals}
	}
	m := moment{now: now.UnixNano(), before: q.heard, every: int64(min(max(every, 0), time.Hour))}
	value := digits(number, decimals)
	q.weigh(m.now, value)
	q.heardText = text
	changed := value != q.published || text != q.text
	switch {
	case !q.started, changed && q.due(rate, id.Row().Kind, &m):
		q.publish(m.now, text, rate.Deadband)
		return Publish
	case rate.everyTelegram(), m.over(q.said, RepeatAfter):
		q.said = m.now
		return Repeat
	}
	return Withhold
}

// Withheld reports whether the newest value of a quantity was withheld. At a stop it is published: what is retained then should be the truth.
func (t *Throttle) Withheld(id quantity.ID) bool {
	q := &t.quantities[id]
	return q.started && (q.newest != q.published || q.heardText != q.text)
}

// Forget has the next value of a quantity published: what was published before is gone, or stands no longer.
func (t *Throttle) Forget(id quantity.ID) { t.quantities[id] = history{} }

// A history is what is known of one quantity. Values are in units of the last decimal, times are Unix times in ns.
type history struct {
	started   bool // something has been published
	decimals  uint8
	text      string
	published int64
	threshold int64 // the deadband around published
	at, said  int64 // when it was published, and when it was said last
	newest    int64 // value of the last telegram
	heardText string
	heard     int64 // when that came
	crossed   int64 // when a change of sign was last published before its time
	// owed is the sum of (newest - published) × ms: by how much the mean of what was published is wrong.
	owed int64
}

// due tells if a changed value is published.
func (q *history) due(rate *Rate, kind quantity.Kind, m *moment) bool {
	change := q.newest - q.published
	open := m.over(q.at, rate.MinInterval)
	switch {
	case kind == quantity.Counter && m.turnsHour(), rate.everyTelegram():
		return true
	case kind == quantity.Power && opposite(q.newest, q.published):
		return open || q.crosses(rate, m)
	case !open:
		return false
	case max(change, -change) >= q.threshold:
		return true
	}
	patience := rate.MaxSilence
	if !opposite(change, q.owed) {
		patience /= 2
	}
	return m.over(q.at, patience)
}

// crosses lets a change of sign pass before its time, but not again before MaxSilence is over: a battery that holds a house at
// zero would flood everyone.
func (q *history) crosses(rate *Rate, m *moment) bool {
	if !m.over(q.crossed, rate.MaxSilence) {
		return false
	}
	q.crossed = m.now
	return true
}

func (q *history) publish(now int64, text string, d Deadband) {
	q.started, q.published, q.text = true, q.newest, text
	q.at, q.said = now, now
	q.threshold = d.threshold(q.published, q.decimals)
}

// weigh takes a value, and adds to the account what the one before it cost. A longer silence than RepeatAfter is nobody's fault, and
// what no meter measures is cut, so that the account cannot overflow.
func (q *history) weigh(now, value int64) {
	const much, longest = 1 << 31, int64(RepeatAfter)
	wrong := min(max(q.newest-q.published, -much), much)
	ms := min(max(now-q.heard, 0), longest) / int64(time.Millisecond)
	q.owed = min(max(q.owed+wrong*ms, -most), most)
	q.newest, q.heard = value, now
}

// opposite tells if one is above zero and the other below.
func opposite(a, b int64) bool { return a > 0 && b < 0 || a < 0 && b > 0 }

// A moment is when a telegram came, when the one before it did, and the time from one to the next. In ns.
type moment struct {
	now, before, every int64
}

// over tells if so much time has passed, or the clock was set back meanwhile.
func (m *moment) over(since int64, limit time.Duration) bool {
	passed := m.now - since
	return passed < 0 || passed >= int64(limit)-m.every/4
}

// turnsHour tells if this is the first telegram of an hour, or most likely the last: a counter may come with each fourth
// telegram alone. Hours of UTC are those of nearly every zone.
func (m *moment) turnsHour() bool {
	const hour = int64(time.Hour)
	next := min(max(m.every, m.now-m.before), hour)
	this := m.now / hour
	return m.before/hour != this || (m.now+next+next/4)/hour != this
}
