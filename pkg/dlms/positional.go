package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// Letters of a Layout: what the items of a list without codes are.
const (
	LayoutText   = 't'
	LayoutClock  = 'c'
	LayoutUint   = 'u' // of 32 or 64 bits
	LayoutUint16 = 'w'
	LayoutSigned = 'i'
	LayoutByte   = 'b' // boolean, enum, or of 8 bits
	LayoutArray  = 'a' // of one number
	LayoutNull   = '0'
)

// readPositional reads count values without codes. Which is which only a table of the make can tell.
func (n *Notification) readPositional(r *reader, count int) {
	for range count {
		if r.fault != "" {
			return
		}
		rec := n.add(obis.Code{})
		letter := layoutOf(r.peek())
		if letter == LayoutArray {
			r.byte()
			if at := r.at; r.length() != 1 {
				r.fail(at, "a list in a list without codes")
				return
			}
		}
		readValue(r, rec)
		if len(rec.Text) == obis.DateTimeLength && beginsDate(rec.Text) {
			letter = LayoutClock
			if rec.Kind, rec.Time = obis.Empty, obis.ReadDateTime(rec.Text); !rec.Time.IsZero() {
				rec.Kind = obis.Clock
			}
			rec.Text = nil
		}
		n.Layout = append(n.Layout, letter)
	}
}

func layoutOf(tag byte) byte {
	switch tag {
	case tagUint32, tagUint64:
		return LayoutUint
	case tagUint16:
		return LayoutUint16
	case tagInt8, tagInt16, tagInt32, tagInt64:
		return LayoutSigned
	case tagBoolean, tagEnum, tagUint8:
		return LayoutByte
	case tagArray, tagStructure:
		return LayoutArray
	case tagNull:
		return LayoutNull
	}
	return LayoutText
}
