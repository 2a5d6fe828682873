// Package mask takes out of telegrams what tells whose they are, so that they can be shown to others: the numbers of meters, and
// texts. A masked telegram has its old length and right checksums, and decodes to the same quantities.
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

// TestKey is the encryption key and the authentication key of masked telegrams that came ciphered, in hexadecimal. It is
// public, so that the key of the meter need not be.
const TestKey = "00112233445566778899AABBCCDDEEFF"

// ErrUnmaskable is the reason of a telegram that is sound, and that this package cannot mask for sure.
var ErrUnmaskable = errors.New("mask: a sound telegram, left out: it cannot be masked for sure")

// A Masker reads telegrams from a stream and masks them. What stands between them, damaged telegrams, and ciphered ones that no
// key opens, are left out: they may hold numbers. It is not safe for concurrent use.
type Masker struct {
	options meter.Options
	test    *dlms.Key
	d       *meter.Decoder
	stream  tap
}

// A Telegram is one masked telegram. It belongs to the Masker that returned it.
type Telegram struct {
	Bytes []byte
	// Offset is where the telegram stood in the stream, Length how many bytes it took there.
	Offset int64
	Length int
	// Encrypted tells that it is encrypted with TestKey.
	Encrypted bool
	// Reading is what the telegram said before it was masked.
	Reading *meter.Reading
}

// Reset makes the Masker read from r, as meter.Decoder.Reset does.
func (m *Masker) Reset(r io.Reader) {
	m.stream = tap{r: r, buf: m.stream.buf[:0]}
	m.d.Reset(&m.stream)
}

// NoteSilence tells that the wire was silent, as meter.Decoder.NoteSilence does.
func (m *Masker) NoteSilence() { m.d.NoteSilence() }

// New returns a Masker that reads from r, with the options of its Decoder: the keys of the meter above all. Telegrams that are not
// verified are masked too. r may be nil until the first Reset.
func New(r io.Reader, o meter.Options) *Masker {
	o.AcceptUnverified = true
	m := &Masker{options: o, test: NewTestKey(), stream: tap{r: r}}
	m.d = meter.NewDecoder(&m.stream, o)
	return m
}

// NewTestKey returns a key that opens telegrams which were encrypted with TestKey. A dlms.Key has one user.
func NewTestKey() *dlms.Key {
	b, err := hex.DecodeString(TestKey)
	k, bad := dlms.NewKey(b, b)
	if err != nil || bad != nil {
		panic("mask: TestKey is no key")
	}
	return k
}

// Next returns the next telegram, valid until the following call. Each telegram that is left out is a *meter.TelegramError;
// any other error is the reader's, and ends the stream.
func (m *Masker) Next() (*Telegram, error) {
	r, err := m.d.Next()
	if err != nil {
		return nil, err
	}
	raw, ok := m.stream.at(r.Offset, r.Bytes)
	t := &Telegram{Offset: r.Offset, Length: r.Bytes, Encrypted: r.Cipher != meter.Cipher{}, Reading: r}
	if ok {
		t.Bytes, ok = m.mask(r, raw)
	}
	if !ok || !m.faithful(r, t.Bytes) {
		return nil, &meter.TelegramError{Protocol: r.Protocol, Offset: r.Offset, Bytes: r.Bytes, Raw: raw, Intact: true, Err: ErrUnmaskable}
	}
	return t, nil
}

// faithful tells that the masked telegram says what the reading said, and that the number of the meter is not in it.
func (m *Masker) faithful(r *meter.Reading, masked []byte) bool {
	o := m.options
	o.Keys = []*dlms.Key{m.test}
	d := meter.NewDecoder(bytes.NewReader(masked), o)
	again, err := d.Next()
	return err == nil && again.Protocol == r.Protocol && (again.Bytes == len(masked) || again.Protocol == meter.HDLC) &&
		slices.EqualFunc(r.Samples, again.Samples, alike) && !tells(masked, r.Meter.Serial)
}

// alike compares all of a number, and of a text that it is one.
func alike(a, b quantity.Sample) bool {
	return a.ID == b.ID && a.UnitIndex == b.UnitIndex && (!a.ID.Row().Numeric() || a.Value == b.Value && a.Time == b.Time)
}

// number is so many digits in a row that they may be the number of somebody's meter, not only that of a model.
var number = regexp.MustCompile(`\d{6,}`)

// tells tells if the bytes hold the meter's number, as text or as hexadecimal of text.
func tells(b []byte, serial string) bool {
	zeros := []byte(serial)
	maskValue(zeros, obis.Code{})
	if string(zeros) == serial {
		return false // it was masked before
	}
	for _, run := range number.FindAllString(serial, -1) {
		hexed := hex.EncodeToString([]byte(run))
		if strings.Trim(run, "0") != "" && (bytes.Contains(b, []byte(run)) || bytes.Contains(b, []byte(hexed))) {
			return true
		}
	}
	return false
}

// tap keeps the end of what was read through it: a Decoder tells where a telegram stood, not what it was.
type tap struct {
	r    io.Reader
	buf  []byte
	base int64 // place in the stream of buf[0]
}

// kept is how many bytes are kept at least: more than the parts of a message and a Decoder's buffer take.
const kept = 1 << 17

// Read reads.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if drop := len(t.buf) - kept; drop > kept {
		t.buf = append(t.buf[:0], t.buf[drop:]...)
		t.base += int64(drop)
	}
	t.buf = append(t.buf, p[:n]...)
	return n, err
}

// at returns the n bytes that stood there, valid until the next Read; false where they have been dropped.
func (t *tap) at(offset int64, n int) ([]byte, bool) {
	start := offset - t.base
	if start < 0 || start+int64(n) > int64(len(t.buf)) {
		return nil, false
	}
	return t.buf[start : start+int64(n)], true
}
