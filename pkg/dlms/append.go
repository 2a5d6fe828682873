package dlms

import (
	"math"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Type is how a number is written.
type Type byte

// The types that meters use for the numbers of registers.
const (
	Uint16 Type = tagUint16
	Uint32 Type = tagUint32
	Int16  Type = tagInt16
)

// AppendNotification appends the start of a data-notification, up to its body, with no date-time. The body is written with
// AppendList and, for each item of it, one of the other Append functions. Parse reads it back.
func AppendNotification(dst []byte, invokeID uint32) []byte {
	dst = append(dst, tagNotification, byte(invokeID>>24), byte(invokeID>>16), byte(invokeID>>8), byte(invokeID))
	return append(dst, 0)
}

// AppendList appends the start of an array of n registers, at most 255.
func AppendList(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, tagArray, byte(n))
	}
	return append(dst, tagArray, 0x81, byte(n))
}

// AppendRegister appends {code, value, {scaler, unit}}. A value that has more decimals than the scaler, or does not fit the
// type, is written as the nearest that does.
func AppendRegister(dst []byte, code obis.Code, value obis.Decimal, t Type, scaler int8, unit obis.Unit) []byte {
	dst = appendCode(append(dst, tagStructure, 3), code)
	dst = append(dst, byte(t))
	switch v := atScale(value, scaler); t {
	case Uint16:
		dst = appendUint16(dst, uint16(min(max(v, 0), math.MaxUint16-1)))
	case Int16:
		dst = appendUint16(dst, uint16(int16(min(max(v, math.MinInt16+1), math.MaxInt16))))
	default:
		v := uint32(min(max(v, 0), math.MaxUint32-1))
		dst = appendUint16(appendUint16(dst, uint16(v>>16)), uint16(v))
	}
	return append(dst, tagStructure, 2, tagInt8, byte(scaler), tagEnum, byte(unit))
}

// AppendText appends {code, visible-string}; text has at most 127 bytes.
func AppendText(dst []byte, code obis.Code, text string) []byte {
	dst = appendCode(append(dst, tagStructure, 2), code)
	return append(append(dst, tagVisible, byte(len(text))), text...)
}

// AppendClock appends {code, date-time} of t. hundredths and status are as the meter fills them: Aidon's Swedish list has 0
// and FF, its Norwegian one FF and 0.
func AppendClock(dst []byte, code obis.Code, t obis.Time, hundredths, status byte) []byte {
	dst = appendCode(append(dst, tagStructure, 2), code)
	deviation := uint16(1) << 15 // not specified
	if t.Zone {
		deviation = uint16(-t.Offset)
	}
	weekday := byte(t.Time(time.UTC).Weekday()) // 0 on Sundays, as Aidon sends it
	dst = append(dst, tagOctetString, dateTimeLength, byte(t.Year>>8), byte(t.Year), t.Month, t.Day, weekday)
	dst = append(dst, t.Hour, t.Minute, t.Second, hundredths)
	return append(appendUint16(dst, deviation), status)
}

func appendCode(dst []byte, c obis.Code) []byte {
	return append(append(dst, tagOctetString, byte(len(c))), c[:]...)
}

func appendUint16(dst []byte, v uint16) []byte { return append(dst, byte(v>>8), byte(v)) }

// atScale returns the integer that stands for d at a scaler, rounded half away from zero.
func atScale(d obis.Decimal, scaler int8) int64 {
	rounded, err := obis.ParseDecimal(d.Shift(-scaler).AppendFixed(nil, 0))
	if err != nil {
		return math.MaxInt64
	}
	return rounded.Coef
}
