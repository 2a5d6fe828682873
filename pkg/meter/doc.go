// Package meter decodes what an electricity meter sends on its customer port (P1, HAN, M-Bus) into readings.
//
// # Input
//
// A [Decoder] reads bytes from any io.Reader: a serial port, a TCP connection, a file. It finds the telegrams in them by itself. Bytes
// can arrive in any portions, with noise between the telegrams, and the stream can begin or end within a telegram. The Decoder
// recognises the framing of each telegram: ASCII telegrams (DSMR P1, IEC 62056-21), HDLC frames (IEC 62056-46), M-Bus frames
// (EN 13757-3), and DLMS messages without a frame. It joins messages that are sent in several frames or blocks.
//
// The Decoder never writes to the stream, never closes it, logs nothing and starts no goroutine. It has no timeouts: it waits in Read.
//
// # Output
//
// [Decoder.Next] returns one [Reading] for each telegram. Reading.Records are the items as the meter sent them, by OBIS code.
// Reading.Samples are the quantities in them, with the names and units of package quantity, which are the same for all meters. All
// numbers are exact decimals ([obis.Decimal]): coefficient times a power of ten.
//
// # Memory
//
// A Reading and all that it refers to belong to the Decoder. They are valid until the next call of Next or Reset. Copy what you need longer.
// The same is true of TelegramError.Raw. Strings remain valid. The memory of a Decoder is bounded, and does not grow with the stream.
// Once a Decoder has seen the lists of a meter, further readings allocate no memory. A Decoder must not be used by two goroutines at a time.
//
// # Errors
//
// Next returns a [*TelegramError] for each telegram that gives no Reading. Count the error and call Next again: the stream continues.
// Any other error comes from the io.Reader, io.EOF among them, and ends the stream. Use errors.Is and errors.As to decide what to do:
//
//   - [ErrChecksum], [ErrAuthentication]: bytes were changed on the way.
//   - [ErrTruncated]: the end of a telegram is missing.
//   - [ErrIncomplete]: a frame or a block of a message is missing.
//   - [ErrEncrypted]: no key decrypts the telegram. A *dlms.EncryptedError says whether a key was tried.
//   - [ErrUnverified]: the telegram has no checksum, and no earlier telegram confirms it (see Trust).
//   - [ErrRepeated]: the telegram was sent before, and Options.RejectRepeated is set.
//   - [*LayoutError]: the meter sends values without codes, in an order that this package does not know.
//
// TelegramError.Intact is true if the telegram arrived undamaged and still gives no Reading.
//
// # Trust
//
// A telegram is Checked if its checksum is right or its authentication tag is valid. Then it is Verified too. Meters of DSMR 2.2 send
// neither, nor do some meters that encrypt without a tag. A telegram without both is Verified only if its codes are, in the same order,
// among the last four different lists of such telegrams, because damage seldom repeats. Next returns verified readings only, unless
// Options.AcceptUnverified is set.
//
// # Keys
//
// Options.Keys are the keys of encrypted telegrams. Make a key with [dlms.NewKey] from what the grid company gave to the customer. A key
// prints as "key" and never shows its bytes.
//
// # Limits
//
// An ASCII telegram has at most p1.MaxLength bytes, and a message that is sent in parts at most 4096. Longer ones are errors. The
// Decoder returns no value that it would have to guess: if a meter sends a number without its unit, and neither its make nor the
// number itself tells the unit, the number stays in Records and is in no Sample.
package meter
