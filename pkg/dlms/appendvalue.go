package dlms

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Type is how a number is written.
type Type byte

// The types that meters use for numbers.
const (
	Boolean Type = tagBoolean
	Enum    Type = tagEnum
	Uint8   Type = tagUint8
	Uint16  Type = tagUint16
	Uint32  Type = tagUint32
	Uint64  Type = tagUint64
	Int8    Type = tagInt8
	Int16   Type = tagInt16
	Int32   Type = tagInt32
	Int64   Type = tagInt64
)

// bits returns how many a number of this type takes.
func (t Type) bits() int {
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
func (t Type) limits() (lo, hi int64) {
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
func AppendNumber(dst []byte, t Type, v int64) []byte {
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

// AppendOctets appends an octet-string.
func AppendOctets(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagOctetString), len(text)), text...)
}

// AppendVisible appends a visible-string.
func AppendVisible(dst []byte, text string) []byte {
	return append(appendSize(append(dst, tagVisible), len(text)), text...)
}

// AppendName appends a logical name, an octet-string of the six bytes of code.
func AppendName(dst []byte, c obis.Code) []byte {
	return append(append(dst, tagOctetString, byte(len(c))), c[:]...)
}

// AppendScalerUnit appends {scaler, unit}.
func AppendScalerUnit(dst []byte, scaler int8, unit obis.Unit) []byte {
	return append(dst, tagStructure, 2, tagInt8, byte(scaler), tagEnum, byte(unit))
}

func appendUint16(dst []byte, v uint16) []byte { return append(dst, byte(v>>8), byte(v)) }
