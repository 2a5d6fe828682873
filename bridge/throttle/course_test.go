package throttle_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// courses are what a hub gets to know of one meter, beside what was true.
type courses struct {
	t        *testing.T
	throttle *throttle.Throttle
	every    time.Duration
	all      []*course
}

// A course is one quantity's. Numbers are in units of the last decimal.
type course struct {
	id                         quantity.ID
	decimals                   uint8
	telegrams, changes, states int
	newest, published          int64
	trueSum, publishedSum      int64 // over the telegrams
	heard                      int64 // Unix time
	// hours are those that began, behind those at whose beginning the newest value had not been published.
	hours, behind int
}

func newCourses(t *testing.T, plan *throttle.Plan, every time.Duration) *courses {
	return &courses{t: t, throttle: throttle.New(plan), every: every, all: make([]*course, quantity.Count())}
}

// take has the throttle decide about a value. What is published holds until the next, as in a hub.
func (c *courses) take(now time.Time, id quantity.ID, number obis.Decimal, decimals uint8, text string) {
	q := c.all[id]
	value := units(c.t, number, decimals)
	if q == nil {
		q = &course{id: id, decimals: decimals, newest: value, heard: now.Unix()}
		c.all[id] = q
	}
	if now.Unix()/3600 != q.heard/3600 {
		q.hours++
		if q.published != q.newest {
			q.behind++
		}
	}
	if value != q.newest {
		q.changes++
	}
	q.telegrams++
	q.newest, q.heard = value, now.Unix()
	if c.throttle.Decide(now, c.every, id, number, decimals, text) == throttle.Publish {
		q.states++
		q.published = value
	}
	q.trueSum += value
	q.publishedSum += q.published
}

// units returns a number as it is published, without its point.
func units(t *testing.T, number obis.Decimal, decimals uint8) int64 {
	if number.Exp == -int8(decimals) {
		return number.Coef
	}
	var room [40]byte
	text := strings.Replace(string(number.AppendFixed(room[:0], int(decimals))), ".", "", 1)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%v: %v", number, err)
	}
	return n
}

// judge is what the issue of a database and that of its statistics both want.
func (c *courses) judge(most int) {
	c.t.Helper()
	states, telegrams, changes := 0, 0, 0
	for _, q := range c.all {
		if q == nil {
			continue
		}
		states, telegrams, changes = states+q.states, telegrams+q.telegrams, changes+q.changes
		switch q.id.Row().Kind {
		case quantity.Power:
			q.judgeMean(c.t)
		case quantity.Counter:
			q.judgeEnergy(c.t, c.throttle.Withheld(q.id))
		default:
		}
	}
	c.t.Logf("%d states: %.2f %% of %d values, %.2f %% of %d changes",
		states, 100*float64(states)/float64(telegrams), telegrams, 100*float64(states)/float64(changes), changes)
	if states*100 > most*changes {
		c.t.Errorf("got %d states, want at most %d %% of %d changes", states, most, changes)
	}
}

// judgeMean wants a mean that is right to 1 %.
func (q *course) judgeMean(t *testing.T) {
	t.Helper()
	wrong := q.publishedSum - q.trueSum
	if max(wrong, -wrong)*100 > max(q.trueSum, -q.trueSum) {
		t.Errorf("%v: got a mean of %d/%d, want %d/%[3]d to 1 %%", q.id, q.publishedSum, q.telegrams, q.trueSum)
	}
}

// judgeEnergy wants the value of each full hour and, with what is published at a stop, that of the end.
func (q *course) judgeEnergy(t *testing.T, rest bool) {
	t.Helper()
	if q.behind != 0 {
		t.Errorf("%v: %d of %d hours began with another value than the last before them", q.id, q.behind, q.hours)
	}
	if rest != (q.published != q.newest) {
		t.Errorf("%v: Withheld says %v: published %d, newest %d", q.id, rest, q.published, q.newest)
	}
}
