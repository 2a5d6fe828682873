// Package simulate is a household that consumes and produces, and the meters that would stand in it. It encodes itself as
// any family of meters it knows, byte for byte as they send, and so drives the demo, the tests and the benchmarks.
//
// Everything follows from a seed and a time: the same two give the same telegrams, in whatever steps the time is advanced.
package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Family is a kind of meter that a household can have.
type Family struct {
	// Name is by what it is asked for, such as "p1-se-aidon"; Title is for people.
	Name, Title string
	// Make is who made it. Country is where it stands, in two letters (ISO 3166). Connector is its socket.
	Make, Country, Connector string
	// Line is how its port is set: speed, data bits, parity, stop bits.
	Line string
	// Cipher is the security control byte of its messages (IEC 62056-5-3, 9.2.4.7), 0 where it does not encrypt: 20 and 21
	// (hexadecimal) without, 30 with authentication.
	Cipher byte
	// Interval is the time from one telegram to the next. A meter made from a copy with another one sends that often.
	Interval time.Duration
	// HourlyOffset is how long after a whole hour one more telegram is due; 0 where none is.
	HourlyOffset time.Duration
	// Phases is 1 or 3.
	Phases int
	// Ratio is that of current transformers: the meter shows what is the household's divided by this. 1 for meters without.
	Ratio int64
	// Households is how many are behind the meter, all as the one: what flows and what is counted is that often. 1 for most.
	Households int64

	encode encoder
}

// Append appends the bytes of one telegram as they stand on the wire. The state is not kept. Safe for concurrent use.
func (f Family) Append(dst []byte, s *State) []byte {
	if f.Households > 1 {
		all := s.Multiply(f.Households)
		s = &all
	}
	return f.encode(dst, s)
}

// LineSetting is its Line, as a simulated UART takes it.
func (f Family) LineSetting() LineSetting {
	var w LineSetting
	if n, err := fmt.Sscanf(f.Line, "%d %1d%c%1d", &w.Baud, &w.DataBits, &w.Parity, &w.StopBits); err != nil || n != 4 {
		panic("simulate: " + f.Name + " has no line setting: " + f.Line)
	}
	return w
}

// Families returns all there are, in the order in which people should see them. The slice is the caller's.
func Families() []Family { return slices.Clone(families()) }

// Named returns a family by its Name.
func Named(name string) (Family, bool) {
	for _, f := range families() {
		if f.Name == name {
			return f, true
		}
	}
	return Family{}, false
}

// families are made when they are first asked for: a program that simulates nothing does not read the telegrams.
var families = sync.OnceValue(func() []Family {
	return slices.Concat(
		aidonFamilies(), swedishP1Families(),
		embriqFamilies(), kaifaFamilies(), kamstrupFamilies(),
		landisgyrFamilies(), iskraFamilies(), viennaFamilies(), austrianFamilies(), sagemcomFamilies(),
		p1Families(),
	)
})

// Sockets, and the settings of their ports.
const (
	rj12     = "RJ12"
	rj45     = "RJ45"
	optical  = "optical"
	p1Line   = "115200 8N1"
	mbusLine = "2400 8E1"
	noParity = "2400 8N1"
	oldLine  = "9600 7E1"
)

// each returns families that share what like says where they say nothing themselves. Carry puts frames around their APDUs; nil for
// those that send whole telegrams.
func each(like Family, carry func(encoder) encoder, families []Family) []Family {
	for i := range families {
		f := &families[i]
		f.Make, f.Country, f.Connector = cmp.Or(f.Make, like.Make), cmp.Or(f.Country, like.Country), cmp.Or(f.Connector, like.Connector)
		f.Line, f.Cipher = cmp.Or(f.Line, like.Line), cmp.Or(f.Cipher, like.Cipher)
		f.Interval = cmp.Or(f.Interval, 10*time.Second)
		f.Phases, f.Ratio, f.Households = cmp.Or(f.Phases, 3), cmp.Or(f.Ratio, 1), cmp.Or(f.Households, 1)
		if carry != nil {
			f.encode = carry(f.encode)
		}
	}
	return families
}

// A schedule tells which of its lists a meter sends at a time, by the index.
type schedule func(time.Time) int

// of is the encoder of the list that is due.
func (s schedule) of(lists ...encoder) encoder {
	return func(dst []byte, state *State) []byte { return lists[s(state.Time)](dst, state) }
}

// nordic has list 2 at each tenth second, list 3 in its place ten seconds past the hour, and list 1 between (Aidon HAN interface
// description 1.1A).
func nordic(t time.Time) int {
	switch {
	case t.Second()%10 != 0:
		return 0
	case t.Minute() == 0 && t.Second() == 10:
		return 2
	}
	return 1
}

// once is the schedule of a second list that comes once in a period, so long behind its beginning.
func once(period, behind time.Duration) schedule {
	return func(t time.Time) int {
		if t.Sub(t.Truncate(period)) == behind {
			return 1
		}
		return 0
	}
}
