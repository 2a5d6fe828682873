// Package meter decodes what an electricity meter sends on its customer port (P1, HAN, M-Bus) into readings.
//
// # Input
//
// A [Decoder] reads bytes from any io.Reader: a serial port, a TCP connection, a file. It finds the telegrams in the bytes. Bytes
// can arrive in chunks of any size, with noise between the telegrams. The stream can begin or end within a telegram. The Decoder
// recognises the framing of each telegram: ASCII telegrams (DSMR P1, IEC 62056-21), HDLC frames (IEC 62056-46), M-Bus frames
// (EN 13757-3), and DLMS messages without a frame. It joins messages that are sent in several frames or blocks.
//
// If the reader is a [TimedReader], the Decoder also learns when the bytes arrived. It sets Reading.Received, and does not join parts of a
// message that are half a second or longer apart.
//
// The Decoder never writes to the stream, never closes it, logs nothing and starts no goroutine. It has no timeouts.
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
// TelegramError.Raw is valid until that call too. Strings remain valid. The memory of a Decoder is bounded, and does not grow with the stream.
// A Decoder of most meters has about 10 kB. All Decoders share the buffers for telegrams that are longer than 1 kB. After the first telegrams of a
// meter, further readings allocate no memory, except if a garbage collection has removed a shared buffer. A Decoder must not be used by two goroutines at a time.
//
// # Errors
//
// Next returns a [*TelegramError] for each telegram that gives no Reading. Count the error and call Next again: the stream continues.
// Any other error, such as io.EOF, is an error of the io.Reader, and ends the stream. Use errors.Is and errors.As to find the reason:
//
//   - [ErrChecksum], [ErrAuthentication]: bytes were changed on the way.
//   - [ErrTruncated]: the end of a telegram is missing.
//   - [ErrIncomplete]: a frame or a block of a message is missing.
//   - [ErrEncrypted]: no key decrypts the telegram. A *dlms.EncryptedError says whether a key was tried.
//   - [ErrUnverified]: the telegram has no checksum, and no earlier telegram confirms it (see Trust).
//   - [ErrRepeated]: the frame counter is not above the last frame counter of the meter, and Options.RejectRepeated is true.
//   - [*LayoutError]: the meter sends values without codes, in an order that this package does not know.
//
// TelegramError.Intact is true if the telegram arrived undamaged.
//
// # Trust
//
// A telegram is Checked if it has a right checksum or a valid authentication tag. A Checked telegram is Verified too.
//
// Some meters, such as those of DSMR 2.2, send neither a checksum nor a tag. Such a telegram is Verified if an earlier telegram had the same codes in
// the same order, because two telegrams are seldom damaged in the same way. The Decoder remembers the last four different lists of codes.
//
// Next returns only verified readings, unless Options.AcceptUnverified is true.
//
// # Keys
//
// Options.Keys are the keys of encrypted telegrams. The grid company gives the key to the customer. Make a key from its bytes with
// [dlms.NewKey]. A key prints as "key" and never shows its bytes.
//
// # Limits
//
// An ASCII telegram has at most p1.MaxLength bytes, and a message that is sent in parts has at most 4096. Longer telegrams are errors.
//
// The Decoder guesses no units. If a meter sends a number without its unit, the Decoder finds the unit from the make of the meter, or from
// the size of the number. If this is not possible, the number is in Records, but gives no Sample.
package meter
