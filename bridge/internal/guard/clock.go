package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A clock is the time by which the Guard measures rises. It never goes back. From one telegram to the next it advances by what the clock of
// the machine or that of the meter advanced, whichever is more. Neither clock is enough. While a recording is read, the clock of the
// machine hardly advances. A small computer can start with its clock at the time when it was switched off. Many telegrams have no time. But
// a wrong clock of a meter must not explain every rise, so the meter's clock counts only within these bounds:
//
//   - if both clocks have agreed for a minute, the meter is read live, and only the clock of the machine counts;
//   - an advance of more than an hour counts only from the latest time that the meter has sent, so that telegrams of two meters that
//     alternate add no time;
//   - an advance of more than 31 days counts as 31 days.
type clock struct {
	now      int64     // in ms, from an arbitrary start
	received time.Time // when the last telegram arrived; zero before the first

	meterTime      int64 // the meter's last time, Unix time in s; 0 if it has sent none
	nowAtMeterTime int64 // the value of now when meterTime was received
	maxMeterTime   int64 // the latest time that the meter has sent, Unix time in s
	agreement      agreement
}

// maxMeterAdvance is the longest advance of the meter's clock that counts, in ms.
const maxMeterAdvance = 31 * 24 * hour

// advance sets the clock to the time of a telegram.
func (c *clock) advance(received time.Time, meter obis.Time) {
	if !c.received.IsZero() {
		c.now += elapsed(c.received, received)
	}
	c.received = received
	if meter.Valid() {
		c.advanceByMeter(received, meter.Time(time.UTC).Unix()) // a time without a zone is taken for UTC: only differences matter
	}
}

// elapsed returns the ms between two times, at least 0. If the machine's time was set, only the monotonic clock is right. If the machine
// has slept, only the wall clock is right. So the longer of the two differences counts.
func elapsed(from, to time.Time) int64 {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)), 0).Milliseconds()
}

// advanceByMeter advances now by the meter's clock where the bounds allow it. The meter's time is Unix time in s.
func (c *clock) advanceByMeter(received time.Time, meter int64) {
	live := c.agreement.add(received.Unix(), meter)
	if c.meterTime != 0 && !live {
		step := max(0, min(meter-c.meterTime, hour/second), min(meter-c.maxMeterTime, maxMeterAdvance/second))
		c.now = max(c.now, c.nowAtMeterTime+step*second)
	}
	c.meterTime, c.nowAtMeterTime, c.maxMeterTime = meter, c.now, max(c.maxMeterTime, meter)
}

// An agreement tracks for how long the clocks of the machine and of the meter have advanced alike, in s.
type agreement struct {
	receivedStart, meterStart int64 // the two clocks when they began to agree
	lastReceived              int64 // when the last telegram arrived
}

const (
	minAgreement      = 60 // s
	maxClockDeviation = 10 // s; a telegram can arrive late
)

// add compares the clocks at the next telegram. It reports whether they had agreed for minAgreement up to the telegram before.
func (a *agreement) add(received, meter int64) bool {
	live := a.lastReceived-a.receivedStart >= minAgreement
	deviation := (received - a.receivedStart) - (meter - a.meterStart)
	if a.lastReceived == 0 || deviation > maxClockDeviation || deviation < -maxClockDeviation {
		a.receivedStart, a.meterStart = received, meter
	}
	a.lastReceived = received
	return live
}
