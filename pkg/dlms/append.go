package dlms

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// AppendNotification appends the header of a data-notification without a date-time. The caller appends the body, an array or a structure.
// Notification.Parse reads the result. invokeID is the long-invoke-id-and-priority, 40000000 (hexadecimal) in most meters.
func AppendNotification(dst []byte, invokeID uint32) []byte {
	dst = append(dst, tagNotification, byte(invokeID>>24), byte(invokeID>>16), byte(invokeID>>8), byte(invokeID))
	return append(dst, 0)
}

// AppendTimestampedNotification is AppendNotification with the date-time at which the meter sends the message. The standard
// requires the date-time without a tag (IEC 62056-5-3, 7.3.12). If tagged is true, the date-time is written as an octet-string with its
// tag, as Kaifa meters in Norway do.
func AppendTimestampedNotification(dst []byte, invokeID uint32, t DateTime, tagged bool) []byte {
	dst = AppendNotification(dst, invokeID)
	dst = dst[:len(dst)-1]
	if tagged {
		dst = append(dst, tagOctetString)
	}
	return t.Append(append(dst, obis.DateTimeLength))
}

// AppendArray appends tag and length of an array of n items. The caller appends the items. It panics if n is above 65535.
func AppendArray(dst []byte, n int) []byte { return appendSize(append(dst, tagArray), n) }

// AppendStructure appends tag and length of a structure of n items. The caller appends the items. It panics if n is above 65535.
func AppendStructure(dst []byte, n int) []byte { return appendSize(append(dst, tagStructure), n) }

// AppendPushObject appends an element of a push object list: an attribute of a COSEM object (IEC 62056-6-2, 4.4.8.2.2). The data index
// is 0, which means the whole attribute.
func AppendPushObject(dst []byte, class uint16, code obis.Code, attribute int8) []byte {
	dst = AppendNumber(AppendStructure(dst, 4), Uint16, int64(class))
	dst = AppendNumber(AppendLogicalName(dst, code), Int8, int64(attribute))
	return AppendNumber(dst, Uint16, 0)
}

// AppendAttributeDescriptor appends class, logical name and attribute without tags, as Sagemcom XT211 meters write them before each
// value.
func AppendAttributeDescriptor(dst []byte, class uint16, code obis.Code, attribute byte) []byte {
	return append(append(appendUint16(dst, class), code[:]...), attribute)
}

// A DateTime is a COSEM date-time of 12 bytes (IEC 62056-6-2, 4.1.6.1).
type DateTime struct {
	// Time is the local time of the meter. Its Offset is written as the deviation, with the opposite sign. If Zone is false, the deviation is
	// "not specified".
	obis.Time
	// Weekday is 1 on Mondays and 7 on Sundays. The function Weekday returns it.
	Weekday byte
	// Hundredths are hundredths of a second. FF is "not specified".
	Hundredths byte
	// Status is the clock status. Bit 80 (hexadecimal) is set during summer time. FF is "not specified".
	Status byte
}

// Weekday returns the day of the week of t: 1 on Mondays, 7 on Sundays.
func Weekday(t obis.Time) byte {
	return byte(t.Time(time.UTC).Weekday()+6)%7 + 1
}

// Append appends the 12 bytes of the date-time, without tag and length.
func (d DateTime) Append(dst []byte) []byte {
	deviation := uint16(math.MaxInt16 + 1) // not specified
	if d.Zone {
		deviation = uint16(-d.Offset)
	}
	dst = append(appendUint16(dst, d.Year), d.Month, d.Day, d.Weekday, d.Hour, d.Minute, d.Second, d.Hundredths)
	return append(appendUint16(dst, deviation), d.Status)
}

// AppendDateTime appends the date-time as an octet-string of 12 bytes, with tag and length.
func AppendDateTime(dst []byte, d DateTime) []byte {
	return d.Append(append(dst, tagOctetString, obis.DateTimeLength))
}

// A NumberType is the A-XDR type of a number. Only the constants are valid.
type NumberType byte

// The types that meters use for numbers (IEC 62056-5-3).
const (
	Boolean NumberType = tagBoolean
	Enum    NumberType = tagEnum
	Uint8   NumberType = tagUint8
	Uint16  NumberType = tagUint16
	Uint32  NumberType = tagUint32
	Uint64  NumberType = tagUint64
	Int8    NumberType = tagInt8
	Int16   NumberType = tagInt16
	Int32   NumberType = tagInt32
	Int64   NumberType = tagInt64
)

// bits returns the size of a number of this type, in bits.
func (t NumberType) bits() int {
	switch t {
	case Boolean, Enum, Uint8, Int8:
		return 8
	case Uint16, Int16:
		return 16
	case Uint32, Int32:
		return 32
	case Uint64, Int64:
		return 64
	}
	panic(fmt.Sprintf("dlms: type %d is not a type of numbers", byte(t)))
}

// limits returns the lowest and the highest number that AppendNumber writes. The reserved value "not available" is outside of these limits.
// It has all bits 1 if the type is unsigned, and is the minimum if the type is signed. The limit of Uint64 is math.MaxInt64, because
// AppendNumber takes an int64.
func (t NumberType) limits() (lo, hi int64) {
	switch t {
	case Int8, Int16, Int32, Int64:
		hi = math.MaxInt64 >> (64 - t.bits())
		return -hi, hi
	case Uint64:
		return 0, math.MaxInt64
	default:
		return 0, math.MaxUint32>>(32-t.bits()) - 1
	}
}

// AppendNumber appends the tag t and the number v. If v does not fit the type, AppendNumber appends the nearest number that fits. It never
// appends the reserved value "not available", which has all bits 1 if the type is unsigned, and is the minimum if the type is signed. It
// panics if t is not one of the constants.
func AppendNumber(dst []byte, t NumberType, v int64) []byte {
	lo, hi := t.limits()
	v = min(max(v, lo), hi)
	dst = append(dst, byte(t))
	switch t.bits() {
	case 8:
		return append(dst, byte(v))
	case 16:
		return binary.BigEndian.AppendUint16(dst, uint16(v))
	case 32:
		return binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v))
}

// AppendNull appends null-data, which meters send in place of a value that they do not have.
func AppendNull(dst []byte) []byte { return append(dst, tagNull) }

// AppendOctetString appends an octet-string with tag and length. It panics if text has more than 65535 bytes.
func AppendOctetString(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagOctetString), len(text)), text...)
}

// AppendVisibleString appends a visible-string with tag and length. It panics if text has more than 65535 bytes.
func AppendVisibleString(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagVisible), len(text)), text...)
}

// AppendLogicalName appends a logical name: an octet-string of the six bytes of the code.
func AppendLogicalName(dst []byte, c obis.Code) []byte {
	return append(append(dst, tagOctetString, byte(len(c))), c[:]...)
}

// AppendScalerUnit appends the structure {scaler, unit} of a register. The value of the register is its number × 10^scaler.
func AppendScalerUnit(dst []byte, scaler int8, unit obis.Unit) []byte {
	return append(dst, tagStructure, 2, tagInt8, byte(scaler), tagEnum, byte(unit))
}

func appendUint16(dst []byte, v uint16) []byte { return append(dst, byte(v>>8), byte(v)) }
