// Package dlms reads and writes the DLMS messages (APDUs) that meters push on their customer ports:
//
//   - data-notification with A-XDR data: Notification reads it, AppendNotification and the functions for its parts, such as AppendArray,
//     write it (IEC 62056-5-3, 7.3; IEC 61334-6)
//   - general-glo-ciphering, an encrypted message: Ciphered and Key read it, AppendCiphered writes it (DLMS Green Book, 9.2.7)
//   - general-block-transfer, a part of a long message: Block reads it, AppendBlock writes it (DLMS Green Book, 9.4.6.13)
//
// A message has no checksum. Packages hdlc and mbus read the frames around messages. Package meter reads messages from a stream. For
// encrypted messages that are sent without frames, CipheredLength returns where a message ends.
//
// All lengths are in bytes. The results of the Parse methods alias the bytes that were parsed. A Parse method reads a complete message or
// returns an error. The error matches ErrTruncated, ErrMalformed or ErrUnsupported, and its text names the index of the wrong byte. After
// an error the receiver is empty. Any input is safe, because memory and recursion are bounded. The functions are safe for concurrent use,
// but the methods of one Key, or of one Notification, are not.
package dlms

// LLC is the LLC header, which precedes a message in HDLC: destination, source and quality (IEC 62056-46, annex B).
const LLC = "\xE6\xE7\x00"

// tagNotification is the first byte of a data-notification (IEC 62056-5-3, 7.3.12).
const tagNotification = 0x0F

// tagCiphered is the first byte of a general-glo-ciphering (IEC 62056-5-3, 9.5).
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
