// Package dlms reads and writes what meters push in COSEM: the data-notification APDU and the A-XDR data in it
// (IEC 62056-5-3, 7.3 and IEC 61334-6).
package dlms

// LLC is the header before an APDU in HDLC: destination, source and quality (IEC 62056-46, annex B).
const LLC = "\xE6\xE7\x00"

// tagNotification begins a data-notification (IEC 62056-5-3, 7.3.12).
const tagNotification = 0x0F

// tagCiphered begins a general-glo-ciphering (IEC 62056-5-3, 9.5).
const tagCiphered = 0xDB

// Tags of A-XDR data (IEC 62056-5-3, table of the common data types).
const (
	tagNull        = 0
	tagArray       = 1
	tagStructure   = 2
	tagBoolean     = 3
	tagBitString   = 4
	tagInt32       = 5
	tagUint32      = 6
	tagOctetString = 9
	tagVisible     = 10
	tagUTF8        = 12
	tagInt8        = 15
	tagInt16       = 16
	tagUint8       = 17
	tagUint16      = 18
	tagInt64       = 20
	tagUint64      = 21
	tagEnum        = 22
	tagDateTime    = 25
	tagDate        = 26
	tagTime        = 27
)

// Lengths of date and time in bytes (IEC 62056-6-2, 4.1.6.1).
const (
	dateLength = 5
	timeLength = 4
)
