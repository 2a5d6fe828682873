package simulate

import (
	"slices"
	"time"
)

// A Family is a kind of meter that a household can have.
type Family struct {
	// Name is by what it is asked for, such as "p1-se-aidon"; Title is for people.
	Name, Title string
	// Line is how its port is set: speed, data bits, parity, stop bits.
	Line string
	// Interval is the time from one telegram to the next. A meter made from a copy with another one sends that often.
	Interval time.Duration
	// Phases is 1 or 3.
	Phases int
	// Ratio is that of the current transformers before the meter: it shows a power, current or energy that is the
	// household's divided by this. 1 for meters without.
	Ratio int64

	encode func(dst []byte, s *State) []byte
}

// Append appends the bytes of one telegram as they stand on the wire. The state is not kept.
func (f Family) Append(dst []byte, s *State) []byte { return f.encode(dst, s) }

// Families returns all there are, in the order in which people should see them. The slice is the caller's.
func Families() []Family { return slices.Clone(families) }

// Named returns a family by its Name.
func Named(name string) (Family, bool) {
	for _, f := range families {
		if f.Name == name {
			return f, true
		}
	}
	return Family{}, false
}

var families = slices.Concat(aidonFamilies(), p1Families())

func aidonFamilies() []Family {
	two := norwegian("6534", amperes, volts)
	return []Family{
		aidon("aidon-se", "Aidon, Swedish list (EFS), three phases", 3, swedish(3).append).on(rj12),
		aidon("aidon-se-1p", "Aidon, Swedish list (EFS), one phase", 1, swedish(1).append).on(rj12),
		aidon("aidon-no", "Aidon 6534, Norwegian lists 1, 2 and 3 as they come", 3, mixed(powerOnly(), two, two.hourly())).
			each(2500 * time.Millisecond),
		aidon("aidon-no1", "Aidon 6534, Norwegian list 1 alone", 3, powerOnly().append).each(2500 * time.Millisecond),
		aidon("aidon-no2", "Aidon 6534, Norwegian list 2 alone", 3, two.append),
		aidon("aidon-no3", "Aidon 6534, Norwegian list 3 alone", 3, two.hourly().append),
		aidon("aidon-no2-1p", "Aidon 6515, Norwegian list 2, one phase", 1, norwegian("6515", amperes[:1], volts[:1]).append),
		aidon("aidon-no3-3w", "Aidon 6525, Norwegian list 3, three wires", 3, norwegian("6525", twoAmpere, volts).hourly().append),
	}
}

// Settings of ports: M-Bus on RJ45, and RJ12.
const (
	rj45 = "2400 8E1"
	rj12 = "115200 8N1"
)

func aidon(name, title string, phases int, encode func([]byte, *State) []byte) Family {
	return Family{Name: name, Title: title, Line: rj45, Interval: 10 * time.Second, Phases: phases, Ratio: 1, encode: encode}
}

func (f Family) on(line string) Family {
	f.Line = line
	return f
}

func (f Family) each(interval time.Duration) Family {
	f.Interval = interval
	return f
}

// mixed sends list 2 at each tenth second, list 3 in its place ten seconds past the hour, and list 1 between (Aidon HAN
// interface description 1.1A).
func mixed(list1, list2, list3 list) func([]byte, *State) []byte {
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

func p1Families() []Family {
	return []Family{
		swedishP1("aidon", "Aidon 6534", layout{ident: "ADN9 6534", order: interleaved, units: kilo, zone: swedishNormal}),
		swedishP1("aidon-1p", "Aidon 6515, one phase", layout{ident: "ADN9 6515", phases: 1, order: interleaved, units: kilo, zone: swedishNormal}),
		swedishP1("aidon-6560", "Aidon 6560, behind current transformers", layout{ident: "ADN9 6560", order: interleaved, units: plain, zone: swedishNormal, ratio: 20}),
		swedishP1("kamstrup", "Kamstrup OMNIPOWER", layout{ident: "KAM5", order: grouped, units: kilo, zone: centralEuropean}),
		swedishP1("kaifa", "Kaifa MA304H4E", layout{ident: "KFM5KAIFA-METER", order: interleaved, units: kilo, zone: swedishNormal}),
		swedishP1("landisgyr", "Landis+Gyr E360", layout{ident: "LGF5E360", order: interleaved, units: kilo, zone: swedishNormal}),
		swedishP1("sagemcom", "Sagemcom of Ellevio", layout{ident: `ELL5\200000001_A`, order: grouped, units: kiloLower, zone: swedishNormal}),
		ofP1("p1-fi-aidon", "Finnish P1, Aidon 7534", layout{ident: "ADN9 7534", order: interleaved, units: kilo, zone: finnish, signed: true}),
	}
}

func swedishP1(name, title string, l layout) Family {
	return ofP1("p1-se-"+name, "Swedish P1, "+title, l)
}

func ofP1(name, title string, l layout) Family {
	if l.phases == 0 {
		l.phases = 3
	}
	return Family{
		Name: name, Title: title, Line: rj12, Interval: 10 * time.Second,
		Phases: int(l.phases), Ratio: max(l.ratio, 1), encode: l.append,
	}
}
