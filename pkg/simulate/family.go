// Package simulate generates the telegrams of electricity meters, byte for byte as real meters send them on their customer ports.
//
// # Families
//
// A Family is a meter model with its own telegrams, such as "p1-se-aidon" or "kamstrup-dk". Families lists all of them, and Named finds one
// by its name. The names do not change from version to version. ASCII telegrams include their checksums. DLMS telegrams include their HDLC
// or M-Bus frames. Families with a Cipher encrypt with the published keys EncryptionKey and AuthenticationKey.
//
// # Meters and households
//
// NewMeter puts a meter of a family into a simulated household, and Meter.Next returns one telegram after another with the time at which
// it is due. It does not wait: the caller decides the pace. The household has appliances, solar cells and an electric car. Meter.State
// returns the exact values that the last telegram shows, so that a test can compare them with what a decoder reads. A program that wants
// only the values uses NewHousehold.
//
// # Determinism
//
// All values depend only on a seed and the time. The same seed and the same time give the same telegrams on every machine. There is no
// floating-point arithmetic, no clock and no global state.
//
// # Faults
//
// NewFaultyMeter adds faults to the telegrams of a meter: wrong checksums, lost bytes, noise, silence, another line speed. FaultKinds
// describes the kinds of faults, and ParseFault reads a fault from text such as "crc=10". Faults depend only on a seed, too.
//
// LineSetting.ReceivedBy simulates a serial line. It returns the bytes that a receiver with another speed or parity reads.
//
// # Units
//
// All values are integers. The unit is in the documentation of each field: powers are in W and var, energies in Ws and var·s, voltages in
// 0.1 V, currents in mA, the frequency in 0.01 Hz. Times are in UTC.
package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Family is a meter model that sends a certain list of values. The Interval of a copy can be changed. The other fields must not be
// changed.
type Family struct {
	// Name identifies the family: "p1-se-aidon".
	Name string
	// Title describes the family to people.
	Title string
	// Make is the manufacturer, as package meter names it.
	Make string
	// Country is where the meter is used, as two letters (ISO 3166).
	Country string
	// Connector is the socket of the customer port: "RJ12", "RJ45" or "optical".
	Connector string
	// Line is the line setting of the customer port: speed in bits a second, data bits, parity and stop bits, such as "2400 8E1".
	Line string
	// Cipher is the security control byte of the telegrams (IEC 62056-5-3, 9.2.4.7), or 0 if the telegrams are not encrypted. 0x20 and 0x21
	// mean encryption without an authentication tag. 0x30 means encryption with an authentication tag.
	Cipher byte
	// Interval is the time from one telegram to the next.
	Interval time.Duration
	// HourlyOffset is the time from each whole hour to an additional telegram. It is 0 for meters without an additional telegram.
	HourlyOffset time.Duration
	// Phases is 1 or 3.
	Phases int
	// Ratio is the ratio of the current transformers in front of the meter. The meter shows the household's values divided by Ratio. Ratio
	// is 1 for a meter without transformers.
	Ratio int64
	// Households is how many equal households share the meter. The meter shows the sum of the households.
	Households int64

	encode encoder
}

// Append appends one telegram that shows the state s, with its frames and checksums, and returns the extended slice. Append does not change s,
// and does not use s after it returns. It is safe for concurrent use.
func (f Family) Append(dst []byte, s *State) []byte {
	if f.Households > 1 {
		shared := s.Multiply(f.Households)
		s = &shared
	}
	return f.encode(dst, s)
}

// LineSetting returns the setting that Line describes.
func (f Family) LineSetting() LineSetting {
	var s LineSetting
	if n, err := fmt.Sscanf(f.Line, "%d %1d%c%1d", &s.Baud, &s.DataBits, &s.Parity, &s.StopBits); err != nil || n != 4 {
		panic("simulate: " + f.Name + " has an invalid line setting: " + f.Line)
	}
	return s
}

// Families returns all families in the order in which a program should list them. The slice belongs to the caller.
func Families() []Family { return slices.Clone(families()) }

// Named returns the family with the given Name. It returns false if no family has this name.
func Named(name string) (Family, bool) {
	for _, f := range families() {
		if f.Name == name {
			return f, true
		}
	}
	return Family{}, false
}

// families builds the list at its first call, so that a program that simulates nothing does not parse the embedded telegrams.
var families = sync.OnceValue(func() []Family {
	return slices.Concat(
		aidonFamilies(), nordicP1Families(),
		embriqFamilies(), kaifaFamilies(), kamstrupFamilies(),
		landisgyrFamilies(), iskraFamilies(), viennaFamilies(), austrianFamilies(), sagemcomFamilies(),
		otherP1Families(),
	)
})

// Connectors and line settings.
const (
	rj12         = "RJ12"
	rj45         = "RJ45"
	optical      = "optical"
	p1Line       = "115200 8N1"
	mbusLine     = "2400 8E1"
	kamstrupLine = "2400 8N1"
	dsmr2Line    = "9600 7E1"
)

// withDefaults fills the empty fields of families and returns families. It takes the values from defaults, or common values such as an
// Interval of 10 s. wrap puts frames around the APDUs of the encoders. wrap is nil if the encoders write the frames themselves, or if
// the telegrams have no frames.
func withDefaults(defaults Family, wrap func(encoder) encoder, families []Family) []Family {
	for i := range families {
		f := &families[i]
		f.Make, f.Country, f.Connector = cmp.Or(f.Make, defaults.Make), cmp.Or(f.Country, defaults.Country), cmp.Or(f.Connector, defaults.Connector)
		f.Line, f.Cipher = cmp.Or(f.Line, defaults.Line), cmp.Or(f.Cipher, defaults.Cipher)
		f.Interval = cmp.Or(f.Interval, 10*time.Second)
		f.Phases, f.Ratio, f.Households = cmp.Or(f.Phases, 3), cmp.Or(f.Ratio, 1), cmp.Or(f.Households, 1)
		if wrap != nil {
			f.encode = wrap(f.encode)
		}
	}
	return families
}

// A schedule returns which of its lists a meter sends at a time, as an index from 0.
type schedule func(time.Time) int

// encoder returns an encoder that encodes, at each time, the list that the schedule selects.
func (s schedule) encoder(lists ...encoder) encoder {
	return func(dst []byte, state *State) []byte { return lists[s(state.Time)](dst, state) }
}

// norwegianSchedule selects list 2 (index 1) every ten seconds and list 1 (index 0) in between. Ten seconds past the hour it selects list 3
// (index 2) instead of list 2. Source: Aidon HAN interface description 1.1A.
func norwegianSchedule(t time.Time) int {
	switch {
	case t.Second()%10 != 0:
		return 0
	case t.Minute() == 0 && t.Second() == 10:
		return 2
	}
	return 1
}

// oncePer returns the schedule of a meter with two lists. The meter sends the second list once in each period, at offset after the beginning
// of the period. At all other times it sends the first list.
func oncePer(period, offset time.Duration) schedule {
	return func(t time.Time) int {
		if t.Sub(t.Truncate(period)) == offset {
			return 1
		}
		return 0
	}
}
