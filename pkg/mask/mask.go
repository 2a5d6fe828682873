// Package mask masks the parts of telegrams that identify a meter or a person: serial numbers, system titles and texts. Masked telegrams can
// be published. Digits become 0 and letters X. A masked telegram has right checksums and decodes to the same quantities.
//
// A masked telegram is as long as the original, with two exceptions. A P1 checksum that was sent without leading zeros can get more digits. If two
// HDLC frames of a telegram share a flag, each masked frame has its own flags.
//
// New returns a Masker for a stream. The method Next returns the masked telegrams one by one. If Next cannot mask a telegram completely, Next
// returns an error for the telegram. Encrypted telegrams are decrypted, masked, and encrypted with TestKey. TestKey is public, so that
// everybody can read the masked telegrams.
package mask

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestKey is the public key, in 32 hexadecimal digits, with which a Masker encrypts telegrams that the meter had encrypted. TestKey is both
// the encryption key and the authentication key.
const TestKey = "00112233445566778899AABBCCDDEEFF"

// ErrUnmaskable is the Err of a *meter.TelegramError for an intact telegram that cannot be masked. There are three reasons: the form of the
// telegram is not known; the masked telegram would decode to other values; the masked telegram would still contain the serial number.
var ErrUnmaskable = errors.New("mask: an intact telegram that cannot be masked with certainty was left out")

// A Masker reads telegrams from a stream and masks them. It drops bytes between telegrams, damaged telegrams, and encrypted telegrams that
// no key decrypts, because these bytes can contain serial numbers. The last 128 to 256 kB of the stream remain in memory. A Masker is not
// safe for concurrent use.
type Masker struct {
	options meter.Options
	testKey *dlms.Key
	decoder *meter.Decoder
	stream  recentBytes
}

// A Telegram is one masked telegram.
type Telegram struct {
	// Bytes are the masked telegram. Later calls of Next do not change them.
	Bytes []byte
	// Offset is the offset of the unmasked telegram in the stream, in bytes.
	Offset int64
	// Length is the length of the unmasked telegram in the stream, in bytes.
	Length int
	// Encrypted is true if Bytes are encrypted with TestKey.
	Encrypted bool
	// Reading is the reading of the unmasked telegram. It is valid until the next call of Next.
	Reading *meter.Reading
}

// New returns a Masker that reads from r. o are the options of its meter.Decoder. The Masker needs o.Keys to decrypt telegrams. It ignores
// o.AcceptUnverified, because it also masks telegrams that are not verified. r can be nil if Reset is called before Next.
func New(r io.Reader, o meter.Options) *Masker {
	o.AcceptUnverified = true
	m := &Masker{options: o, testKey: NewTestKey(), stream: recentBytes{r: r}}
	m.decoder = meter.NewDecoder(&m.stream, o)
	return m
}

// Reset discards all bytes that were read, and makes the Masker read from r. See meter.Decoder.Reset.
func (m *Masker) Reset(r io.Reader) {
	m.stream = recentBytes{r: r, buf: m.stream.buf[:0]}
	m.decoder.Reset(&m.stream)
}

// NewTestKey returns TestKey as a dlms.Key. Each call returns a new Key, because a dlms.Key is not safe for concurrent use.
func NewTestKey() *dlms.Key {
	b, err := hex.DecodeString(TestKey)
	k, keyErr := dlms.NewKey(b, b)
	if err != nil || keyErr != nil {
		panic("mask: TestKey is not a key")
	}
	return k
}

// Next returns the next telegram, masked. If the telegram cannot be decoded or masked, the error is a *meter.TelegramError. The following
// call then returns the telegram after it. Any other error is an error of the reader, such as io.EOF, and ends the stream.
func (m *Masker) Next() (*Telegram, error) {
	r, err := m.decoder.Next()
	if err != nil {
		return nil, err
	}
	raw, ok := m.stream.at(r.Offset, r.Bytes)
	t := &Telegram{Offset: r.Offset, Length: r.Bytes, Encrypted: r.Cipher != meter.Cipher{}, Reading: r}
	if ok {
		t.Bytes, ok = m.mask(r, raw)
	}
	if !ok || !m.verify(r, t.Bytes) {
		return nil, &meter.TelegramError{Protocol: r.Protocol, Offset: r.Offset, Bytes: r.Bytes, Received: r.Received, Raw: raw, Intact: true, Err: ErrUnmaskable}
	}
	return t, nil
}

// verify reports whether the masked telegram decodes to the same values as the reading, and does not contain the serial number.
func (m *Masker) verify(r *meter.Reading, masked []byte) bool {
	o := m.options
	o.Keys = []*dlms.Key{m.testKey}
	d := meter.NewDecoder(bytes.NewReader(masked), o)
	decoded, err := d.Next()
	if err != nil || decoded.Protocol != r.Protocol {
		return false
	}
	if decoded.Protocol != meter.HDLC && decoded.Bytes != len(masked) {
		return false // bytes follow the telegram
	}
	return slices.EqualFunc(r.Samples, decoded.Samples, sameSample) && !containsSerial(masked, r.Meter.Serial)
}

// sameSample reports whether a and b have the same quantity and unit. If the quantity is a number, they must also have the same value and time.
func sameSample(a, b quantity.Sample) bool {
	if a.ID != b.ID || a.UnitIndex != b.UnitIndex {
		return false
	}
	return !a.ID.Row().Numeric() || a.Value == b.Value && a.Time == b.Time
}

// longDigits matches a run of digits that is long enough for a serial number. Names of models have shorter runs.
var longDigits = regexp.MustCompile(`\d{6,}`)

// containsSerial reports whether b contains a long run of digits of the serial number, as plain digits or with each digit as two hexadecimal
// digits.
func containsSerial(b []byte, serial string) bool {
	masked := []byte(serial)
	maskValue(masked, obis.Code{})
	if string(masked) == serial {
		return false // the serial number has zeros only, because the stream was masked before
	}
	for _, run := range longDigits.FindAllString(serial, -1) {
		inHex := hex.EncodeToString([]byte(run))
		if strings.Trim(run, "0") != "" && (bytes.Contains(b, []byte(run)) || bytes.Contains(b, []byte(inHex))) {
			return true
		}
	}
	return false
}

// recentBytes is a reader that stores the last bytes that were read. The Masker needs them, because a Decoder returns the offset of a telegram
// and not its bytes.
type recentBytes struct {
	r    io.Reader
	buf  []byte
	base int64 // offset of buf[0] in the stream
}

// minRecent is the minimum number of bytes to store. It exceeds the sum of the longest telegram with all its frames and the buffer of a Decoder.
const minRecent = 1 << 17

// Read implements io.Reader.
func (b *recentBytes) Read(p []byte) (int, error) {
	n, _, err := b.ReadTimed(p)
	return n, err
}

// ReadTimed implements meter.TimedReader.
func (b *recentBytes) ReadTimed(p []byte) (int, meter.Arrival, error) {
	n, arrival, err := meter.ReadTimed(b.r, p)
	if drop := len(b.buf) - minRecent; drop > minRecent { // drop many bytes at a time, because the other bytes must be moved
		b.buf = append(b.buf[:0], b.buf[drop:]...)
		b.base += int64(drop)
	}
	b.buf = append(b.buf, p[:n]...)
	return n, arrival, err
}

// at returns the n bytes of the stream at the offset. They are valid until the next Read. ok is false if the bytes are not stored any more.
func (b *recentBytes) at(offset int64, n int) (stored []byte, ok bool) {
	start := offset - b.base
	if start < 0 || start+int64(n) > int64(len(b.buf)) {
		return nil, false
	}
	return b.buf[start : start+int64(n)], true
}
