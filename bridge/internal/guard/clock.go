package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A clock measures the time in which a counter can have risen. It never goes back. Between two telegrams, the clock of the machine and the
// clock of the meter both advance. The larger advance counts, because each advance can be too small:
//
//   - while a recording is read, the clock of the machine hardly advances;
//   - a small computer can start with its clock at the time when it was switched off;
//   - many telegrams have no time.
//
// A wrong clock of a meter must not make every rise possible. So the meter's clock counts only within these bounds:
//
//   - if both clocks have advanced alike for a minute, the meter is read live, and only the clock of the machine counts;
//   - of an advance of more than an hour, only an hour counts, or the part after maxMeterTime if this part is longer; without this bound, many
//     hours would count for each telegram if the telegrams of two meters with different clocks alternate;
//   - an advance of more than 31 days counts as 31 days.
type clock struct {
	now      int64     // in ms, from an arbitrary start
	received time.Time // when the last telegram arrived; zero before the first telegram

	meterTime      int64 // the time in the last telegram that had a time, Unix time in s; 0 if there was none
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
		c.advanceByMeter(received, meter.Time(time.UTC).Unix()) // a time without a zone is read as UTC; only differences matter
	}
}

// elapsed returns the ms between two times, at least 0. If somebody has set the machine's clock, only the monotonic clock is right. If the
// machine has slept, only the wall clock is right. So elapsed returns the longer of the two differences.
func elapsed(from, to time.Time) int64 {
	// Round(0) removes the monotonic clock.
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)), 0).Milliseconds()
}

// advanceByMeter advances now by the meter's clock where the bounds allow it. The meter's time is Unix time in s.
func (c *clock) advanceByMeter(received time.Time, meter int64) {
	isLive := c.agreement.add(received.Unix(), meter)
	if c.meterTime != 0 && !isLive {
		// Only one hour counts, or the time after maxMeterTime if this time is longer.
		countedSeconds := max(0, min(meter-c.meterTime, hour/second), min(meter-c.maxMeterTime, maxMeterAdvance/second))
		c.now = max(c.now, c.nowAtMeterTime+countedSeconds*second)
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

// add compares the clocks at the next telegram. It reports whether the clocks had agreed for minAgreement until the previous telegram.
func (a *agreement) add(received, meter int64) bool {
	hadAgreed := a.lastReceived-a.receivedStart >= minAgreement
	deviation := (received - a.receivedStart) - (meter - a.meterStart)
	if a.lastReceived == 0 || deviation > maxClockDeviation || deviation < -maxClockDeviation {
		a.receivedStart, a.meterStart = received, meter
	}
	a.lastReceived = received
	return hadAgreed
}
