// Package capture reads and writes recordings of a meter's port.
//
// A recording in the format of this package is called a capture. It is text with one line for each read: the time as in RFC 3339 with
// milliseconds, a blank, and the bytes in hexadecimal. Lines that begin with # are comments. The first line begins with FirstLinePrefix.
// Chunk.Append writes a line.
//
// A Reader reads captures and other recordings: raw bytes, hexadecimal digits, dumps of hexdump, od and xxd, and text with bytes in it, such as
// a log. The Reader recognises the form by the first 4096 bytes. NewBytesReader reads the same forms, for programs that need no times.
package capture

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"time"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// FirstLinePrefix is how the first line of a capture begins. The prefix is part of the format and does not change.
const FirstLinePrefix = "# hanbridge capture"

// TestKeyPrefix is the beginning of a comment in a capture whose telegrams are encrypted with the public key of package mask. A program that
// finds this comment can decrypt the telegrams with the public key.
const TestKeyPrefix = "# ciphered with a public test key"

// Errors of reading. The error of a Reader matches one of these by errors.Is, unless it is an error of the underlying io.Reader.
var (
	// ErrMalformed is for a line of a capture that is damaged or longer than 128 kB.
	ErrMalformed = errors.New("capture: malformed line")
	// ErrTooLong is for a dump, or text with bytes in it, of more than 16 MiB.
	ErrTooLong = errors.New("capture: recording too long")
)

// A Chunk is the result of one read of a port.
type Chunk struct {
	// At is the time of the read. It is zero if the recording has no times.
	At time.Time
	// Bytes are the bytes that were read.
	Bytes []byte
}

// Append appends the chunk to dst as a line of a capture, with its line end, and returns the extended slice.
func (c Chunk) Append(dst []byte) []byte {
	dst = append(c.At.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00"), ' ')
	return append(hex.AppendEncode(dst, c.Bytes), '\n')
}

// A Reader reads a recording chunk by chunk. It is not safe for concurrent use.
type Reader struct {
	lines *bufio.Reader // of a capture
	plain io.Reader     // the bytes of a recording that is not a capture; nil for a capture
	name  string        // name of the recording in errors
	line  int           // number of the last line that was read
	buf   []byte        // bytes of the last chunk
}

// maxLine is the longest line of a capture, in bytes.
const maxLine = 1 << 17

// sampleSize is the number of bytes by which the form of a recording is recognised.
const sampleSize = 4096

// NewReader returns a Reader of the recording in r: a capture, or any other form that NewBytesReader reads. NewReader reads the beginning
// of r. If r has a method Name, as files have, errors begin with this name.
func NewReader(r io.Reader) *Reader {
	b := bufio.NewReaderSize(r, maxLine)
	c := &Reader{lines: b, name: "capture", buf: make([]byte, sampleSize)}
	if file, ok := r.(interface{ Name() string }); ok {
		c.name = file.Name()
	}
	_, _ = b.Peek(1)                                  // reads r once, and waits only for this read; the first call of Next returns its error
	start, _ := b.Peek(min(b.Buffered(), sampleSize)) // never an error, because these bytes are buffered
	switch {
	case isCapture(start):
	case isDump(start):
		c.plain = convertAll(b, dumpedBytes)
	case isHex(start):
		c.plain = &hexReader{r: b}
	case isText(start):
		c.plain = convertAll(b, bytesInText)
	default:
		c.plain = b
	}
	return c
}

// captureLine matches a first line with a time and bytes. A capture whose comments were removed begins with such a line.
var captureLine = regexp.MustCompile(`(?m)\A\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) [[:xdigit:]]+\s*$`)

// isCapture reports whether a recording with this beginning is a capture.
func isCapture(start []byte) bool {
	return bytes.HasPrefix(start, []byte(FirstLinePrefix)) || captureLine.Match(start)
}

// Next returns the next chunk. Its Bytes are valid until the next call. At the end the error is io.EOF. For a line that does not have the form
// of a capture, the error matches ErrMalformed and names the line. If the recording is not a capture, its chunks have no times and can have
// any size.
func (c *Reader) Next() (Chunk, error) {
	if c.plain != nil {
		n, err := c.plain.Read(c.buf)
		if n > 0 {
			err = nil // the next call returns the error
		}
		return Chunk{Bytes: c.buf[:n]}, err
	}
	for {
		text, err := c.lines.ReadSlice('\n')
		c.line++
		text = bytes.TrimSpace(text)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return Chunk{}, c.fault("longer than any line of a capture", text)
		case err != nil && (len(text) == 0 || !errors.Is(err, io.EOF)):
			return Chunk{}, err
		case len(text) > 0 && text[0] != '#':
			return c.parse(text)
		}
	}
}

// parse returns the chunk of a line.
func (c *Reader) parse(text []byte) (Chunk, error) {
	stamp, digits, _ := bytes.Cut(text, []byte(" "))
	at, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return Chunk{}, c.fault("the line does not begin with a time", text)
	}
	c.buf, err = hex.AppendDecode(c.buf[:0], digits)
	if err != nil || len(digits) == 0 {
		return Chunk{}, c.fault("no bytes in hexadecimal after the time", text)
	}
	return Chunk{At: at, Bytes: c.buf}, nil
}

// fault returns an ErrMalformed that names the line and quotes the beginning of its text.
func (c *Reader) fault(reason string, text []byte) error {
	return kinderror.New(ErrMalformed, "%s:%d: %s: %.40q (was the file cut or edited?)", c.name, c.line, reason, text)
}

// NewBytesReader returns a reader of the bytes in the recording r. It recognises the form by the beginning of r:
//
//   - a capture: its bytes, without the times
//   - a dump of hexdump, od or xxd: its bytes. A line * means that the line before it is repeated, up to 64 KiB
//   - hexadecimal digits with or without white space, or bytes such as 0x7E, 0xA2 or 7E:A2 or 7E-A2 or 7E.A2: their bytes
//   - text with escapes such as the four characters \r\n, as programs print bytes: the text with the escapes replaced
//   - other text with bytes, such as a log: the bytes, if they contain complete telegrams
//   - anything else: r unchanged
//
// Errors match ErrMalformed or ErrTooLong, or are errors of r. Dumps and text with bytes are read to their end, at most 16 MiB, before the
// first byte is returned. The bytes of all other forms are returned as they arrive.
func NewBytesReader(r io.Reader) io.Reader {
	c := NewReader(r)
	if c.plain != nil {
		return c.plain
	}
	return &sliceReader{next: func() ([]byte, error) {
		chunk, err := c.Next()
		return chunk.Bytes, err
	}}
}

// maxText is the maximum number of bytes of a text that must be read to its end before it is converted.
const maxText = 16 << 20

// convertAll returns a reader of the bytes that convert finds in the text of r. It reads r to its end first.
func convertAll(r io.Reader, convert func(text []byte) []byte) io.Reader {
	return &sliceReader{next: func() ([]byte, error) {
		text, err := io.ReadAll(io.LimitReader(r, maxText+1))
		switch {
		case err != nil:
			return nil, err
		case len(text) > maxText:
			return nil, kinderror.New(ErrTooLong, "a dump, or text with bytes in it, can have at most %d MiB: write a longer recording in the format of xxd -p", maxText>>20)
		case len(text) == 0:
			return nil, io.EOF
		}
		return convert(text), nil
	}}
}

// sliceReader is a reader of the slices that next returns.
type sliceReader struct {
	next func() ([]byte, error)
	rest []byte // of the last slice, not yet read
}

func (p *sliceReader) Read(b []byte) (n int, err error) {
	for len(p.rest) == 0 {
		if p.rest, err = p.next(); err != nil {
			return 0, err
		}
	}
	n = copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
