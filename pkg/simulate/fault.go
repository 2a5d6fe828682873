package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// A Fault is something that goes wrong with a meter or its wire.
type Fault struct {
	// Kind is one of FaultKinds.
	Kind string
	// N says how often, for how long or at what: see FaultKinds.
	N int
}

// A FaultKind is a kind of Fault: what N means, and what it is when nothing is said.
type FaultKind struct {
	Name, Does string
	Usual      int
}

// FaultKinds returns all there are. The slice is the caller's.
func FaultKinds() []FaultKind {
	return []FaultKind{
		{"crc", "one bit is wrong in one of N telegrams", 5},
		{"cut", "one of N telegrams ends too early", 5},
		{"noise", "random bytes before one of N telegrams", 2},
		{"merge", "once in N telegrams the end of one and the beginning of the next are lost", 5},
		{"silence", "after each 20 telegrams nothing for N intervals", 10},
		{"baud", "what a reader set to N baud, 8N1 hears; 0 is 9600, or 115200 where the meter has 9600", 0},
		{"profile", "after N telegrams the meter is of another family", 5},
		{"key", "one of N telegrams is encrypted with another key", 1},
	}
}

// ParseFault reads "crc", or "crc=10" with its N.
func ParseFault(text string) (Fault, error) {
	name, number, given := strings.Cut(text, "=")
	var names []string
	for _, k := range FaultKinds() {
		names = append(names, k.Name)
		if k.Name != name {
			continue
		}
		f := Fault{Kind: name, N: k.Usual}
		if !given {
			return f, nil
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 1_000_000 {
			return Fault{}, fmt.Errorf("fault %s: %q is not a number from 1 to a million", name, number)
		}
		f.N = n
		return f, nil
	}
	return Fault{}, fmt.Errorf("no fault %q; there are %s", name, strings.Join(names, ", "))
}
