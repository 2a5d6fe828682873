package dlms_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// An item is an item of a drawn list, without its code.
type item struct {
	want    obis.Record // the record that Parse must return
	encoded []byte      // the value with its tag
	layout  byte        // the letter of the item in Notification.Layout
}

// alphabet has the characters of the drawn texts. A text of these characters is never read as a date-time or a logical name.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// limits are the lowest and the highest number of each type, without the number that means "not available". The highest number of Uint64 is
// that of int64, because obis.Decimal has an int64.
var limits = map[dlms.NumberType][2]int64{
	dlms.Boolean: {0, 1}, dlms.Enum: {0, 254}, dlms.Uint8: {0, 254}, dlms.Uint16: {0, math.MaxUint16 - 1},
	dlms.Uint32: {0, math.MaxUint32 - 1}, dlms.Uint64: {0, math.MaxInt64}, dlms.Int8: {-127, 127},
	dlms.Int16: {-math.MaxInt16, math.MaxInt16}, dlms.Int32: {-math.MaxInt32, math.MaxInt32}, dlms.Int64: {-math.MaxInt64, math.MaxInt64},
}

// layoutLetters are the letters in Notification.Layout for each type of number.
var layoutLetters = map[dlms.NumberType]byte{
	dlms.Boolean: 'b', dlms.Enum: 'b', dlms.Uint8: 'b', dlms.Uint16: 'w', dlms.Uint32: 'u', dlms.Uint64: 'u',
	dlms.Int8: 'i', dlms.Int16: 'i', dlms.Int32: 'i', dlms.Int64: 'i',
}

// numbers returns a generator of numbers of all types.
func numbers() *rapid.Generator[item] {
	return rapid.Custom(func(t *rapid.T) item {
		kind := rapid.SampledFrom([]dlms.NumberType{
			dlms.Boolean, dlms.Enum, dlms.Uint8, dlms.Uint16, dlms.Uint32, dlms.Uint64, dlms.Int8, dlms.Int16, dlms.Int32, dlms.Int64,
		}).Draw(t, "type")
		v := rapid.Int64Range(limits[kind][0], limits[kind][1]).Draw(t, "number")
		return item{
			want:    obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: v}},
			encoded: dlms.AppendNumber(nil, kind, v), layout: layoutLetters[kind],
		}
	})
}

// texts returns a generator of octet-strings and visible-strings.
func texts() *rapid.Generator[item] {
	return rapid.Custom(func(t *rapid.T) item {
		s := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, 300, -1).Draw(t, "text")
		encoded := dlms.AppendOctetString(nil, s)
		if rapid.Bool().Draw(t, "visible") {
			encoded = dlms.AppendVisibleString(nil, s)
		}
		return item{obis.Record{Kind: obis.Text, Text: []byte(s)}, encoded, 't'}
	})
}

// items returns a generator of numbers, texts and nulls. Half of the items are numbers.
func items() *rapid.Generator[item] {
	return rapid.OneOf(numbers(), numbers(), texts(), rapid.Just(item{encoded: []byte{0}, layout: '0'}))
}

// codes returns a generator of codes other than those of clocks.
func codes() *rapid.Generator[obis.Code] {
	return rapid.Custom(func(t *rapid.T) obis.Code {
		b := rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "code")
		return obis.Code{b[0] % 2, b[1] % 4, 2 + b[2]%97, b[3], b[4], obis.Any}
	})
}

// drawCoded draws an item with a code.
func drawCoded(t *rapid.T) item {
	it := items().Draw(t, "item")
	it.want.Code = codes().Draw(t, "code")
	return it
}

// drawScaler draws a scaler and a unit for a number, sets them in it.want, and returns them encoded. In half of the cases, and if the item
// is not a number, it draws none and returns nil.
func drawScaler(t *rapid.T, it *item) []byte {
	if it.want.Kind != obis.Number || !rapid.Bool().Draw(t, "scaled") {
		return nil
	}
	exp, unit := rapid.Int8Range(-5, 5).Draw(t, "scaler"), obis.Unit(rapid.Byte().Draw(t, "unit"))
	it.want.Value.Exp, it.want.Unit = exp, unit
	return dlms.AppendScalerUnit(nil, exp, unit)
}

// writers has a function for each shape. The function draws a list. It returns the encoded list, which is the body of a
// data-notification, and the Notification that Parse must return.
var writers = map[string]func(t *rapid.T) (body []byte, want dlms.Notification){
	"registers":   writeRegisters,
	"pairs":       writePairs,
	"push list":   writePushList,
	"descriptors": writeDescriptors,
	"positional":  writePositional,
}

func writeRegisters(t *rapid.T) (body []byte, want dlms.Notification) {
	n := rapid.IntRange(0, 40).Draw(t, "items")
	body = dlms.AppendArray(nil, n)
	if rapid.Bool().Draw(t, "structure") {
		body = dlms.AppendStructure(nil, n)
	}
	for range n {
		it := drawCoded(t)
		scalerUnit := drawScaler(t, &it)
		fields := 2
		if scalerUnit != nil {
			fields = 3
		}
		body = append(append(dlms.AppendLogicalName(dlms.AppendStructure(body, fields), it.want.Code), it.encoded...), scalerUnit...)
		want.Records = append(want.Records, it.want)
	}
	return body, want
}

func writePairs(t *rapid.T) (body []byte, want dlms.Notification) {
	count := 0
	if rapid.Bool().Draw(t, "list name") {
		want.ListName = []byte("Kamstrup_V0001")
		body, count = dlms.AppendVisibleString(body, string(want.ListName)), 1
	}
	for range rapid.IntRange(1, 40).Draw(t, "pairs") {
		it := drawCoded(t)
		scalerUnit := drawScaler(t, &it)
		body = append(append(dlms.AppendLogicalName(body, it.want.Code), it.encoded...), scalerUnit...)
		want.Records = append(want.Records, it.want)
		if count += 2; scalerUnit != nil {
			count++
		}
		if rapid.Bool().Draw(t, "missing pair") { // two nulls in place of another pair
			body, count = dlms.AppendNull(dlms.AppendNull(body)), count+2
		}
	}
	return append(dlms.AppendStructure(nil, count), body...), want
}

func writePushList(t *rapid.T) (body []byte, want dlms.Notification) {
	n := rapid.IntRange(0, 20).Draw(t, "values")
	// The first object is the push list itself, which has no value.
	objects := dlms.AppendPushObject(nil, 40, obis.Code{0, 0, 25, 9, 0, obis.Any}, 2)
	values, count := []byte(nil), 1 // count is the number of objects
	for range n {
		it := drawCoded(t)
		scalerUnit := drawScaler(t, &it)
		objects, values, count = dlms.AppendPushObject(objects, 3, it.want.Code, 2), append(values, it.encoded...), count+1
		if scalerUnit != nil {
			objects, values, count = dlms.AppendPushObject(objects, 3, it.want.Code, 3), append(values, scalerUnit...), count+1
		}
		want.Records = append(want.Records, it.want)
	}
	// The structure has count items too: the array of objects, and a value for each object but the first.
	body = dlms.AppendStructure(nil, count)
	return append(append(dlms.AppendArray(body, count), objects...), values...), want
}

func writeDescriptors(t *rapid.T) (body []byte, want dlms.Notification) {
	count := 0
	for range rapid.IntRange(0, 20).Draw(t, "items") {
		it := drawCoded(t)
		scalerUnit := drawScaler(t, &it)
		body = append(dlms.AppendAttributeDescriptor(dlms.AppendStructure(body, 2), 3, it.want.Code, 2), it.encoded...)
		if count++; scalerUnit != nil {
			body = append(dlms.AppendAttributeDescriptor(dlms.AppendStructure(body, 2), 3, it.want.Code, 3), scalerUnit...)
			count++
		}
		want.Records = append(want.Records, it.want)
	}
	header := dlms.AppendArray(dlms.AppendNumber(dlms.AppendStructure(nil, 2), dlms.Enum, 1), count)
	return append(header, body...), want
}

// writePositional draws a list without codes. The first item is a number, because a list that begins with a text is possibly a list of pairs.
// A list of two items has no array: if its first item were the enum 1 and its second item an array, Parse would read attribute descriptors.
func writePositional(t *rapid.T) (body []byte, want dlms.Notification) {
	all := append([]item{numbers().Draw(t, "first")}, rapid.SliceOfN(items(), 0, 40).Draw(t, "items")...)
	body = dlms.AppendStructure(nil, len(all))
	for i, it := range all {
		if i > 0 && len(all) > 2 && rapid.IntRange(0, 9).Draw(t, "wrapped in an array") == 0 {
			body, it.layout = dlms.AppendArray(body, 1), dlms.LayoutArray
		}
		body = append(body, it.encoded...)
		want.Records, want.Layout = append(want.Records, it.want), append(want.Layout, it.layout)
	}
	return body, want
}

// TestShapesRoundTrip tests that Parse returns the drawn values of a list of any shape. All lists are read into the same Notification.
func TestShapesRoundTrip(t *testing.T) {
	for name, write := range writers {
		t.Run(name, func(t *testing.T) {
			var n dlms.Notification
			rapid.Check(t, func(t *rapid.T) {
				body, want := write(t)
				want.InvokeID = rapid.Uint32().Draw(t, "invoke id")
				apdu := append(dlms.AppendNotification(nil, want.InvokeID), body...)
				if err := n.Parse(apdu); err != nil {
					t.Fatalf("%v: %x", err, apdu)
				}
				if diff := cmp.Diff(want, n, compareAll); diff != "" {
					t.Fatalf("-written +read:\n%s", diff)
				}
			})
		})
	}
}
