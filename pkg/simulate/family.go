// Package simulate is a household that consumes and produces, and the meters that would stand in it. It encodes itself as
// any family of meters it knows, byte for byte as they send, and so drives the demo, the tests and the benchmarks.
//
// Everything follows from a seed and a time: the same two give the same telegrams, in whatever steps the time is advanced.
package simulate

import (
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
	// Hourly is how long after a whole hour one more telegram is due; 0 where none is.
	Hourly time.Duration
	// Phases is 1 or 3.
	Phases int
	// Ratio is that of the current transformers before the meter: it shows a power, current or energy that is the
	// household's divided by this. 1 for meters without.
	Ratio int64
	// Households is how many are behind the meter, all as the one: what flows and what is counted is that often. 1 for most.
	Households int64

	encode encoder
}

// Append appends the bytes of one telegram as they stand on the wire. The state is not kept. Safe for concurrent use.
func (f Family) Append(dst []byte, s *State) []byte {
	if f.Households > 1 {
		all := s.Times(f.Households)
		s = &all
	}
	return f.encode(dst, s)
}

// Wire is its Line, as a simulated UART takes it.
func (f Family) Wire() Wire {
	var w Wire
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
		nordicP1Families(), dutchFamilies(), belgianFamilies(), easternFamilies(), cipheredTextFamilies(),
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

// A row is a family in a table, where it differs from the others.
type row struct {
	name, title              string
	country, connector, line string
	make                     string
	// list is what it sends; encode, where that is not all, the APDU, and wire the whole telegram.
	list         list
	encode, wire encoder
	every        time.Duration // ms; 0 is 10 s
	hourly       time.Duration
	phases       int // 0 is three
	ratio        int64
	households   int64 // 0 is one
	cipher       byte
}

// in returns the row for another country, socket and setting.
func (r row) in(country, connector, line string) row {
	r.country, r.connector, r.line = country, connector, line
	return r
}

// each returns the families of rows that share what like says, and carry their APDUs alike.
func each(like Family, carry func(encoder) encoder, rows ...row) []Family {
	var out []Family
	for _, r := range rows {
		out = append(out, r.family(like, carry))
	}
	return out
}

func (r row) family(f Family, carry func(encoder) encoder) Family {
	f.Name, f.Title = r.name, r.title
	f.Make, f.Country = or(r.make, f.Make), or(r.country, f.Country)
	f.Connector, f.Line = or(r.connector, f.Connector), or(r.line, f.Line)
	f.Interval = or(r.every*time.Millisecond, f.Interval, 10*time.Second)
	f.Hourly = or(r.hourly, f.Hourly)
	f.Phases, f.Ratio, f.Households = or(r.phases, f.Phases, 3), or(r.ratio, 1), or(r.households, 1)
	f.Cipher = or(r.cipher, f.Cipher)
	switch {
	case r.wire != nil:
		f.encode = r.wire
	case r.encode != nil:
		f.encode = carry(r.encode)
	default:
		f.encode = carry(r.list.append)
	}
	return f
}

// or returns the first that is not zero.
func or[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}

// mixed sends list 2 at each tenth second, list 3 in its place ten seconds past the hour, and list 1 between (Aidon HAN
// interface description 1.1A).
func mixed(list1, list2, list3 list) encoder {
	return func(dst []byte, s *State) []byte {
		switch {
		case s.Time.Second()%10 != 0:
			return list1.append(dst, s)
		case s.Time.Minute() == 0 && s.Time.Second() == 10:
			return list3.append(dst, s)
		}
		return list2.append(dst, s)
	}
}
