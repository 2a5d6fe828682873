package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// zoned corrects the zone of a meter's clock by the time at which its telegram arrived. Meters know the hour better than
// the zone: Norwegian ones send none, Finnish ones a letter that elsewhere means an hour less. A clock that is more than ten
// minutes from every whole hour of Europe is left as it is, as one in a recording is.
func zoned(t obis.Time, received time.Time) obis.Time {
	if t.IsZero() {
		return t
	}
	const tolerance = 10 * time.Minute
	ahead := t
	ahead.Zone = false
	offset := ahead.Time(time.UTC).Sub(received)
	hours := offset.Round(time.Hour)
	if off := offset - hours; off.Abs() > tolerance || hours < 0 || hours > 3*time.Hour {
		return t
	}
	t.Zone, t.Offset = true, int16(hours/time.Minute)
	return t
}
