package meter_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestUnframedMessages tests that a message without a frame is read if the stream consists only of the message, with or without its LLC header.
func TestUnframedMessages(t *testing.T) {
	tested := 0
	for _, sent := range sentTelegrams() {
		f, err := hdlc.Parse([]byte(sent.bytes))
		if err != nil || f.Segmented { // not HDLC, or a message in several frames
			continue
		}
		framed, err := newDecoder(strings.NewReader(sent.bytes)).Next()
		if err != nil {
			t.Fatal(err)
		}
		const with, without = "with LLC header", "without LLC header"
		for name, in := range map[string][]byte{with: f.Info, without: bytes.TrimPrefix(f.Info, []byte(dlms.LLC))} {
			d := newDecoder(&chunked{r: bytes.NewReader(in), sizes: []int{1, 7, 300}})
			r, err := d.Next()
			if sent.family == "landisgyr-si" && errors.As(err, new(*meter.LayoutError)) {
				continue // only the addresses of the frame show the make, on which the layout depends
			}
			if err != nil {
				t.Errorf("%s, %s: %v", sent.family, name, err)
				continue
			}
			protocol, checked := meter.APDU, framed.Cipher.Security >= withTag
			if name == without && framed.Cipher != (meter.Cipher{}) {
				protocol = meter.Glo
			}
			if r.Protocol != protocol || r.Checked != checked || r.Offset != 0 || r.Bytes != len(in) || r.Cipher != framed.Cipher {
				t.Errorf("%s, %s: got %s, checked %v, %d bytes at byte %d, cipher %+v; want %s, checked %v, %d bytes at byte 0, cipher %+v",
					sent.family, name, r.Protocol, r.Checked, r.Bytes, r.Offset, r.Cipher, protocol, checked, len(in), framed.Cipher)
			}
			sameFamily := r.Family == framed.Family // if not, the family is only in the addresses of the frame, and the units can differ
			if sameFamily && withoutFraming(describe(r)) != withoutFraming(sent.content) || len(r.Records) != len(framed.Records) {
				t.Errorf("%s, %s: got content %s, want %s", sent.family, name, describe(r), sent.content)
			}
			if _, err := d.Next(); err == nil || isTelegramError(err) {
				t.Errorf("%s, %s: after the message: got error %v, want EOF", sent.family, name, err)
			}
			tested++
		}
	}
	if tested < 300 {
		t.Errorf("got %d tested messages, want at least 300", tested)
	}
}

// TestUnframedTruncated tests that a message without a frame gives no reading if its last bytes are missing, or if bytes follow the message.
func TestUnframedTruncated(t *testing.T) {
	a, b, _ := messages(t)
	glo := string(dlms.AppendCiphered(nil, simulate.Key(), []byte(titleA), 0x30, 1, a.apdu))
	for name, message := range map[string]string{
		"without LLC header": string(a.apdu), "with LLC header": dlms.LLC + string(a.apdu), "encrypted, with LLC header": dlms.LLC + glo,
	} {
		if got := letters(t, message); got != "a" {
			t.Fatalf("%s: got %q, want a", name, got)
		}
		for i := range message {
			if got := letters(t, message[:i]); strings.Trim(got, "!") != "" || len(got) > 1 {
				t.Errorf("%s, only the first %d bytes: got %q, want at most one error", name, i, got)
			}
		}
		for _, following := range []string{"\x00", "~", "/", message} {
			got := letters(t, message+following)
			isEncrypted := strings.HasPrefix(message, dlms.LLC+"\xDB")
			switch {
			case isEncrypted && strings.Trim(got, "!a ") != "": // message a can be read, because its tag is valid
				t.Errorf("%s, followed by %q: got %q, want only errors and readings of message a", name, following[:1], got)
			case !isEncrypted && got != "!":
				t.Errorf("%s, followed by %q: got %q, want an error", name, following[:1], got)
			}
		}
		framed := strings.Join(hdlcSegments(b.apdu, 1), "")
		if got := letters(t, message+framed); !strings.HasSuffix(got, "b") {
			t.Errorf("%s, followed by message b in a frame: got %q, want b at the end", name, got)
		}
	}
}

// TestUnframedTooLong tests that a stream that is longer than any message gives no reading and no error. The reader returns io.EOF together with
// the last bytes, or after them.
func TestUnframedTooLong(t *testing.T) {
	stream := "\x0F\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 5000)
	for name, r := range map[string]io.Reader{
		"EOF after the last bytes": strings.NewReader(stream), "EOF with the last bytes": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		if all := outcomes(t, r); len(all) != 0 {
			t.Errorf("%s: got %v, want no outcome", name, all)
		}
	}
}

// TestUnframedBeginnings tests that all telegrams of a stream are read if the stream begins like a message without a frame.
func TestUnframedBeginnings(t *testing.T) {
	var stream []byte
	telegrams := 0
	for len(stream) < 1<<18 {
		for _, sent := range sentTelegrams() {
			if sent.checked {
				stream = append(stream, sent.bytes...)
				telegrams++
			}
		}
	}
	date := string(dlms.DateTime{}.Append(nil))
	// Each beginning is the first bytes of a data-notification (0F), without or with a date-time (09 0C or 0C), or of an LLC header.
	for _, beginning := range []string{
		"", "\x0F", "\x0F\x40\x00\x00\x00\x00", "\x0F\x40\x00\x00\x00\x00\x01", "\x0F\x40\x00\x00\x00\x00\x02\x01\x06\x00\x00",
		"\x0F\x00\x00\x00\x00\x0C" + date + "\x02", "\x0F\x40\x00\x00\x00\x09\x0C" + date + "\x02\x0D", dlms.LLC,
		dlms.LLC + "\x0F", dlms.LLC + "\x0F\x40\x00\x00\x00\x00\x01\x1B", dlms.LLC + "\xDB", dlms.LLC + "\xDB\x08ABC",
	} {
		for _, zeros := range []int{0, 5000} {
			noise := beginning + strings.Repeat("\x00", zeros)
			if readings, _ := drain(newDecoder(strings.NewReader(noise + string(stream)))); len(readings) != telegrams || readings[0] != int64(len(noise)) {
				t.Errorf("%q and %d zero bytes: got %d readings, the first at byte %d; want %d, the first at byte %d",
					beginning, zeros, len(readings), readings[0], telegrams, len(noise))
			}
		}
	}
}
