// Package meter turns the bytes of a customer port into readings. It finds telegrams of any framing in a stream, proves
// them by their checksums, and knows what each make does its own way.
package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Protocol is the outermost framing of a telegram.
type Protocol string

// The protocols.
const (
	P1   Protocol = "p1"
	HDLC Protocol = "hdlc"
	MBus Protocol = "mbus"
	// Glo is a general-glo-ciphering with no frame around it.
	Glo Protocol = "glo"
	// APDU is a message without any frame: the whole of its stream.
	APDU Protocol = "apdu"
)

// A Reading is what one telegram says. All of it belongs to the Decoder that returned it.
type Reading struct {
	Protocol Protocol
	// Family is the make whose ways were applied, in lower case: "aidon". "" where none is known.
	Family string
	// Offset is where the telegram begins in the stream, in bytes; Bytes is its length, up to the end of its last part.
	Offset int64
	Bytes  int
	// Checked tells that a checksum or an authentication tag vouches for the telegram.
	Checked bool
	// Verified is true if the telegram may be trusted: it is Checked, or one of the last four telegrams without a checksum had
	// the same codes in the same order. It is false only with Options.AcceptUnverified.
	Verified bool
	// Cipher tells how the telegram was encrypted; the zero Cipher for one in clear.
	Cipher Cipher
	// Repeated tells that the frame counter of a ciphered telegram is not above the one before.
	Repeated bool
	// Time is the meter's own clock, zero where the telegram has none.
	Time obis.Time
	// Meter is who sent it, as far as the telegram tells.
	Meter Meter
	// Records are the items as sent, in the meter's order.
	Records []obis.Record
	// Samples are the quantities in the records, and those that follow from them.
	Samples []quantity.Sample

	device []byte // the logical device name
	number string // Kamstrup's own number
}

// A Cipher is how a telegram was encrypted (IEC 62056-5-3, 9.2.4.7).
type Cipher struct {
	// Title is the system title: three letters of the maker, then the meter's own number. Zero where the meter sends none.
	Title [8]byte
	// Security is the security control byte: 20 or 21 without a tag, 30 or 31 with one (hexadecimal).
	Security byte
	// Counter is the frame counter.
	Counter uint32
}

// A Meter is what a telegram says about its sender. Empty fields are not known.
type Meter struct {
	Make, Model, Serial string
	// List is the name of the list of quantities, such as AIDON_V0001.
	List string
}
