package guard

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Result is the outcome of Check for one telegram.
type Result struct {
	// Accepted are the samples that can be published, in their order.
	Accepted []quantity.Sample
	// Rejected are the counter values that must not be published.
	Rejected []Rejection
	// Resets are the counters among Accepted that were reset: the value does not follow from the last accepted value.
	Resets []Reset
}

// A Rejection is a value of a counter that must not be published.
type Rejection struct {
	ID    quantity.ID
	Value obis.Decimal
	// LastAccepted is the last accepted value, if First is false.
	LastAccepted obis.Decimal
	// First is true if no value of this counter has been accepted yet.
	First  bool
	Reason Reason
	// Repeated is true if the previous value of this counter was rejected for the same reason.
	Repeated bool
}

// A Reset is a counter whose value does not follow from its last accepted value. How much was consumed between these two values is unknown.
type Reset struct {
	ID quantity.ID
	// From is the last accepted value before the reset. To is the first accepted value after the reset.
	From, To obis.Decimal
}

// A Reason is why a value was rejected.
type Reason uint8

const (
	// Zero means that the counter reads zero after another value, or as its first value.
	Zero Reason = iota + 1
	// Backward means that the counter is below its last accepted value, or below zero.
	Backward
	// Jump means that the counter rose by more than the main fuse allows in the elapsed time.
	Jump
	// PartRejected means that the counter is a sum of tariffs, and the value of a tariff was rejected.
	PartRejected
)

// String returns the reason as a clause about the counter, such as "it stepped back".
func (r Reason) String() string {
	return [...]string{
		Zero: "it read zero", Backward: "it stepped back", Jump: "it rose by more than the main fuse allows in the elapsed time",
		PartRejected: "the value of one of its tariffs was rejected",
	}[r]
}
