// Package quantity is the one place that knows what can be measured: its name, its OBIS codes, how it is published.
// Topics, entities and metrics all derive from a row of its table.
package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// An ID is the number of a row. It is an index for this program's run alone: what lasts is the row's Name.
type ID uint8

// A Row says all there is to say about one quantity. Rows are shared: do not change them.
type Row struct {
	// Name is the promise: topic, component key, the end of unique_id. It never changes.
	Name string
	// Title is what a person reads: "Import power L1".
	Title string
	// Codes are the groups C, D and E under which meters send it. None for one that is only derived.
	Codes [][3]byte
	// fallbackCodes are codes under which a few meters send it that do not send Codes.
	fallbackCodes [][3]byte
	// Units are the units that it may have; nearly always one. None for a quantity that is text.
	Units []Unit
	// Decimals is how many are published; AsSent for those that the meter sends.
	Decimals int8
	// maxMagnitude is the largest magnitude that is believed, in the unit of the records; zero for any.
	maxMagnitude obis.Decimal
	// hexText marks a text that ASCII telegrams hold as the hexadecimal digits of its characters (DSMR P1 5.0.2, 6.4).
	hexText bool
	// StateClass is the state class of Home Assistant: Measurement, TotalIncreasing or "".
	StateClass string
	// Kind is how it moves.
	Kind Kind
	// Diagnostic marks what is about the meter more than about the household.
	Diagnostic bool
	// DisabledByDefault marks what few people look at: announced, but switched off until somebody wants it.
	DisabledByDefault bool
}

// A Unit is a unit in which a quantity is published.
type Unit struct {
	// Base is the unit of the records.
	Base obis.Unit
	// Symbol is the published symbol: "kWh". "" for a plain number.
	Symbol string
	// Prefix is the power of ten of the published unit over Base: 3 for kWh.
	Prefix int8
	// DeviceClass is the device class of Home Assistant, "" for none.
	DeviceClass string
}

// AsSent in Row.Decimals means: as many as the meter sends, at most maxDecimals, and always the same for one meter.
const (
	AsSent      = -1
	maxDecimals = 3
)

// The state classes of Home Assistant that rows use.
const (
	Measurement     = "measurement"
	TotalIncreasing = "total_increasing"
)

// A Kind is how a quantity moves, and with it how often it is worth publishing.
type Kind uint8

const (
	// Status seldom changes, and each change matters: texts, limits, counts of failures.
	Status Kind = iota
	// Power jumps with every load that is switched.
	Power
	// Voltage moves a little all the time.
	Voltage
	// Current does so too, and jumps with loads.
	Current
	// Ratio is a power factor or a frequency: it moves in its last digits.
	Ratio
	// Counter rises for ever: energy, gas, water, heat.
	Counter
)

// Numeric tells if the quantity is a number.
func (r *Row) Numeric() bool { return len(r.Units) > 0 }

// Rows returns the whole table in the order in which people should see it. The slice is shared: do not change it.
func Rows() []Row { return rows }

// Row returns the row of an ID that this package gave out.
func (id ID) Row() *Row { return &rows[id] }

// String returns the row's Name.
func (id ID) String() string { return rows[id].Name }

// ByName returns the ID of a row by its Name.
func ByName(name string) (ID, bool) {
	id, ok := byName[name]
	return id, ok
}

// Count is the number of rows; every ID is below it.
func Count() int { return len(rows) }

var byName = func() map[string]ID {
	m := make(map[string]ID, len(rows))
	for i := range rows {
		m[rows[i].Name] = ID(i)
	}
	return m
}()

// ByCode returns the quantity that a code names, and false where no row knows it or it is a value of a past period (group F
// not 255). Medium 1 is electricity on any channel: Kamstrup sends on 1-1. Medium 0 is so on channel 0, where the modules of
// EMBRIQ send; its other channels are sub-meters and relays. Group E 255 is the total, as 0 is: EasyMeter sends 1.7.255.
func ByCode(c obis.Code) (ID, bool) {
	if c[0] > 1 || c[0] == 0 && c[1] != 0 || c[5] != obis.Any {
		return 0, false
	}
	cde := c.CDE()
	if cde[2] == obis.Any {
		cde[2] = 0
	}
	id, ok := byCode[codeKey(cde)]
	return id, ok
}

// keyOf returns groups C, D and E as a number, which a map finds faster than an array.
func codeKey(cde [3]byte) uint32 { return uint32(cde[0])<<16 | uint32(cde[1])<<8 | uint32(cde[2]) }

var byCode = func() map[uint32]ID {
	m := map[uint32]ID{}
	for i := range rows {
		for _, cde := range slices.Concat(rows[i].Codes, rows[i].fallbackCodes) {
			key := codeKey(cde)
			if _, twice := m[key]; twice {
				panic("quantity: two rows for one code: " + rows[i].Name)
			}
			m[key] = ID(i)
		}
	}
	return m
}()
