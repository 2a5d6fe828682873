package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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
	Name, Effect string
	Default      int
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
		f := Fault{Kind: name, N: k.Default}
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

// A FaultyMeter is a meter with faults, which follow from the seed alone. It is not safe for concurrent use.
type FaultyMeter struct {
	meter  *Meter
	then   Family
	faults []Fault
	chance chance
	n      int64 // telegrams so far
	buf    []byte
}

// NewFaultyMeter returns what comes of m, which is the FaultyMeter's from then on. then is what a fault of kind "profile" makes of it.
func NewFaultyMeter(m *Meter, seed uint64, then Family, faults ...Fault) *FaultyMeter {
	return &FaultyMeter{meter: m, then: then, faults: slices.Clone(faults), chance: chance(seed)}
}

// Next returns what comes next and when it is due, never nothing. The bytes are valid until the following call.
func (f *FaultyMeter) Next() (at time.Time, got []byte) {
	for _, x := range f.faults {
		f.before(x)
	}
	at, telegram := f.meter.Next()
	f.buf = append(f.buf[:0], telegram...)
	for i, x := range f.faults {
		f.damage(x, int64(i))
	}
	f.n++
	return at, f.buf
}

// silenceEvery is after how many telegrams a fault of kind "silence" comes.
const silenceEvery = 20

// before does to the meter what must be done before it speaks.
func (f *FaultyMeter) before(x Fault) {
	switch x.Kind {
	case "silence":
		if f.n == 0 || f.n%silenceEvery != 0 {
			return
		}
		for range x.N {
			f.meter.Next()
		}
	case "profile":
		if f.n == int64(x.N) {
			f.meter.become(f.then)
		}
	case "key":
		f.meter.wrongKey = f.hits(x)
	}
}

// hits tells if it is this one of N telegrams.
func (f *FaultyMeter) hits(x Fault) bool {
	n := int64(x.N)
	return f.n%n == f.chance.draw(drawFault, f.n/n, 0, n-1)
}

// damage does to the telegram what the wire does. what tells faults apart.
func (f *FaultyMeter) damage(x Fault, what int64) {
	size := int64(len(f.buf))
	draw := func(i, lo, hi int64) int64 { return f.chance.draw(drawFault+1+what, f.n<<8+i, lo, hi) }
	if x.Kind == "baud" {
		f.buf = f.heard(x.N)
		return
	}
	if x.N < 1 || size < 4 || !f.hits(x) {
		return
	}
	switch x.Kind {
	case "crc":
		f.buf[draw(0, size/4, size*3/4)] ^= 1 << draw(1, 0, 6)
	case "cut":
		f.buf = f.buf[:draw(0, size/4, size*3/4)]
	case "merge":
		f.buf = f.buf[:draw(0, size/4, size*3/4)]
		_, next := f.meter.Next()
		f.buf = append(f.buf, next[int64(len(next))*draw(1, 1, 3)/4:]...)
	case "noise":
		var noise []byte
		for i := range draw(0, 1, 64) {
			noise = append(noise, byte(draw(i+1, 0, 255)))
		}
		f.buf = append(noise, f.buf...)
	}
}

// heard returns what a reader at another baud makes of the bytes.
func (f *FaultyMeter) heard(baud int) []byte {
	from := f.meter.family.LineSetting()
	if baud == 0 {
		if baud = 9600; from.Baud == baud {
			baud = 115200
		}
	}
	return from.ReceivedBy(nil, f.buf, LineSetting{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
}
