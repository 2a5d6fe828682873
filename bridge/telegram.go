package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Telegram is what one telegram said, with the values that belong together.
type Telegram struct {
	// Meter is the meter's index in the order of the configuration.
	Meter int
	// Seq counts the telegrams of this meter since the bridge was started, from 1.
	Seq      uint64
	Received time.Time
	// MeterTime is the meter's own clock, zero where the telegram has none.
	MeterTime obis.Time
	Values    []Value
}

// A Value is one quantity as it is published. Unlike a Sample it owns its text.
type Value struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Decimals is how many the number is written with: always the same for a quantity of a meter.
	Decimals uint8
	// Number is in the published unit; zero for a quantity that is text.
	Number obis.Decimal
	Text   string
}

// Append appends the bare value: 1727, 230.0, a text as it is.
func (v *Value) Append(dst []byte) []byte {
	if !v.ID.Row().Numeric() {
		return append(dst, v.Text...)
	}
	return v.Number.AppendFixed(dst, int(v.Decimals))
}

// A Description is what is known of a meter's own description and of its wire.
type Description struct {
	Make, Model, Serial, List string
	// Protocol is the framing of its telegrams.
	Protocol string
	// Port and Line are where and how it is read: /dev/ttyUSB0 and 115200 8N1.
	Port, Line string
}

// Stats is what the bridge counts of a meter since its start.
type Stats struct {
	// Telegrams are the verified ones; Errors those that were dropped: damaged, encrypted, or of a kind that is not read.
	Telegrams, Errors uint64
	// Repeated are verified telegrams whose frame counter was not above that of the one before.
	Repeated uint64
	// Rejected are counter values that were held back, RejectedReason is why the last one was, in words for people.
	Rejected       uint64
	RejectedReason string
	// LastTelegram is when the last verified telegram came; zero before the first.
	LastTelegram time.Time
	// Interval is the learned time between telegrams.
	Interval time.Duration
}

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
