package dlms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Times and codes in the bodies of shapes.
var (
	clockValue = string(dlms.AppendDateTime(nil, dlms.DateTime{Time: clockTime, Weekday: 3, Status: 0x80}))
	clockTime  = obis.Time{Year: 2026, Month: 5, Day: 13, Hour: 10, Minute: 20, Second: 30, Zone: true, Offset: 120}
	serial     = obis.Code{0, 0, 96, 1, 0, obis.Any} // serial number of the meter
	device     = obis.Code{0, 0, 42, 0, 0, obis.Any} // COSEM logical device name
	pushCode   = obis.Code{0, 8, 25, 9, 0, obis.Any} // push setup, whose attribute 2 is the push object list
)

// The functions below return encoded parts of a body.

func u32(v int64) string             { return string(dlms.AppendNumber(nil, dlms.Uint32, v)) }
func u16(v int64) string             { return string(dlms.AppendNumber(nil, dlms.Uint16, v)) }
func octets(text string) string      { return string(dlms.AppendOctetString(nil, text)) }
func visible(text string) string     { return string(dlms.AppendVisibleString(nil, text)) }
func array(n int) string             { return string(dlms.AppendArray(nil, n)) }
func structure(n int) string         { return string(dlms.AppendStructure(nil, n)) }
func logicalName(c obis.Code) string { return string(dlms.AppendLogicalName(nil, c)) }

// descriptor returns the beginning of an item in a body of attribute descriptors. The caller appends the value.
func descriptor(c obis.Code, class uint16, attribute byte) string {
	return structure(2) + string(dlms.AppendAttributeDescriptor(nil, class, c, attribute))
}

// scaler returns a structure of scaler and unit.
func scaler(exp int8, unit obis.Unit) string { return string(dlms.AppendScalerUnit(nil, exp, unit)) }

// object returns an element of a push object list.
func object(class uint16, c obis.Code, attribute int8) string {
	return string(dlms.AppendPushObject(nil, class, c, attribute))
}

// laterObject returns an element of a push list as a later version of the COSEM class defines it: after the four fields of object, it has a
// restriction and columns.
func laterObject(class uint16, c obis.Code, attribute int8) string {
	restriction := structure(2) + "\x16\x00" + "\x00" // an enum and null-data
	columns := array(1) + structure(2) + u16(1) + u32(2)
	return structure(6) + strings.TrimPrefix(object(class, c, attribute), structure(4)) + restriction + columns
}

// The functions below return records.

func text(c obis.Code, s string) obis.Record {
	return obis.Record{Code: c, Kind: obis.Text, Text: []byte(s)}
}

// empty returns the record of an item without a value.
func empty(c obis.Code) obis.Record { return obis.Record{Code: c} }

func withTime(r obis.Record, t obis.Time) obis.Record { r.Time = t; return r }

// plain returns the record of a number without scaler and unit.
func plain(c obis.Code, v int64) obis.Record {
	return obis.Record{Code: c, Kind: obis.Number, Value: obis.Decimal{Coef: v}}
}

const null = "\x00"

// shapes are bodies of every shape, with the Notification that Parse must return.
var shapes = []struct {
	name, body string
	want       dlms.Notification
}{
	{
		"name of the list, pairs with nulls and a text of six bytes, as long as a logical name", // Kamstrup
		structure(13) + visible("Kamstrup_V0001") + logicalName(serial) + octets("123456") + logicalName(code(1, 7)) + u32(100) +
			null + null + null + null + logicalName(code(32, 7)) + u16(230) + logicalName(code(31, 7)) + null,
		dlms.Notification{ListName: []byte("Kamstrup_V0001"), Records: []obis.Record{
			text(serial, "123456"), plain(code(1, 7), 100), plain(code(32, 7), 230), empty(code(31, 7)),
		}},
	},
	{
		"pairs without a name", structure(4) + logicalName(code(1, 7)) + u32(7) + logicalName(device) + visible("A"),
		dlms.Notification{Records: []obis.Record{plain(code(1, 7), 7), text(device, "A")}},
	},
	{
		"a clock, pairs with scalers, a serial number at the end", // Kaifa in Lower Austria
		structure(8) + clockValue + logicalName(code(1, 8)) + u32(12937) + scaler(0, obis.WattHour) +
			logicalName(code(31, 7)) + u16(47) + scaler(-2, obis.Ampere) + octets("181220000009"),
		dlms.Notification{Time: clockTime, Records: []obis.Record{
			number(1, 8, 12937, 0, obis.WattHour), number(31, 7, 47, -2, obis.Ampere), text(serial, "181220000009"),
		}},
	},
	{
		"a serial number of six bytes at the end", structure(3) + logicalName(code(1, 8)) + u32(1) + octets("123456"),
		dlms.Notification{Records: []obis.Record{plain(code(1, 8), 1), text(serial, "123456")}},
	},
	{
		"the clock as a pair, all other items in structures", // Kaifa in Vorarlberg and Poland
		structure(4) + logicalName(clockCode) + clockValue + structure(2) + logicalName(serial) + octets("1KFM02") + watts(u32(290)),
		dlms.Notification{Records: []obis.Record{
			{Code: clockCode, Kind: obis.Clock, Time: clockTime}, text(serial, "1KFM02"), number(1, 7, 290, 0, obis.Watt),
		}},
	},
	{
		"structures in a structure", structure(2) + watts(u32(1)) + structure(2) + logicalName(serial) + visible("A"),
		dlms.Notification{Records: []obis.Record{number(1, 7, 1, 0, obis.Watt), text(serial, "A")}},
	},
	{
		"tag and length of a code swapped", // EMBRIQ
		array(1) + "\x02\x03\x06\x09" + logicalName(code(31, 7))[2:] + "\x10\x00\x05" + scaler(-2, obis.Ampere),
		dlms.Notification{Records: []obis.Record{number(31, 7, 5, -2, obis.Ampere)}},
	},
	{
		"push list whose first object is the list itself, without a value", // Landis+Gyr
		structure(3) + array(3) + object(40, pushCode, 2) + object(3, code(1, 7), 2) + object(1, serial, 2) + u32(777) + octets("44337"),
		dlms.Notification{Records: []obis.Record{plain(code(1, 7), 777), text(serial, "44337")}},
	},
	{
		"push list whose first object is the list itself, with a value",
		structure(3) + array(2) + object(40, pushCode, 1) + object(3, code(1, 7), 2) + octets(string(pushCode[:])) + u32(777),
		dlms.Notification{Records: []obis.Record{text(pushCode, string(pushCode[:])), plain(code(1, 7), 777)}},
	},
	{
		"push list with a list among its values, which is returned as its bytes",
		structure(2) + array(1) + object(7, device, 2) + structure(2) + null + array(1) + u16(5),
		dlms.Notification{Records: []obis.Record{text(device, structure(2)+null+array(1)+u16(5))}},
	},
	{
		"push list of registers with scalers", // the scaler of a demand register is its fourth attribute
		structure(6) + array(5) + object(3, code(1, 7), 2) + object(3, code(1, 7), 3) + object(5, code(1, 4), 2) +
			object(5, code(1, 4), 4) + object(3, code(2, 7), 2) +
			u32(777) + scaler(-1, obis.Watt) + u32(5) + scaler(1, obis.Watt) + u32(3),
		dlms.Notification{Records: []obis.Record{
			number(1, 7, 777, -1, obis.Watt), number(1, 4, 5, 1, obis.Watt), plain(code(2, 7), 3),
		}},
	},
	{
		"push list of extended registers, with status and time of capture",
		structure(5) + array(4) + object(4, gasCode, 2) + object(4, gasCode, 4) + object(4, gasCode, 5) + object(3, code(1, 8), 2) +
			u32(30545) + "\x11\x04" + clockValue + u32(9),
		dlms.Notification{Records: []obis.Record{withTime(plain(gasCode, 30545), clockTime), plain(code(1, 8), 9)}},
	},
	{
		"scaler without a value before it", structure(2) + array(1) + object(3, code(1, 7), 3) + scaler(0, obis.Watt),
		dlms.Notification{},
	},
	{
		"push list of a later version",
		structure(3) + array(3) + laterObject(40, pushCode, 2) + laterObject(3, code(1, 7), 2) + object(1, device, 2) + u32(777) + octets("LGZ1"),
		dlms.Notification{Records: []obis.Record{plain(code(1, 7), 777), text(device, "LGZ1")}},
	},
	{
		"attribute descriptors", // Sagemcom XT211
		structure(2) + "\x16\x01" + array(4) + descriptor(serial, 1, 2) + octets("510") + descriptor(breaker, 70, 3) + "\x16\x01" +
			descriptor(code(1, 7), 3, 2) + u32(1956) + descriptor(code(1, 7), 3, 3) + scaler(0, obis.Watt),
		dlms.Notification{Records: []obis.Record{text(serial, "510"), plain(breaker, 1), number(1, 7, 1956, 0, obis.Watt)}},
	},
	{
		"only values, of every type",
		structure(10) + octets("ISK1030") + u32(1393) + string(dlms.AppendNumber(nil, dlms.Uint64, 5)) + u16(2379) +
			"\x0F\xFF" + "\x03\x01" + "\x16\x02" + array(1) + u16(9400) + null + clockValue,
		dlms.Notification{Layout: []byte("tuuwibba0c"), Records: []obis.Record{
			text(obis.Code{}, "ISK1030"), plain(obis.Code{}, 1393), plain(obis.Code{}, 5), plain(obis.Code{}, 2379), plain(obis.Code{}, -1),
			plain(obis.Code{}, 1), plain(obis.Code{}, 2), plain(obis.Code{}, 9400), {}, {Kind: obis.Clock, Time: clockTime},
		}},
	},
	{
		"only values, the first as long as a logical name", structure(3) + octets("123456") + u32(1) + u32(2),
		dlms.Notification{Layout: []byte("tuu"), Records: []obis.Record{text(obis.Code{}, "123456"), plain(obis.Code{}, 1), plain(obis.Code{}, 2)}},
	},
	{
		"not available, of every type",
		structure(14) + logicalName(code(1, 7)) + "\x06\xFF\xFF\xFF\xFF" + logicalName(code(2, 7)) + "\x12\xFF\xFF" + logicalName(code(3, 7)) + "\x10\x80\x00" +
			logicalName(code(4, 7)) + "\x05\x80\x00\x00\x00" + logicalName(code(5, 7)) + "\x15" + strings.Repeat("\xFF", 8) +
			logicalName(code(6, 7)) + "\x14\x80" + strings.Repeat("\x00", 7) + logicalName(code(7, 7)) + null,
		dlms.Notification{Records: []obis.Record{
			empty(code(1, 7)), empty(code(2, 7)), empty(code(3, 7)), empty(code(4, 7)), empty(code(5, 7)), empty(code(6, 7)), empty(code(7, 7)),
		}},
	},
}

var (
	clockCode = obis.Code{0, 0, 1, 0, 0, obis.Any}
	gasCode   = obis.Code{0, 1, 24, 2, 1, obis.Any}
	breaker   = obis.Code{0, 0, 96, 3, 10, obis.Any}
)

// compareAll compares all fields of notifications. compareBody does not compare the InvokeID.
var (
	compareAll  = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(dlms.Notification{})}
	compareBody = cmp.Options{compareAll, cmpopts.IgnoreFields(dlms.Notification{}, "InvokeID")}
)

// TestShapes tests that Parse finds the shape of a body by its structure, and reads every item.
func TestShapes(t *testing.T) {
	for _, tt := range shapes {
		var n dlms.Notification
		if err := n.Parse([]byte(start + tt.body)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, n, compareBody); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestShapesTruncated tests that a body with too few bytes, or one byte too many, gives an error and no records.
func TestShapesTruncated(t *testing.T) {
	for _, tt := range shapes {
		var n dlms.Notification
		valid := start + tt.body
		for i := range valid {
			if err := n.Parse([]byte(valid[:i])); err == nil || len(n.Records) > 0 {
				t.Errorf("%s, cut after %d of %d bytes: got %d records, error %v; want an error", tt.name, i, len(valid), len(n.Records), err)
			}
		}
		if err := n.Parse([]byte(valid + "\x00")); err == nil || len(n.Records) > 0 {
			t.Errorf("%s, one byte too many: got %d records, error %v; want an error", tt.name, len(n.Records), err)
		}
	}
}

// TestShapeErrors tests the errors of bodies that no meter sends.
func TestShapeErrors(t *testing.T) {
	// deep returns n nested lists: the first has the second as its item, and so on. Parse accepts eight nested lists.
	deep := func(n int) string { return strings.Repeat(array(1), n) + null }
	for _, tt := range []struct{ name, body, want string }{
		{"lists in lists, too deep", structure(2) + array(1) + object(7, device, 2) + deep(9), "lists in lists, too deep"},
		{"columns of an object, too deep", structure(2) + array(1) + structure(5) + object(3, code(1, 7), 2)[2:] + deep(9) + u32(1), "lists in lists, too deep"},
		{"more values than objects", structure(3) + array(1) + object(3, code(1, 7), 2) + u32(1) + u32(2), "more or fewer objects"},
		{"two more objects than values", structure(2) + array(3) + strings.Repeat(object(3, code(1, 7), 2), 3) + u32(1), "more or fewer objects"},
		{"an element that is not an object", structure(3) + array(2) + object(3, code(1, 7), 2) + watts(u32(1)) + u32(1), "no object"},
		{"a value in place of a scaler", structure(3) + array(2) + object(3, code(1, 7), 2) + object(3, code(1, 7), 3) + u32(1) + u32(2) + null, "no scaler and unit"},
		{"descriptors without structures", structure(2) + "\x16\x01" + array(1) + u32(1) + u32(1), "not a structure of attribute descriptor"},
		{"only values, with a list of two", structure(2) + u32(1) + array(2) + u16(1) + u16(2), "a list in a list without codes"},
		{"only values, with a structure of two", structure(2) + u32(1) + structure(2) + u16(1) + u16(2), "a list in a list without codes"},
		{"only values, one of an unknown type", structure(2) + u32(1) + "\x07\x00", "of a type that no register has"},
		{"register of four fields", array(1) + structure(4) + logicalName(code(1, 7)) + u32(1) + scaler(0, obis.Watt) + null, "two or three fields"},
	} {
		var n dlms.Notification
		err := n.Parse([]byte(start + tt.body))
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(n.Records) > 0 || len(n.Layout) > 0 {
			t.Errorf("%s: got %d records, error %v; want an error with %q", tt.name, len(n.Records), err, tt.want)
		}
	}
	var n dlms.Notification
	if err := n.Parse([]byte(start + structure(2) + array(1) + object(7, device, 2) + deep(8))); err != nil {
		t.Errorf("lists in lists, as deep as allowed: %v", err)
	}
}

// TestShapesNoAllocations tests that Parse allocates nothing once the slices of the Notification are long enough.
func TestShapesNoAllocations(t *testing.T) {
	for _, tt := range shapes {
		var n dlms.Notification
		apdu := []byte(start + tt.body)
		if got := testing.AllocsPerRun(50, func() { _ = n.Parse(apdu) }); got != 0 {
			t.Errorf("%s: %v allocations, want 0", tt.name, got)
		}
	}
}
