package dlms

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// AppendNotification appends the start of a data-notification, up to its body, with no date-time. Parse reads it back.
func AppendNotification(dst []byte, invokeID uint32) []byte {
	dst = append(dst, tagNotification, byte(invokeID>>24), byte(invokeID>>16), byte(invokeID>>8), byte(invokeID))
	return append(dst, 0)
}

// AppendTimestampedNotification is AppendNotification with the time at which the meter sends it. Most makes write it without
// a tag, as it is specified (IEC 62056-5-3, 7.3.12); tagged is for Kaifa in Norway.
func AppendTimestampedNotification(dst []byte, invokeID uint32, t DateTime, tagged bool) []byte {
	dst = AppendNotification(dst, invokeID)
	dst = dst[:len(dst)-1]
	if tagged {
		dst = append(dst, tagOctetString)
	}
	return t.Append(append(dst, obis.DateTimeLength))
}

// AppendArray appends the start of an array of n items, n not negative.
func AppendArray(dst []byte, n int) []byte { return appendSize(append(dst, tagArray), n) }

// AppendStructure appends the start of a structure of n items, n not negative.
func AppendStructure(dst []byte, n int) []byte { return appendSize(append(dst, tagStructure), n) }

// AppendPushObject appends an element of a push object list (IEC 62056-6-2, 4.4.8.2.2), with the index 0: the whole attribute.
func AppendPushObject(dst []byte, class uint16, code obis.Code, attribute int8) []byte {
	dst = AppendNumber(AppendStructure(dst, 4), Uint16, int64(class))
	dst = AppendNumber(AppendLogicalName(dst, code), Int8, int64(attribute))
	return AppendNumber(dst, Uint16, 0)
}

// AppendAttributeDescriptor appends class, logical name and attribute without tags, as Sagemcom XT211 meters do before a value.
func AppendAttributeDescriptor(dst []byte, class uint16, code obis.Code, attribute byte) []byte {
	return append(append(appendUint16(dst, class), code[:]...), attribute)
}

// A DateTime is a clock as meters write it in 12 bytes (IEC 62056-6-2, 4.1.6.1), with what is beside the time.
type DateTime struct {
	// Time is on the meter's wall. Its Offset is sent as the deviation; without a Zone that is "not specified".
	obis.Time
	// Weekday counts from Monday, 1; see Weekday. Hundredths of a second are FF where they are not specified.
	Weekday, Hundredths byte
	// Status has 80 (hexadecimal) while summer time holds, in the makes that say so; FF is "not specified".
	Status byte
}

// Weekday returns the day of week, from 1 on Mondays to 7 on Sundays.
func Weekday(t obis.Time) byte {
	return byte(t.Time(time.UTC).Weekday()+6)%7 + 1
}

// Append appends the 12 bytes without a tag.
func (d DateTime) Append(dst []byte) []byte {
	deviation := uint16(math.MaxInt16 + 1) // not specified
	if d.Zone {
		deviation = uint16(-d.Offset)
	}
	dst = append(appendUint16(dst, d.Year), d.Month, d.Day, d.Weekday, d.Hour, d.Minute, d.Second, d.Hundredths)
	return append(appendUint16(dst, deviation), d.Status)
}

// AppendDateTime appends the date-time as an octet-string, with tag and length.
func AppendDateTime(dst []byte, d DateTime) []byte {
	return d.Append(append(dst, tagOctetString, obis.DateTimeLength))
}

// A NumberType is how a number is written.
type NumberType byte

// The types that meters use for numbers.
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

// bits returns how many a number of this type takes.
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
	panic(fmt.Sprintf("dlms: type %d is no number's", byte(t)))
}

// limits returns the least and the greatest number that a reader takes for one, and not for "not available".
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

// AppendNumber appends v with its tag, or the nearest number that fits the type. It panics for a type that is none of the constants.
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

// AppendNull appends null-data: what stands in the place of what a meter does not have.
func AppendNull(dst []byte) []byte { return append(dst, tagNull) }

// AppendOctetString appends an octet-string.
func AppendOctetString(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagOctetString), len(text)), text...)
}

// AppendVisibleString appends a visible-string.
func AppendVisibleString(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagVisible), len(text)), text...)
}

// AppendLogicalName appends a logical name, an octet-string of the six bytes of code.
func AppendLogicalName(dst []byte, c obis.Code) []byte {
	return append(append(dst, tagOctetString, byte(len(c))), c[:]...)
}

// AppendScalerUnit appends {scaler, unit}.
func AppendScalerUnit(dst []byte, scaler int8, unit obis.Unit) []byte {
	return append(dst, tagStructure, 2, tagInt8, byte(scaler), tagEnum, byte(unit))
}

func appendUint16(dst []byte, v uint16) []byte { return append(dst, byte(v>>8), byte(v)) }
