package bridge

import (
	"slices"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A counterGuard is the third step of the chain. It withholds the counters that cannot be right, and the sums that are computed from them.
type counterGuard struct {
	fuse  int // the main fuse in A per phase; 0 if it is unknown
	guard *guard.Guard
	// earlier are the last accepted counters of an earlier run, until the first telegram. They are needed because a broker can have lost them, and
	// because some meters send them only once an hour.
	earlier []Value
}

// newCounterGuard returns a counterGuard without history.
func newCounterGuard(fuse int) counterGuard { return counterGuard{fuse: fuse, guard: guard.New(fuse)} }

// guarded is what the step returns for one telegram.
type guarded struct {
	guard.Result
	// earlier are the counters of an earlier run that the first telegram does not have. They are nil for all other telegrams.
	earlier []Value
}

// check decides which samples of a telegram are accepted. The result is valid until the next call; its samples are t.Samples, filtered in place.
func (g *counterGuard) check(t guard.Telegram, change meterChange) (checked guarded) {
	if change == otherSinceLastStart {
		*g = newCounterGuard(g.fuse)
	}
	t.MeterReplaced = change == otherSerial
	checked.Result = g.guard.Check(&t)
	for _, v := range g.earlier {
		isSent := slices.ContainsFunc(checked.Accepted, func(s quantity.Sample) bool { return s.ID == v.ID })
		// The value on the broker is possibly newer than the stored value, so a rejected counter is not published from the state.
		isRejected := slices.ContainsFunc(checked.Rejected, func(r guard.Rejection) bool { return r.ID == v.ID })
		if !isSent && !isRejected {
			checked.earlier = append(checked.earlier, v)
		}
	}
	g.earlier = nil
	return checked
}

// restore continues with the counters of an earlier run. Earlier has them as they were published.
func (g *counterGuard) restore(s *guard.Snapshot, earlier []Value) {
	g.guard.Restore(s)
	g.earlier = earlier
}

// formatCounter returns a counter as it is published.
func formatCounter(id quantity.ID, value obis.Decimal) string {
	return string(value.AppendFixed(nil, max(0, int(id.Row().Decimals))))
}
