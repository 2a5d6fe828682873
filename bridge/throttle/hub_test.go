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

// A hub counts and sums the values that a Throttle publishes of one meter, and compares them with all values that the meter sent.
type hub struct {
	t          *testing.T
	throttle   *throttle.Throttle
	interval   time.Duration
	quantities []*hubQuantity // by quantity.ID, nil if the meter does not send the quantity
}

// A hubQuantity is one quantity of a hub. Numbers are in units of the last decimal.
type hubQuantity struct {
	id                         quantity.ID
	decimals                   uint8
	telegrams, changes, states int
	newest, published          int64
	trueSum, publishedSum      int64 // over all telegrams
	newestAt                   int64 // Unix time
	// hours counts the full hours that began. outdatedHours counts the hours at whose beginning the newest value was not the published one.
	hours, outdatedHours int
}

func newHub(t *testing.T, plan *throttle.Plan, interval time.Duration) *hub {
	return &hub{t: t, throttle: throttle.New(plan), interval: interval, quantities: make([]*hubQuantity, quantity.Count())}
}

// add passes a value to the throttle. As in a hub, a published value is valid until the next one.
func (h *hub) add(now time.Time, id quantity.ID, number obis.Decimal, decimals uint8, text string) {
	q := h.quantities[id]
	value := inLastDecimal(h.t, number, decimals)
	if q == nil {
		q = &hubQuantity{id: id, decimals: decimals, newest: value, newestAt: now.Unix()}
		h.quantities[id] = q
	}
	if now.Unix()/3600 != q.newestAt/3600 {
		q.hours++
		if q.published != q.newest {
			q.outdatedHours++
		}
	}
	if value != q.newest {
		q.changes++
	}
	q.telegrams++
	q.newest, q.newestAt = value, now.Unix()
	if h.throttle.Decide(now, h.interval, id, number, decimals, text) == throttle.Publish {
		q.states++
		q.published = value
	}
	q.trueSum += value
	q.publishedSum += q.published
}

// inLastDecimal returns a number as it is published, in units of its last decimal.
func inLastDecimal(t *testing.T, number obis.Decimal, decimals uint8) int64 {
	if number.Exp == -int8(decimals) {
		return number.Coef
	}
	var buffer [40]byte
	text := strings.Replace(string(number.AppendFixed(buffer[:0], int(decimals))), ".", "", 1)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%v: %v", number, err)
	}
	return n
}

// check checks that at most maxPercent of the changes are published, and that means and hourly counters are right nevertheless.
func (h *hub) check(maxPercent int) {
	h.t.Helper()
	states, telegrams, changes := 0, 0, 0
	for _, q := range h.quantities {
		if q == nil {
			continue
		}
		states, telegrams, changes = states+q.states, telegrams+q.telegrams, changes+q.changes
		switch q.id.Row().Kind {
		case quantity.Power:
			q.checkMean(h.t)
		case quantity.Counter:
			q.checkCounter(h.t, h.throttle.Withheld(q.id))
		default:
		}
	}
	h.t.Logf("%d states: %.2f %% of %d values, %.2f %% of %d changes",
		states, 100*float64(states)/float64(telegrams), telegrams, 100*float64(states)/float64(changes), changes)
	if states*100 > maxPercent*changes {
		h.t.Errorf("got %d states, want at most %d %% of %d changes", states, maxPercent, changes)
	}
}

// checkMean checks that the mean of the published values is right to 1 %.
func (q *hubQuantity) checkMean(t *testing.T) {
	t.Helper()
	difference := q.publishedSum - q.trueSum
	if max(difference, -difference)*100 > max(q.trueSum, -q.trueSum) {
		t.Errorf("%v: got a mean of %d/%d, want %d/%[3]d to 1 %%", q.id, q.publishedSum, q.telegrams, q.trueSum)
	}
}

// checkCounter checks that each full hour begins with the newest value, and that Withheld reports whether the last value was not published.
func (q *hubQuantity) checkCounter(t *testing.T, withheld bool) {
	t.Helper()
	if q.outdatedHours != 0 {
		t.Errorf("%v: %d of %d hours began with another value than the last before them", q.id, q.outdatedHours, q.hours)
	}
	if withheld != (q.published != q.newest) {
		t.Errorf("%v: Withheld is %v: published %d, newest %d", q.id, withheld, q.published, q.newest)
	}
}
