// Package simulate generates the telegrams of electricity meters, byte for byte as real meters send them on their customer ports.
//
// # Families
//
// A Family is a meter model with its own telegrams, such as "p1-se-aidon" or "kamstrup-dk". Families lists all of them, and Named finds one
// by its name. The names do not change from version to version. ASCII telegrams have their checksums, DLMS lists their HDLC or M-Bus
// frames. Families with a Cipher encrypt with the published keys EncryptionKey and AuthenticationKey.
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
// All values follow from a seed and the time. The same seed and the same time give the same telegrams, on every machine, in whatever steps
// the time advances. There is no floating-point arithmetic, no clock and no global state.
//
// # Faults
//
// NewFaultyMeter adds faults to the telegrams of a meter: wrong checksums, lost bytes, noise, silence, another line speed. FaultKinds
// describes them, and ParseFault reads one from text such as "crc=10". Faults follow from a seed too. The faults use
// LineSetting.ReceivedBy, which simulates a serial line: it returns the bytes that a receiver with another speed or parity reads.
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

// A Family is a meter model with a certain list of values. Its fields describe it. A copy can get another Interval; the other fields
// must not be changed.
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
	// Cipher is the security control byte of the telegrams (IEC 62056-5-3, 9.2.4.7), 0 if they are not encrypted. It is 20 or 21
	// (hexadecimal) for encryption without an authentication tag, 30 for encryption with an authentication tag.
	Cipher byte
	// Interval is the time from one telegram to the next.
	Interval time.Duration
	// HourlyOffset is positive for meters that send one more telegram an hour. HourlyOffset is the time from the whole hour to that
	// telegram.
	HourlyOffset time.Duration
	// Phases is 1 or 3.
	Phases int
	// Ratio is the ratio of the current transformers before the meter, which shows the household's values divided by it. It is 1 for a
	// meter without transformers.
	Ratio int64
	// Households is how many equal households share the meter, which shows their sum. It is 1 for most families.
	Households int64

	encode encoder
}

// Append appends one telegram that shows the state s, as it is on the wire, and returns the extended slice. It does not change s, and does
// not use s after it returns. It is safe for concurrent use.
func (f Family) Append(dst []byte, s *State) []byte {
	if f.Households > 1 {
		all := s.Multiply(f.Households)
		s = &all
	}
	return f.encode(dst, s)
}

// LineSetting returns Line in its parts, as the setting of the end of a simulated serial line at the meter.
func (f Family) LineSetting() LineSetting {
	var w LineSetting
	if n, err := fmt.Sscanf(f.Line, "%d %1d%c%1d", &w.Baud, &w.DataBits, &w.Parity, &w.StopBits); err != nil || n != 4 {
		panic("simulate: " + f.Name + " has no line setting: " + f.Line)
	}
	return w
}

// Families returns all families in the order in which a program should list them. The slice belongs to the caller.
func Families() []Family { return slices.Clone(families()) }

// Named returns the family with a Name. It returns false if there is none.
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
		aidonFamilies(), swedishP1Families(),
		embriqFamilies(), kaifaFamilies(), kamstrupFamilies(),
		landisgyrFamilies(), iskraFamilies(), viennaFamilies(), austrianFamilies(), sagemcomFamilies(),
		p1Families(),
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

// withDefaults fills the empty fields of families from defaults, or with common values, and returns families. carry puts frames around the
// APDUs of the families. It is nil for families whose encoders write whole telegrams.
func withDefaults(defaults Family, carry func(encoder) encoder, families []Family) []Family {
	for i := range families {
		f := &families[i]
		f.Make, f.Country, f.Connector = cmp.Or(f.Make, defaults.Make), cmp.Or(f.Country, defaults.Country), cmp.Or(f.Connector, defaults.Connector)
		f.Line, f.Cipher = cmp.Or(f.Line, defaults.Line), cmp.Or(f.Cipher, defaults.Cipher)
		f.Interval = cmp.Or(f.Interval, 10*time.Second)
		f.Phases, f.Ratio, f.Households = cmp.Or(f.Phases, 3), cmp.Or(f.Ratio, 1), cmp.Or(f.Households, 1)
		if carry != nil {
			f.encode = carry(f.encode)
		}
	}
	return families
}

// A schedule returns the index in the lists of a meter: which list is sent at a time.
type schedule func(time.Time) int

// encoder returns an encoder of lists that encodes the list with the index that s returns.
func (s schedule) encoder(lists ...encoder) encoder {
	return func(dst []byte, state *State) []byte { return lists[s(state.Time)](dst, state) }
}

// norwegianSchedule sends list 2 every ten seconds and list 1 in between. Ten seconds past the hour it sends list 3 instead of list 2
// (Aidon HAN interface description 1.1A).
func norwegianSchedule(t time.Time) int {
	switch {
	case t.Second()%10 != 0:
		return 0
	case t.Minute() == 0 && t.Second() == 10:
		return 2
	}
	return 1
}

// oncePer returns the schedule of a meter that sends its second list once in each period, at an offset from the beginning of the period,
// and its first list otherwise.
func oncePer(period, offset time.Duration) schedule {
	return func(t time.Time) int {
		if t.Sub(t.Truncate(period)) == offset {
			return 1
		}
		return 0
	}
}
