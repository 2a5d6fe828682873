package dlms_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// start is the header of a data-notification without a time.
const start = "\x0F\x40\x00\x00\x00\x00"

// watts returns an item of three fields with a value in W. value has its tag.
func watts(value string) string {
	return "\x02\x03" + logicalName(obis.MustCode("1-0:1.7.0")) + value + "\x02\x02\x0F\x00\x16\x1B"
}

// code returns the code 1-0:C.D.0.
func code(c, d byte) obis.Code { return obis.Code{1, 0, c, d, 0, obis.Any} }

// number returns the record of a number with the code 1-0:C.D.0.
func number(c, d byte, coef int64, exp int8, unit obis.Unit) obis.Record {
	return obis.Record{Code: code(c, d), Kind: obis.Number, Value: obis.Decimal{Coef: coef, Exp: exp}, Unit: unit}
}

// appendRegister appends {code, value, {scaler, unit}}. A value that does not fit the type is written as the nearest number
// that fits.
func appendRegister(dst []byte, code obis.Code, value obis.Decimal, t dlms.NumberType, scaler int8, unit obis.Unit) []byte {
	dst = dlms.AppendLogicalName(dlms.AppendStructure(dst, 3), code)
	rounded, err := obis.ParseDecimal(value.Shift(-scaler).AppendFixed(nil, 0))
	if err != nil {
		rounded.Coef = math.MaxInt64
	}
	return dlms.AppendScalerUnit(dlms.AppendNumber(dst, t, rounded.Coef), scaler, unit)
}

// appendText appends {code, visible-string}.
func appendText(dst []byte, code obis.Code, text string) []byte {
	return dlms.AppendVisibleString(dlms.AppendLogicalName(dlms.AppendStructure(dst, 2), code), text)
}

// appendClock appends {code, date-time} as Aidon meters do: with weekday 0 on Sundays.
func appendClock(dst []byte, code obis.Code, t obis.Time, hundredths, status byte) []byte {
	d := dlms.DateTime{Time: t, Weekday: dlms.Weekday(t) % 7, Hundredths: hundredths, Status: status}
	return dlms.AppendDateTime(dlms.AppendLogicalName(dlms.AppendStructure(dst, 2), code), d)
}

// TestRegisterLists tests that Parse reads lists of registers, as Aidon meters send them.
func TestRegisterLists(t *testing.T) {
	clock := obis.Code{0, 0, 1, 0, 0, obis.Any}
	at := obis.Time{Year: 2019, Month: 12, Day: 16, Hour: 7, Minute: 59, Second: 40}
	sunday := obis.Time{Year: 2020, Month: 2, Day: 2, Hour: 23, Zone: true, Offset: 60}
	for _, tt := range []struct {
		name  string
		items func(b []byte) []byte
		want  []obis.Record
	}{
		{"no items", func(b []byte) []byte { return dlms.AppendArray(b, 0) }, nil},
		{"Norwegian list 1", func(b []byte) []byte {
			b = dlms.AppendArray(b, 1)
			return appendRegister(b, code(1, 7), obis.Decimal{Coef: 280}, dlms.Uint32, 0, obis.Watt)
		}, []obis.Record{number(1, 7, 280, 0, obis.Watt)}},
		{"texts, and scalers of both signs", func(b []byte) []byte {
			b = appendText(dlms.AppendArray(b, 5), obis.Code{1, 1, 0, 2, 129, obis.Any}, "AIDON_V0001")
			b = appendRegister(b, code(31, 7), obis.Decimal{Coef: -6, Exp: -1}, dlms.Int16, -1, obis.Ampere)
			b = appendRegister(b, code(32, 7), obis.Decimal{Coef: 2307, Exp: -1}, dlms.Uint16, -1, obis.Volt)
			b = appendRegister(b, code(1, 8), obis.Decimal{Coef: 22721380}, dlms.Uint32, 1, obis.WattHour)
			return appendClock(b, clock, at, 0xFF, 0)
		}, []obis.Record{
			{Code: obis.Code{1, 1, 0, 2, 129, obis.Any}, Kind: obis.Text, Text: []byte("AIDON_V0001")},
			number(31, 7, -6, -1, obis.Ampere),
			number(32, 7, 2307, -1, obis.Volt),
			number(1, 8, 2272138, 1, obis.WattHour),
			{Code: clock, Kind: obis.Clock, Time: at},
		}},
		{"clock with a zone, on a Sunday", func(b []byte) []byte {
			return appendClock(dlms.AppendArray(b, 1), clock, sunday, 0, 0xFF)
		}, []obis.Record{{Code: clock, Kind: obis.Clock, Time: sunday}}},
		{"numbers that are limited or rounded", func(b []byte) []byte {
			b = appendRegister(dlms.AppendArray(b, 6), code(1, 7), obis.Decimal{Coef: -5}, dlms.Uint32, 0, obis.Watt)
			b = appendRegister(b, code(1, 7), obis.Decimal{Coef: 1, Exp: 12}, dlms.Uint32, 0, obis.Watt)
			b = appendRegister(b, code(32, 7), obis.Decimal{Coef: 1, Exp: 6}, dlms.Uint16, -1, obis.Volt)
			b = appendRegister(b, code(31, 7), obis.Decimal{Coef: -1, Exp: 6}, dlms.Int16, -1, obis.Ampere)
			b = appendRegister(b, code(31, 7), obis.Decimal{Coef: -25, Exp: -2}, dlms.Int16, -1, obis.Ampere)
			return appendRegister(b, code(1, 8), obis.Decimal{Coef: 15}, dlms.Uint32, 1, obis.WattHour)
		}, []obis.Record{
			number(1, 7, 0, 0, obis.Watt),
			number(1, 7, 1<<32-2, 0, obis.Watt),
			number(32, 7, 1<<16-2, -1, obis.Volt),
			number(31, 7, -1<<15+1, -1, obis.Ampere),
			number(31, 7, -3, -1, obis.Ampere),
			number(1, 8, 2, 1, obis.WattHour),
		}},
	} {
		apdu := tt.items(dlms.AppendNotification(nil, 0x40000000))
		var got dlms.Notification
		if err := got.Parse(apdu); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want := dlms.Notification{InvokeID: 0x40000000, Records: tt.want}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(dlms.Notification{})); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestRegisterTypes tests that Parse reads every type of number. The value that means "not available" gives an empty record.
func TestRegisterTypes(t *testing.T) {
	power := func(coef int64) obis.Record { return number(1, 7, coef, 0, obis.Watt) }
	none := obis.Record{Code: code(1, 7), Unit: obis.Watt}
	for _, tt := range []struct {
		name, value string
		want        obis.Record
	}{
		{"null", "\x00", none},
		{"uint32", "\x06\x00\x00\x01\x18", power(280)},
		{"uint32, largest", "\x06\xFF\xFF\xFF\xFE", power(1<<32 - 2)},
		{"uint32, not available", "\x06\xFF\xFF\xFF\xFF", none},
		{"uint16", "\x12\x09\x03", power(2307)},
		{"uint16, not available", "\x12\xFF\xFF", none},
		{"int16", "\x10\xFF\xFA", power(-6)},
		{"int16, -1 is a value", "\x10\xFF\xFF", power(-1)},
		{"int16, largest", "\x10\x7F\xFF", power(1<<15 - 1)},
		{"int16, not available", "\x10\x80\x00", none},
		{"int32", "\x05\xFF\xFF\xFF\xFF", power(-1)},
		{"int32, not available", "\x05\x80\x00\x00\x00", none},
		{"int64", "\x14\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", power(-2)},
		{"int64, not available", "\x14\x80\x00\x00\x00\x00\x00\x00\x00", none},
		{"uint64", "\x15\x00\x00\x00\x01\x00\x00\x00\x00", power(1 << 32)},
		{"uint64, not available", "\x15\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", none},
		{"int8", "\x0F\xFE", power(-2)},
		{"uint8", "\x11\xFE", power(254)},
		{"boolean", "\x03\x01", power(1)},
		{"enum", "\x16\x02", power(2)},
	} {
		var got dlms.Notification
		if err := got.Parse([]byte(start + "\x01\x01" + watts(tt.value))); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff([]obis.Record{tt.want}, got.Records); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestDateTimes tests that Parse reads a date-time in the header and in a clock item. A date-time that is not specified or impossible gives the
// zero Time.
func TestDateTimes(t *testing.T) {
	at := obis.Time{Year: 2019, Month: 12, Day: 16, Hour: 7, Minute: 59, Second: 40}
	zoned := func(minutes int16) obis.Time {
		z := at
		z.Zone, z.Offset = true, minutes
		return z
	}
	const date = "\x07\xE3\x0C\x10"
	for _, tt := range []struct {
		name, dateTime string
		want           obis.Time
	}{
		{"no zone", date + "\x01\x07\x3B\x28\x00\x80\x00\xFF", at},
		{"UTC", date + "\x01\x07\x3B\x28\xFF\x00\x00\x00", zoned(0)},
		{"deviation -60", date + "\x01\x07\x3B\x28\x00\xFF\xC4\x00", zoned(60)},
		{"deviation -120", date + "\x01\x07\x3B\x28\x00\xFF\x88\x80", zoned(120)},
		{"deviation 90", date + "\x01\x07\x3B\x28\x00\x00\x5A\x00", zoned(-90)},
		{"day of week 0", date + "\x00\x07\x3B\x28\x00\x80\x00\xFF", at},
		{"day of week 7", date + "\x07\x07\x3B\x28\x00\x80\x00\xFF", at},
		{"day of week not specified", date + "\xFF\x07\x3B\x28\x00\x80\x00\xFF", at},
		{"year not specified", "\xFF\xFF\x0C\x10\x01\x07\x3B\x28\x00\x80\x00\xFF", obis.Time{}},
		{"month not specified", "\x07\xE3\xFF\x10\x01\x07\x3B\x28\x00\x80\x00\xFF", obis.Time{}},
		{"hour not specified", date + "\x01\xFF\x3B\x28\x00\x80\x00\xFF", obis.Time{}},
		{"day 31 of February", "\x07\xE3\x02\x1F\x01\x07\x3B\x28\x00\x80\x00\xFF", obis.Time{}},
		{"deviation of two days", date + "\x01\x07\x3B\x28\x00\x0B\x40\x00", obis.Time{}},
		{"only FF", strings.Repeat("\xFF", 12), obis.Time{}},
		{"only zeros", strings.Repeat("\x00", 12), obis.Time{}},
	} {
		item := "\x01\x01\x02\x02" + logicalName(obis.MustCode("0-0:1.0.0")) + "\x09\x0C" + tt.dateTime
		for form, apdu := range map[string]string{
			"header":          start[:5] + "\x0C" + tt.dateTime + "\x01\x00",
			"header with tag": start[:5] + "\x09\x0C" + tt.dateTime + "\x01\x00",
			"item":            start + item,
		} {
			var n dlms.Notification
			if err := n.Parse([]byte(apdu)); err != nil {
				t.Errorf("%s, %s: %v", tt.name, form, err)
				continue
			}
			got, want := n.Time, tt.want
			if form == "item" {
				got = n.Records[0].Time
				if isClock := n.Records[0].Kind == obis.Clock; isClock == want.IsZero() {
					t.Errorf("%s: got kind %v, want a Clock: %t", tt.name, n.Records[0].Kind, !want.IsZero())
				}
			}
			if got != want {
				t.Errorf("%s, %s: got %v, want %v", tt.name, form, got, want)
			}
		}
	}
}

// TestParseErrors tests the error of each malformed notification, and that the Notification is empty after an error.
func TestParseErrors(t *testing.T) {
	item := watts("\x06\x00\x00\x01\x18")
	for _, tt := range []struct{ name, in, want string }{
		{"no bytes", "", "byte 0: "},
		{"another APDU", "\xDB\x08", "byte 0: not a data-notification"},
		{"a date-time of 11 bytes", start[:5] + "\x0B12345678901", "a date-time that is not of 12 bytes"},
		{"the body is a number", start + "\x06\x00\x00\x00\x00", "byte 6: the body is not a list"},
		{"an item that is a number", start + "\x01\x02" + item + "\x06\x00\x00\x00\x00", "an item that is not a structure"},
		{"an item of one field", start + "\x01\x01\x02\x01" + logicalName(obis.MustCode("1-0:1.7.0")), "not a structure of two or three fields"},
		{"an item of four fields", start + "\x01\x01\x02\x04" + item[2:], "not a structure of two or three fields"},
		{"no logical name", start + "\x01\x01\x02\x02\x06\x00\x00\x00\x00", "does not begin with a logical name"},
		{"a logical name of five bytes", start + "\x01\x01\x02\x02\x09\x05\x01\x00\x01\x07\x00", "does not begin with a logical name"},
		{"a list for a value", start + "\x01\x01\x02\x02" + logicalName(obis.MustCode("1-0:1.7.0")) + "\x01\x00", "byte 18: a value of a type"},
		{"a text for scaler and unit", start + "\x01\x01" + item[:len(item)-6] + "\x0A\x04abcd", "byte 23: no scaler and unit"},
		{"a byte after the list", start + "\x01\x01" + item + "\x00", "more data than the list has items"},
		{"fewer items than announced", start + "\x01\x02" + item, "the data ends too early"},
		{"a text longer than the data", start + "\x01\x01\x02\x02" + logicalName(obis.MustCode("0-0:96.1.0")) + "\x0A\x7Fabc", "the data ends too early"},
		{"a length of four bytes", start + "\x01\x84\x00\x00\x00\x01" + item, "a length of more than two bytes"},
		{"many items announced, none sent", start + "\x01\x82\xFF\xFF", "the data ends too early"},
	} {
		var got dlms.Notification
		err := got.Parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "dlms: byte ") {
			t.Errorf("%s: got error %v, want an error with %q", tt.name, err, tt.want)
		}
		if len(got.Records) > 0 || got.InvokeID != 0 || !got.Time.IsZero() {
			t.Errorf("%s: got %+v after an error, want an empty Notification", tt.name, got)
		}
	}
}

// swedishList returns a notification with every kind of item: clock, registers, text.
func swedishList() []byte {
	b := dlms.AppendArray(dlms.AppendNotification(nil, 0x40000000), 4)
	b = appendClock(b, obis.Code{0, 0, 1, 0, 0, obis.Any}, obis.Time{Year: 2019, Month: 12, Day: 16}, 0, 0xFF)
	b = appendRegister(b, code(1, 7), obis.Decimal{Coef: 1122}, dlms.Uint32, 0, obis.Watt)
	b = appendRegister(b, code(31, 7), obis.Decimal{Coef: -6, Exp: -1}, dlms.Int16, -1, obis.Ampere)
	return appendText(b, obis.Code{0, 0, 96, 1, 0, obis.Any}, "7359990000000001")
}

// TestParseTruncated tests that the error for a truncated notification names an index up to the end of the data.
func TestParseTruncated(t *testing.T) {
	valid := swedishList()
	var n dlms.Notification
	if err := n.Parse(valid); err != nil {
		t.Fatal(err)
	}
	for k := range valid {
		err := n.Parse(valid[:k])
		if err == nil {
			t.Errorf("cut after %d of %d bytes: got no error, want an error", k, len(valid))
			continue
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "dlms: byte "), ":")
		if at, err := strconv.Atoi(text); err != nil || at > k {
			t.Errorf("cut after %d bytes: got index %q in the error, want at most %d", k, text, k)
		}
		if !errors.Is(err, dlms.ErrTruncated) && !errors.Is(err, dlms.ErrMalformed) {
			t.Errorf("cut after %d bytes: got error %v, want ErrTruncated or ErrMalformed", k, err)
		}
	}
}

// TestRegisterRoundTrip tests that Parse returns the value that was written, if the value fits its type and scaler.
func TestRegisterRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]dlms.NumberType{dlms.Uint32, dlms.Uint16, dlms.Int16}).Draw(t, "type")
		limits := map[dlms.NumberType][2]int64{dlms.Uint32: {0, 1<<32 - 2}, dlms.Uint16: {0, 1<<16 - 2}, dlms.Int16: {-1<<15 + 1, 1<<15 - 1}}[kind]
		want := number(
			rapid.Byte().Draw(t, "C"), rapid.Byte().Draw(t, "D"), rapid.Int64Range(limits[0], limits[1]).Draw(t, "value"),
			rapid.Int8Range(-4, 4).Draw(t, "scaler"), obis.Unit(rapid.Byte().Draw(t, "unit")),
		)
		count := rapid.SampledFrom([]int{1, 127, 128, 255}).Draw(t, "items")
		b := dlms.AppendArray(dlms.AppendNotification(nil, rapid.Uint32().Draw(t, "invoke")), count)
		for range count {
			b = appendRegister(b, want.Code, want.Value, kind, want.Value.Exp, want.Unit)
		}
		var got dlms.Notification
		if err := got.Parse(b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Records[count-1]); diff != "" || len(got.Records) != count {
			t.Fatalf("got %d records, want %d; last record, -want +got:\n%s", len(got.Records), count, diff)
		}
	})
}
