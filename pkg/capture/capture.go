// Package capture reads and writes recordings of a meter's port. Its own format keeps the time of each read; any other
// form in which people keep bytes (hexadecimal text, dumps of several programs) is read as well.
package capture

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// Mark is how the first line of a capture begins.
//
// A capture is text, so that it can be searched, and posted where people help each other: a line for each read of a wire, which
// is the time as in RFC 3339 with milliseconds, a blank, and the bytes in hexadecimal. Lines that begin with '#' are for people.
const Mark = "# hanbridge capture"

// TestKeyNote is how the line of a capture begins that says that its telegrams are ciphered with the public test key, so that
// decode takes that key by itself.
const TestKeyNote = "# ciphered with a public test key"

// A Record is what one read of a wire gave.
type Record struct {
	// At is when; zero where the recording has no times.
	At    time.Time
	Bytes []byte
}

const captureTime = "2006-01-02T15:04:05.000Z07:00"

// Append appends the line of a capture with its end.
func (c Record) Append(dst []byte) []byte {
	dst = append(c.At.AppendFormat(dst, captureTime), ' ')
	return append(hex.AppendEncode(dst, c.Bytes), '\n')
}

// A Reader reads a recording of a wire.
type Reader struct {
	r *bufio.Reader
	// plain gives the bytes of a recording that is no capture.
	plain io.Reader
	name  string
	line  int
	buf   []byte
}

// NewReader returns a reader of the capture in r, or of any other form of bytes that Bytes knows. Where r has a name, as
// files do, errors begin with it.
func NewReader(r io.Reader) *Reader {
	b := bufio.NewReaderSize(r, longestLine)
	c := &Reader{r: b, name: "capture"}
	if file, ok := r.(interface{ Name() string }); ok {
		c.name = file.Name()
	}
	if start := beginning(b); !isCapture(start) {
		c.plain, c.buf = b, make([]byte, 4096)
		if isDump(start) {
			c.plain = &undump{r: b}
		} else if isHex(start) {
			c.plain = &unhex{r: b}
		} else if mayHoldBytes(start) {
			c.plain = &extract{r: b}
		} else if isEscaped(start) {
			c.plain = &unescape{r: b}
		}
	}
	return c
}

// longestLine is how long a line of a capture may be, in bytes: more than one read ever gives.
const longestLine = 1 << 17

// Next returns what the next read gave, valid until the following call; io.EOF at the end. A line that is none of a capture is
// an error that names its place.
func (c *Reader) Next() (Record, error) {
	if c.plain != nil {
		n, err := c.plain.Read(c.buf)
		if n > 0 {
			err = nil // it comes again
		}
		return Record{Bytes: c.buf[:n]}, err
	}
	for {
		text, err := c.r.ReadSlice('\n')
		c.line++
		text = bytes.TrimSpace(text)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return Record{}, c.fault("longer than any line of a capture", text)
		case err != nil && (len(text) == 0 || !errors.Is(err, io.EOF)):
			return Record{}, err
		case len(text) > 0 && text[0] != '#':
			return c.parse(text)
		}
	}
}

func (c *Reader) parse(text []byte) (Record, error) {
	stamp, digits, _ := bytes.Cut(text, []byte(" "))
	at, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return Record{}, c.fault("no time, as each line of a capture begins with", text)
	}
	c.buf, err = hex.AppendDecode(c.buf[:0], digits)
	if err != nil || len(digits) == 0 {
		return Record{}, c.fault("no bytes in hexadecimal behind the time", text)
	}
	return Record{At: at, Bytes: c.buf}, nil
}

// fault shows the line, as much as is needed to find it.
func (c *Reader) fault(reason string, text []byte) error {
	const shown = 40
	more := ""
	if len(text) > shown {
		text, more = text[:shown], "…"
	}
	return fmt.Errorf("%s:%d: %s: %q%s (was the file cut or edited?)", c.name, c.line, reason, text, more)
}

// flat is a capture without its times.
type flat struct {
	c    *Reader
	rest []byte
}

func (f *flat) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		next, err := f.c.Next()
		if err != nil {
			return 0, err
		}
		f.rest = next.Bytes
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

var capturedLine = regexp.MustCompile(`^\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) [[:xdigit:]]`)

// isCapture tells if a recording begins as captures do, also one whose first lines were not kept.
func isCapture(start []byte) bool {
	return bytes.HasPrefix(start, []byte(Mark)) || capturedLine.Match(start)
}
