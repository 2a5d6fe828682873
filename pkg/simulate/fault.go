package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is something that goes wrong with a meter or its line.
type Fault struct {
	// Kind is the Name of one of FaultKinds.
	Kind string
	// N is the parameter of the fault. Its meaning depends on Kind: see FaultKind.Effect.
	N int
}

// A FaultKind describes one kind of Fault.
type FaultKind struct {
	// Name is the name that ParseFault reads and the value of Fault.Kind.
	Name string
	// Effect says in one line what happens, and what N means.
	Effect string
	// Default is the N that ParseFault sets if the text has none.
	Default int
}

// FaultKinds returns all kinds of faults. The slice belongs to the caller.
func FaultKinds() []FaultKind {
	return []FaultKind{
		{"crc", "one bit is wrong in one of N telegrams", 5},
		{"cut", "one of N telegrams ends too early", 5},
		{"noise", "random bytes before one of N telegrams", 2},
		{"merge", "the end of one of N telegrams and the beginning of the next telegram are lost", 5},
		{"silence", "after each 20 telegrams, no telegrams for N intervals", 10},
		{"baud", "the reader is set to N baud, 8N1; 0 is 9600, or 115200 if the meter has 9600", 0},
		{"profile", "after N telegrams, the meter sends the telegrams of another family", 5},
		{"key", "one of N telegrams is encrypted with another key", 1},
	}
}

// ParseFault reads a fault from text: the name of its kind, such as "crc", or the name with N, such as "crc=10". N is from 1 to a
// million. If no kind has the name, the error lists the kinds.
func ParseFault(text string) (Fault, error) {
	name, number, hasNumber := strings.Cut(text, "=")
	var names []string
	for _, k := range FaultKinds() {
		names = append(names, k.Name)
		if k.Name != name {
			continue
		}
		f := Fault{Kind: name, N: k.Default}
		if !hasNumber {
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

// A FaultyMeter is a Meter whose telegrams arrive with faults. It is not safe for concurrent use.
type FaultyMeter struct {
	meter     *Meter
	newFamily Family // of the meter after a fault of kind "profile"
	faults    []Fault
	random    randomSource
	count     int64 // number of telegrams that Next returned
	buf       []byte
}

// NewFaultyMeter returns a meter that sends the telegrams of m with faults. The faults depend only on the seed. The caller must not use m
// afterwards. A fault of kind "profile" turns m into a meter of newFamily. Other faults do not use newFamily.
func NewFaultyMeter(m *Meter, seed uint64, newFamily Family, faults ...Fault) *FaultyMeter {
	return &FaultyMeter{meter: m, newFamily: newFamily, faults: slices.Clone(faults), random: randomSource(seed)}
}

// Next returns the bytes that arrive instead of the next telegram, and when the telegram is due. There is at least one byte. The bytes are
// valid until the next call of Next.
func (f *FaultyMeter) Next() (at time.Time, received []byte) {
	for _, x := range f.faults {
		f.prepare(x)
	}
	at, telegram := f.meter.Next()
	f.buf = append(f.buf[:0], telegram...)
	for i, x := range f.faults {
		f.damageTelegram(x, int64(i))
	}
	f.count++
	return at, f.buf
}

// telegramsBetweenSilences is how many telegrams are sent before each silence of a fault of kind "silence".
const telegramsBetweenSilences = 20

// prepare applies the faults that concern the meter itself, before it sends.
func (f *FaultyMeter) prepare(x Fault) {
	switch x.Kind {
	case "silence":
		if f.count == 0 || f.count%telegramsBetweenSilences != 0 {
			return
		}
		for range x.N { // drops N telegrams
			f.meter.Next()
		}
	case "profile":
		if f.count == int64(x.N) {
			f.meter.switchFamily(f.newFamily)
		}
	case "key":
		f.meter.wrongKey = f.selects(x)
	}
}

// selects reports whether the fault damages the current telegram. It selects one of each N successive telegrams.
func (f *FaultyMeter) selects(x Fault) bool {
	period := int64(x.N)
	return f.count%period == f.random.draw(drawFault, f.count/period, 0, period-1)
}

// damageTelegram applies a fault that happens on the line. index is the position of the fault in f.faults. The random numbers of each index
// are different.
func (f *FaultyMeter) damageTelegram(x Fault, index int64) {
	size := int64(len(f.buf))
	draw := func(i, lo, hi int64) int64 { // i is below 256, so that no two telegrams share a random number
		return f.random.draw(drawFault+1+index, f.count<<8+i, lo, hi)
	}
	if x.Kind == "baud" {
		f.buf = f.atBaud(x.N)
		return
	}
	if x.N < 1 || size < 4 || !f.selects(x) {
		return
	}
	switch x.Kind {
	case "crc":
		f.buf[draw(0, size/4, size*3/4)] ^= 1 << draw(1, 0, 6) // not bit 7, so that ASCII stays ASCII
	case "cut":
		f.buf = f.buf[:draw(0, size/4, size*3/4)]
	case "merge":
		f.buf = f.buf[:draw(0, size/4, size*3/4)]
		_, next := f.meter.Next()
		f.buf = append(f.buf, next[int64(len(next))*draw(1, 1, 3)/4:]...) // without one to three quarters of next
	case "noise":
		var noise []byte
		for i := range draw(0, 1, 64) {
			noise = append(noise, byte(draw(i+1, 0, 255)))
		}
		f.buf = append(noise, f.buf...)
	}
}

// atBaud returns the bytes that a receiver set to baud, 8N1 reads. A baud of 0 means 9600, or 115200 if the meter has 9600.
func (f *FaultyMeter) atBaud(baud int) []byte {
	sender := f.meter.family.LineSetting()
	if baud == 0 {
		if baud = 9600; sender.Baud == baud {
			baud = 115200
		}
	}
	return sender.ReceivedBy(nil, f.buf, LineSetting{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
}
