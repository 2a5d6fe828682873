package dlms_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestAppendBytes tests the bytes that each Append function writes.
func TestAppendBytes(t *testing.T) {
	power := obis.Code{1, 0, 1, 7, 0, obis.Any}
	summer := obis.Time{Year: 2026, Month: 6, Day: 7, Hour: 14, Minute: 5, Second: 9, Zone: true, Offset: 120}
	stamp := dlms.DateTime{Time: summer, Weekday: dlms.Weekday(summer), Hundredths: 0xFF, Status: 0x80}
	for _, row := range []struct {
		name string
		got  []byte
		want string
	}{
		{"structure of 14 items", dlms.AppendStructure(nil, 14), "02 0e"},
		{"structure of 130 items", dlms.AppendStructure(nil, 130), "02 81 82"},
		{"array of 127 items", dlms.AppendArray(nil, 127), "01 7f"},
		{"array of 300 items", dlms.AppendArray(nil, 300), "01 82 012c"},
		{"null", dlms.AppendNull(nil), "00"},
		{"boolean", dlms.AppendNumber(nil, dlms.Boolean, 1), "03 01"},
		{"enum", dlms.AppendNumber(nil, dlms.Enum, 27), "16 1b"},
		{"uint8", dlms.AppendNumber(nil, dlms.Uint8, 7), "11 07"},
		{"uint16", dlms.AppendNumber(nil, dlms.Uint16, 2314), "12 090a"},
		{"uint32", dlms.AppendNumber(nil, dlms.Uint32, 17425823), "06 0109e59f"},
		{"uint64", dlms.AppendNumber(nil, dlms.Uint64, 1<<40), "15 0000010000000000"},
		{"int8", dlms.AppendNumber(nil, dlms.Int8, -3), "0f fd"},
		{"int16", dlms.AppendNumber(nil, dlms.Int16, -404), "10 fe6c"},
		{"int32", dlms.AppendNumber(nil, dlms.Int32, -1), "05 ffffffff"},
		{"int64", dlms.AppendNumber(nil, dlms.Int64, -2), "14 fffffffffffffffe"},
		{"octet-string", dlms.AppendOctetString(nil, "KFM_001"), "09 07 4b464d5f303031"},
		{"long octet-string", dlms.AppendOctetString(nil, strings.Repeat("a", 200))[:4], "09 81 c8 61"},
		{"visible-string", dlms.AppendVisibleString(nil, "ZFF1"), "0a 04 5a464631"},
		{"logical name", dlms.AppendLogicalName(nil, power), "09 06 0100010700ff"},
		{"scaler and unit", dlms.AppendScalerUnit(nil, -1, obis.Volt), "02 02 0f ff 16 23"},
		{"push object", dlms.AppendPushObject(nil, 40, obis.Code{0, 8, 25, 9, 0, 255}, 1), "02 04 12 0028 09 06 0008190900ff 0f 01 12 0000"},
		{"attribute descriptor", dlms.AppendAttributeDescriptor(nil, 70, obis.Code{0, 1, 96, 3, 10, 255}, 3), "0046 000160030aff 03"},
		{"date-time on a Sunday", dlms.AppendDateTime(nil, stamp), "09 0c 07ea 06 07 07 0e 05 09 ff ff88 80"},
		{"date-time without tag, weekday and zone", dlms.DateTime{Time: obis.Time{Year: 2026, Month: 1, Day: 31}}.Append(nil), "07ea 01 1f 00 00 00 00 00 8000 00"},
		{"header", dlms.AppendNotification(nil, 0x40000000), "0f 40000000 00"},
		{"header with a time", dlms.AppendTimestampedNotification(nil, 1, stamp, false), "0f 00000001 0c 07ea 06 07 07 0e 05 09 ff ff88 80"},
		{"header with a tagged time", dlms.AppendTimestampedNotification(nil, 1, stamp, true), "0f 00000001 09 0c 07ea 06 07 07 0e 05 09 ff ff88 80"},
	} {
		if got, want := hex.EncodeToString(row.got), strings.ReplaceAll(row.want, " ", ""); got != want {
			t.Errorf("%s: got %s, want %s", row.name, got, want)
		}
	}
}

// TestNumbersThatDoNotFit tests that a number that does not fit its type is written as the nearest number that fits, and never as the number
// that means "not available". AppendNumber reserves this number in types of 8 bits too, although Parse accepts it there.
func TestNumbersThatDoNotFit(t *testing.T) {
	for kind, want := range map[dlms.NumberType][2]string{ // tag and lowest number, tag and highest number
		dlms.Uint8:  {"1100", "11fe"},
		dlms.Uint16: {"120000", "12fffe"},
		dlms.Uint32: {"0600000000", "06fffffffe"},
		dlms.Uint64: {"150000000000000000", "157fffffffffffffff"}, // the highest int64
		dlms.Int8:   {"0f81", "0f7f"},
		dlms.Int16:  {"108001", "107fff"},
		dlms.Int32:  {"0580000001", "057fffffff"},
		dlms.Int64:  {"148000000000000001", "147fffffffffffffff"},
	} {
		for i, v := range []int64{math.MinInt64, math.MaxInt64} {
			if got := hex.EncodeToString(dlms.AppendNumber(nil, kind, v)); got != want[i] {
				t.Errorf("type %d, number %d: got %s, want %s", kind, v, got, want[i])
			}
		}
	}
}

// TestWeekday tests the weekdays of two weeks.
func TestWeekday(t *testing.T) {
	for day := byte(1); day <= 14; day++ { // 1 June 2026 is a Monday
		if got, want := dlms.Weekday(obis.Time{Year: 2026, Month: 6, Day: day}), (day-1)%7+1; got != want {
			t.Errorf("June %d: got %d, want %d", day, got, want)
		}
	}
}

// TestAppendKeepsPrefix tests that the Append functions do not change the bytes that are in dst.
func TestAppendKeepsPrefix(t *testing.T) {
	prefix := []byte("prefix")
	got := dlms.AppendLogicalName(dlms.AppendStructure(prefix, 2), obis.Code{1, 0, 1, 7, 0, 255}) // appends 2 and 8 bytes
	if !bytes.HasPrefix(got, prefix) || len(got) != len(prefix)+2+8 {
		t.Errorf("got %x, want %x and 10 more bytes", got, prefix)
	}
}
