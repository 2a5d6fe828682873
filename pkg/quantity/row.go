// Package quantity has a table of the quantities that meters measure, and turns the records of a telegram into samples of these quantities.
//
// A row of the table holds the name, the OBIS codes (IEC 62056-6-2), the units and the decimals of one quantity. Each row has a constant of
// type ID: ImportPower, VoltageL1, Gas. ByName and ByCode find a row by its name and by a code.
//
// A Converter turns the records of a telegram into samples in the units of the table. It also reads sub-meters (gas, water, heat), and
// derives net power and totals that the meter does not send. Numbers are exact decimals. The Converter allocates its buffers for the first
// telegrams, and nothing afterwards.
package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// An ID is the index of a row in the table. IDs can change with each version of this package, so store the row's Name instead. If an ID is
// not less than Count, its methods panic.
type ID uint8

// A Row describes one quantity. Rows are shared by all callers: do not change them.
type Row struct {
	// Name identifies the quantity: "import_power_l1". It never changes, so it can be stored and used in topics and ids.
	Name string
	// Title is the name for people: "Import power L1".
	Title string
	// Codes are groups C, D and E of the OBIS codes of the quantity. They are empty for the quantities of sub-meters (see Gas).
	Codes [][3]byte
	// fallbackCodes are further codes of the quantity. They are ignored in a telegram that has one of Codes.
	fallbackCodes [][3]byte
	// Units are the units in which the quantity can be published. Most quantities have one unit. A text has none.
	Units []Unit
	// Decimals is the number of decimals to publish. It can be AsSent.
	Decimals int8
	// maxMagnitude is the largest magnitude of a valid number, in the unit of the records. Zero means no limit.
	maxMagnitude obis.Decimal
	// isMessage is true for a message to the customer. ASCII telegrams contain messages as hexadecimal digits (DSMR P1 5.0.2, 6.4).
	isMessage bool
	// StateClass is the state class of Home Assistant: Measurement, TotalIncreasing or "".
	StateClass string
	// Kind says how the quantity changes over time.
	Kind Kind
	// Diagnostic is true for a quantity that describes the meter or the grid connection, and not the use of energy.
	Diagnostic bool
	// DisabledByDefault is true for a quantity that few people need. Home Assistant disables its entity until the user enables it.
	DisabledByDefault bool
}

// A Unit is a unit in which a quantity is published.
type Unit struct {
	// Base is the unit without its prefix, as in records: Wh for kWh.
	Base obis.Unit
	// Symbol is the symbol of the published unit: "kWh". It is "" for a number without a unit.
	Symbol string
	// Prefix is the power of ten from Base to the published unit: 3 for kWh.
	Prefix int8
	// DeviceClass is the device class of Home Assistant, "" for none.
	DeviceClass string
}

// AsSent is the Row.Decimals of quantities that are published with as many decimals as the meter sends, at most maxDecimals.
const (
	AsSent      = -1
	maxDecimals = 3
)

// The state classes of Home Assistant that rows use.
const (
	Measurement     = "measurement"
	TotalIncreasing = "total_increasing"
)

// A Kind says how a quantity changes over time. Programs use it to decide how often to publish a quantity.
type Kind uint8

// The kinds of quantities.
const (
	// Status is for quantities that change rarely, and each change matters: texts, limits, numbers of power failures.
	Status Kind = iota
	// Power is for powers. A power changes in steps, when a load is switched.
	Power
	// Voltage is for voltages. A voltage changes a little all the time.
	Voltage
	// Current is for currents. A current changes a little all the time, and in steps when a load is switched.
	Current
	// Ratio is for power factors and frequencies. Only their last digits change.
	Ratio
	// Counter is for quantities that only rise: energy, gas, water, heat.
	Counter
)

// Numeric reports whether the quantity is a number. If not, it is a text.
func (r *Row) Numeric() bool { return len(r.Units) > 0 }

// Rows returns the whole table, in the order in which programs show the quantities to people. The slice is shared by all callers: do not
// change it.
func Rows() []Row { return rows }

// Row returns the row of an ID.
func (id ID) Row() *Row { return &rows[id] }

// String returns the row's Name.
func (id ID) String() string { return rows[id].Name }

// ByName returns the ID of the row with this Name. ok is false if there is none.
func ByName(name string) (id ID, ok bool) {
	id, ok = byName[name]
	return id, ok
}

// Count returns the number of rows. Valid IDs are less than Count.
func Count() int { return len(rows) }

var byName = func() map[string]ID {
	m := make(map[string]ID, len(rows))
	for i := range rows {
		m[rows[i].Name] = ID(i)
	}
	return m
}()

// ByCode returns the quantity of a code. ok is false if no row has the code. It is also false for a past billing period, which has a group F
// other than 255. A code of medium 1 (electricity) can have any channel, because Kamstrup uses channel 1. A code of medium 0 must have channel 0,
// because the other channels of medium 0 are sub-meters and relays. Modules of EMBRIQ send electricity with medium 0 and channel 0. Group E 255
// has the same meaning as group E 0, because EasyMeter sends 1.7.255.
func ByCode(c obis.Code) (id ID, ok bool) {
	if c[0] > 1 || c[0] == 0 && c[1] != 0 || c[5] != obis.Any {
		return 0, false
	}
	cde := c.CDE()
	if cde[2] == obis.Any {
		cde[2] = 0
	}
	id, ok = byCode[codeKey(cde)]
	return id, ok
}

// codeKey returns groups C, D and E as a number, because a map with numbers as keys is faster than a map with arrays as keys.
func codeKey(cde [3]byte) uint32 { return uint32(cde[0])<<16 | uint32(cde[1])<<8 | uint32(cde[2]) }

var byCode = func() map[uint32]ID {
	m := map[uint32]ID{}
	for i := range rows {
		for _, cde := range slices.Concat(rows[i].Codes, rows[i].fallbackCodes) {
			key := codeKey(cde)
			if _, exists := m[key]; exists {
				panic("quantity: two rows for one code: " + rows[i].Name)
			}
			m[key] = ID(i)
		}
	}
	return m
}()
