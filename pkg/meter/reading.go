package meter

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Protocol is the outermost framing of a telegram.
type Protocol string

// The protocols.
const (
	// P1 is an ASCII telegram: DSMR P1 and IEC 62056-21.
	P1 Protocol = "p1"
	// HDLC is a message in frames of IEC 62056-46.
	HDLC Protocol = "hdlc"
	// MBus is a message in M-Bus frames (EN 13757).
	MBus Protocol = "mbus"
	// Glo is a general-glo-ciphering without a frame around it.
	Glo Protocol = "glo"
	// APDU is a message without any frame. Its stream consists only of this message.
	APDU Protocol = "apdu"
)

// A Reading is the content of one telegram. The Reading and all memory that it refers to belong to the Decoder.
type Reading struct {
	// Protocol is the framing of the telegram.
	Protocol Protocol
	// Family is the make of the meter in lower case, such as "aidon". The Decoder has rules for each family. Family is "" if it is not known.
	Family string
	// Offset is the offset of the telegram in the stream, in bytes. Bytes is the length of the telegram with all its parts.
	Offset int64
	Bytes  int
	// Received is when the last byte of the telegram arrived. It is zero if the reader of the Decoder is no TimedReader.
	Received time.Time
	// Checked is true if the telegram has a right checksum or a valid authentication tag.
	Checked bool
	// Verified is true if the telegram is Checked, or if an earlier telegram confirms it (see Trust in the package documentation). It is
	// false only with Options.AcceptUnverified.
	Verified bool
	// Cipher says how the telegram was encrypted. It is the zero Cipher if the telegram was not encrypted.
	Cipher Cipher
	// Repeated is true if the frame counter of an encrypted telegram is not above the frame counter of the previous telegram of the meter.
	Repeated bool
	// Time is the meter's own clock. It is zero if the telegram has none.
	Time obis.Time
	// Meter identifies the meter.
	Meter Meter
	// Records are the items of the telegram, in the order in which the meter sent them. Their units have no prefix: Wh, not kWh.
	Records []obis.Record
	// Samples are the quantities in the records, and quantities that are derived from them, such as the net power. They have the units of
	// package quantity, and are multiplied by Options.Scale.
	Samples []quantity.Sample

	deviceName     []byte // the logical device name
	kamstrupNumber string // the number of a Kamstrup meter
}

// A Cipher says how a telegram was encrypted (IEC 62056-5-3, 9.2.4.7).
type Cipher struct {
	// Title is the system title: the manufacturer code of three letters (FLAG ID), then the serial number. It is zero if the meter sends none.
	Title [8]byte
	// Security is the security control byte: 0x20 or 0x21 without an authentication tag, 0x30 or 0x31 with a tag.
	Security byte
	// Counter is the frame counter.
	Counter uint32
}

// A Meter identifies a meter. A field is "" if the telegram does not show it.
type Meter struct {
	Make, Model, Serial string
	// List is the name of the list of quantities that the meter sends, such as AIDON_V0001.
	List string
}
