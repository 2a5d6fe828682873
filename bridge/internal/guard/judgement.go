package guard

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Judgement is what a Guard makes of one telegram.
type Judgement struct {
	// Good are the samples that may be believed, in their order.
	Good []quantity.Sample
	// Held are the counters that were taken out.
	Held []Held
	// Resets are counters among Good that do not go on from their last good value.
	Resets []Reset
	// Replaced is the serial number of the last meter when another has taken its place; "" else.
	Replaced string
}

// A Held is a value of a counter that was held back.
type Held struct {
	ID          quantity.ID
	Value, Last obis.Decimal // Last is the last good one, where First is not set
	First       bool         // nothing has been believed of this counter yet
	Reason      Reason
	// Again tells that this counter was held back for the same reason when it came before this.
	Again bool
}

// A Reset is a counter that began again, or went on from somewhere else: what it rose by is not known.
type Reset struct {
	ID       quantity.ID
	From, To obis.Decimal
}

// A Reason is why a value was held back.
type Reason uint8

const (
	// Zero is a counter that reads zero, and did not before, or is not known to.
	Zero Reason = iota + 1
	// Backward is a counter that is less than it was, or less than zero.
	Backward
	// Jump is a rise that fuse and elapsed time do not explain.
	Jump
	// Derived is a sum of counters of which one was held back.
	Derived
)

// String says it in words: "it stepped back".
func (r Reason) String() string {
	return [...]string{
		Zero: "it read zero", Backward: "it stepped back", Jump: "it rose by more than the main fuse lets through in the time",
		Derived: "a tariff that it sums was held back",
	}[r]
}
