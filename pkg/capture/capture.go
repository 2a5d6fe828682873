// Package capture reads and writes recordings of a meter's port. Its own format keeps the time of each read; any other
// form in which people keep bytes (hexadecimal text, dumps of several programs) is read as well.
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

// FirstLinePrefix is how the first line of a capture begins.
//
// A capture is text, so that it can be searched, and posted where people help each other: a line for each read of a wire, which
// is the time as in RFC 3339 with milliseconds, a blank, and the bytes in hexadecimal. Lines that begin with '#' are for people.
const FirstLinePrefix = "# hanbridge capture"

// TestKeyPrefix is how the line of a capture begins that says that its telegrams are ciphered with the public test key, so that
// decode takes that key by itself.
const TestKeyPrefix = "# ciphered with a public test key"

// Errors of reading. The error of a Reader matches one of them by errors.Is, unless it is that of the underlying io.Reader.
var (
	// ErrMalformed is for a line of a capture that is damaged or longer than 128 kB.
	ErrMalformed = errors.New("capture: malformed line")
	// ErrTooLong is for a dump, or bytes among text, of more than 16 MiB.
	ErrTooLong = errors.New("capture: recording too long")
)

// A Chunk is what one read of a wire gave.
type Chunk struct {
	// At is when; zero where the recording has no times.
	At    time.Time
	Bytes []byte
}

// Append appends the line of a capture with its end.
func (c Chunk) Append(dst []byte) []byte {
	dst = append(c.At.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00"), ' ')
	return append(hex.AppendEncode(dst, c.Bytes), '\n')
}

// A Reader reads a recording of a wire.
type Reader struct {
	lines *bufio.Reader // of a capture
	plain io.Reader     // the bytes of a recording that is no capture; nil for a capture
	name  string
	line  int
	buf   []byte
}

// longestLine is how long a line of a capture may be, in bytes: more than one read ever gives.
const longestLine = 1 << 17

// sampled is how many bytes of a recording's beginning tell its form.
const sampled = 4096

// NewReader returns a reader of the capture in r, or of any other form of bytes that NewBytesReader knows. Where r has a name, as
// files do, errors begin with it.
func NewReader(r io.Reader) *Reader {
	b := bufio.NewReaderSize(r, longestLine)
	c := &Reader{lines: b, name: "capture", buf: make([]byte, sampled)}
	if file, ok := r.(interface{ Name() string }); ok {
		c.name = file.Name()
	}
	_, _ = b.Peek(1)                               // one read alone, so that a pipe is not waited for; its error comes again
	start, _ := b.Peek(min(b.Buffered(), sampled)) // no error: it is buffered
	switch {
	case isCapture(start):
	case isDump(start):
		c.plain = whole(b, dumpedBytes)
	case isHex(start):
		c.plain = &hexReader{r: b}
	case isText(start):
		c.plain = whole(b, bytesInText)
	default:
		c.plain = b
	}
	return c
}

// firstLine matches the first line of a capture whose head was not kept.
var firstLine = regexp.MustCompile(`(?m)\A\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) [[:xdigit:]]+\s*$`)

// isCapture tells if a recording begins as captures do.
func isCapture(start []byte) bool {
	return bytes.HasPrefix(start, []byte(FirstLinePrefix)) || firstLine.Match(start)
}

// Next returns what the next read gave, valid until the following call; io.EOF at the end. A line that is none of a capture is
// an error that names its place.
func (c *Reader) Next() (Chunk, error) {
	if c.plain != nil {
		n, err := c.plain.Read(c.buf)
		if n > 0 {
			err = nil // it comes again
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

func (c *Reader) parse(text []byte) (Chunk, error) {
	stamp, digits, _ := bytes.Cut(text, []byte(" "))
	at, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return Chunk{}, c.fault("no time, as each line of a capture begins with", text)
	}
	c.buf, err = hex.AppendDecode(c.buf[:0], digits)
	if err != nil || len(digits) == 0 {
		return Chunk{}, c.fault("no bytes in hexadecimal behind the time", text)
	}
	return Chunk{At: at, Bytes: c.buf}, nil
}

// fault names the line, and shows as much of it as is needed to find it.
func (c *Reader) fault(reason string, text []byte) error {
	return kinderror.New(ErrMalformed, "%s:%d: %s: %.40q (was the file cut or edited?)", c.name, c.line, reason, text)
}

// NewBytesReader returns a reader of the bytes that a recording r holds: r itself; those of a capture, without their times; those of a dump
// of hexdump, od or xxd; or, where its beginning is nothing but hexadecimal digits and white space, what these stand for. White
// space may stand between any two digits. Bytes may also be written as people paste them: 0x7E, 0xA2 or 7E:A2 or 7E-A2 or 7E.A2.
// Text whose lines end with the four characters \r\n, as programs print it, becomes what these stand for. Out of other text bytes
// are taken if whole telegrams are in them.
func NewBytesReader(r io.Reader) io.Reader {
	c := NewReader(r)
	if c.plain != nil {
		return c.plain
	}
	return &parts{next: func() ([]byte, error) {
		record, err := c.Next()
		return record.Bytes, err
	}}
}

// longestText is how much text is read at once, in bytes. It is text that somebody made, not a wire.
const longestText = 16 << 20

// whole returns a reader of the bytes that convert finds in all the text of r.
func whole(r io.Reader, convert func(text []byte) []byte) io.Reader {
	return &parts{next: func() ([]byte, error) {
		text, err := io.ReadAll(io.LimitReader(r, longestText+1))
		switch {
		case err != nil:
			return nil, err
		case len(text) > longestText:
			return nil, kinderror.New(ErrTooLong, "bytes among text, or a dump, are read up to %d MiB: write longer ones as xxd -p does", longestText>>20)
		case len(text) == 0:
			return nil, io.EOF
		}
		return convert(text), nil
	}}
}

// parts reads what next returns, one part after the other.
type parts struct {
	next func() ([]byte, error)
	rest []byte
}

func (p *parts) Read(b []byte) (n int, err error) {
	for len(p.rest) == 0 {
		if p.rest, err = p.next(); err != nil {
			return 0, err
		}
	}
	n = copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
