package guard

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Result is the outcome of Check for one telegram.
type Result struct {
	// Accepted are the samples that can be published, in their order.
	Accepted []quantity.Sample
	// Rejected are the counters that were held back.
	Rejected []Rejection
	// Resets are the counters among Accepted that do not follow from their last accepted value.
	Resets []Reset
	// ReplacedSerial is the serial number of the old meter, if this telegram shows that the meter was replaced; otherwise "".
	ReplacedSerial string
}

// A Rejection is a value of a counter that was held back.
type Rejection struct {
	ID    quantity.ID
	Value obis.Decimal
	// LastAccepted is the last accepted value, if First is false.
	LastAccepted obis.Decimal
	// First is true if no value of this counter has been accepted yet.
	First  bool
	Reason Reason
	// Repeated is true if the value before this one was rejected for the same reason.
	Repeated bool
}

// A Reset is a counter that does not continue from its last accepted value. How much was consumed in between is unknown.
type Reset struct {
	ID quantity.ID
	// From is the last accepted value before the reset, To the first one after it.
	From, To obis.Decimal
}

// A Reason is why a value was held back.
type Reason uint8

const (
	// Zero is a counter that reads zero after another value, or as its first value.
	Zero Reason = iota + 1
	// Backward is a counter that is below its last accepted value, or below zero.
	Backward
	// Jump is a rise above what the main fuse allows in the elapsed time.
	Jump
	// PartRejected is a sum of counters, one of which was rejected.
	PartRejected
)

// String returns the reason as part of a sentence, such as "it stepped back".
func (r Reason) String() string {
	return [...]string{
		Zero: "it read zero", Backward: "it stepped back", Jump: "it rose by more than the main fuse lets through in the time",
		PartRejected: "a tariff that it sums was held back",
	}[r]
}
