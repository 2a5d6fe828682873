package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Telegram holds the values of one verified telegram. Nobody changes a Telegram after it was made, so all goroutines share it without a copy.
type Telegram struct {
	// Meter is the id of the meter.
	Meter string
	// Seq counts the telegrams of this meter since the bridge was started, from 1.
	Seq uint64
	// Received is the time of arrival of its last byte by the clock of this machine.
	Received time.Time
	// MeterTime is the meter's own clock; zero if the telegram has none.
	MeterTime obis.Time
	// Recorded is true if the telegram comes from a recording. All its values are published, whatever the throttle of an output says.
	Recorded bool
	// Values are the values of the telegram in the order of the table of quantities, without the counters that the guard has rejected.
	Values []Value
}

// A Value is one quantity as it is published. Unlike a quantity.Sample, it owns its text.
type Value struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Decimals is the number of decimals with which Number is written. It stays the same for a quantity of a meter.
	Decimals uint8
	// Number is in the published unit; zero if the quantity is text.
	Number obis.Decimal
	// Text is the value of a quantity that is text; "" for numbers.
	Text string
}

// Append appends the value without its unit to dst, such as 1727, 230.0 or a text, and returns the extended slice.
func (v *Value) Append(dst []byte) []byte {
	if !v.ID.Row().Numeric() {
		return append(dst, v.Text...)
	}
	return v.Number.AppendFixed(dst, int(v.Decimals))
}

// A Description is how a meter describes itself, and how it is read. Fields that are unknown are "".
type Description struct {
	// Make, Model and Serial are sent by the meter, or follow from the form of its telegrams. List is the name of its list.
	Make, Model, Serial, List string
	// Protocol is the framing of its telegrams.
	Protocol string
	// Port and Line are the port and the line setting at which it is read, such as /dev/ttyUSB0 and 115200 8N1.
	Port, Line string
}

// Stats are the counts of a meter since the start of the bridge.
type Stats struct {
	// Telegrams counts verified telegrams. Errors counts telegrams that were dropped: damaged, not decrypted, or of an unknown kind.
	Telegrams, Errors uint64
	// Repeated counts verified telegrams whose frame counter was not above that of the previous telegram.
	Repeated uint64
	// Rejected counts counter values that were not published because they cannot be right. RejectedReason is the reason for the last one, as
	// text for people.
	Rejected       uint64
	RejectedReason string
	// LastTelegram is when the last verified telegram arrived; zero before the first.
	LastTelegram time.Time
	// Interval is the usual time between telegrams, learned from the last ones; 10 s until it is known.
	Interval time.Duration
}
