package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A verifier is the first step of the chain. It decides whether a telegram is to be believed, and corrects the zone of the meter's clock.
type verifier struct{}

// check reports whether the telegram is verified. The Decoder has decided that, see meter.Reading. If it is verified, meterTime is the meter's
// clock with the right zone.
func (verifier) check(r *meter.Reading, received time.Time) (meterTime obis.Time, verified bool) {
	return zoned(r.Time, received), r.Verified
}

// zoned corrects the zone of a meter's clock by the time at which its telegram arrived. The zone that meters send is often wrong: Norwegian
// meters send none, and Finnish ones send a letter that elsewhere means an hour less. The clock is not changed if no zone of Europe brings
// it within ten minutes of the arrival, as in a recording.
func zoned(t obis.Time, received time.Time) obis.Time {
	if t.IsZero() {
		return t
	}
	const tolerance = 10 * time.Minute
	local := t
	local.Zone = false
	offset := local.Time(time.UTC).Sub(received)
	hours := offset.Round(time.Hour)
	if off := offset - hours; off.Abs() > tolerance || hours < 0 || hours > 3*time.Hour {
		return t
	}
	t.Zone, t.Offset = true, int16(hours/time.Minute)
	return t
}
