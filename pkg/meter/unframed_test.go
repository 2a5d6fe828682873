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

// TestUnframedMessages tests that a message without a frame is read if it is the whole stream, with and without the LLC header.
func TestUnframedMessages(t *testing.T) {
	tried := 0
	for _, k := range sentTelegrams() {
		f, err := hdlc.Parse([]byte(k.wire))
		if err != nil || f.Segmented { // in parts, or not HDLC at all
			continue
		}
		framed, err := newDecoder(strings.NewReader(k.wire)).Next()
		if err != nil {
			t.Fatal(err)
		}
		for name, in := range map[string][]byte{"with its header": f.Info, "without": bytes.TrimPrefix(f.Info, []byte(dlms.LLC))} {
			d := newDecoder(&chunked{r: bytes.NewReader(in), sizes: []int{1, 7, 300}})
			r, err := d.Next()
			if k.family == "landisgyr-si" && errors.As(err, new(*meter.LayoutError)) {
				continue // only the addresses of its frame tell whose list it is
			}
			if err != nil {
				t.Errorf("%s, %s: %v", k.family, name, err)
				continue
			}
			protocol, checked := meter.APDU, framed.Cipher.Security >= 0x30
			if name == "without" && framed.Cipher != (meter.Cipher{}) {
				protocol = meter.Glo
			}
			if r.Protocol != protocol || r.Checked != checked || r.Offset != 0 || r.Bytes != len(in) || r.Cipher != framed.Cipher {
				t.Errorf("%s, %s: got %s, checked %v, %d bytes at %d, %+v", k.family, name, r.Protocol, r.Checked, r.Bytes, r.Offset, r.Cipher)
			}
			if r.Family == framed.Family && withoutFraming(describe(r)) != withoutFraming(k.text) || len(r.Records) != len(framed.Records) {
				t.Errorf("%s, %s: got %s", k.family, name, describe(r))
			}
			if _, err := d.Next(); err == nil || isTelegramError(err) {
				t.Errorf("%s, %s: got %v behind it", k.family, name, err)
			}
			tried++
		}
	}
	if tried < 300 {
		t.Errorf("%d messages tried: the test looks at too little", tried)
	}
}

// TestUnframedCut tests that a message without a frame that is cut, or has bytes behind it, gives no reading.
func TestUnframedCut(t *testing.T) {
	a, b, _ := messages(t)
	glo := string(dlms.AppendCiphered(nil, simulate.Key(), []byte(titleA), 0x30, 1, a.apdu))
	for name, whole := range map[string]string{
		"without its header": string(a.apdu), "with its header": dlms.LLC + string(a.apdu), "encrypted, with its header": dlms.LLC + glo,
	} {
		if got := letters(t, whole); got != "a" {
			t.Fatalf("%s: got %q, want a", name, got)
		}
		for i := range whole {
			if got := letters(t, whole[:i]); strings.Trim(got, "!") != "" || len(got) > 1 {
				t.Errorf("%s, cut after %d bytes: got %q, want one error at most", name, i, got)
			}
		}
		for _, more := range []string{"\x00", "~", "/", whole} {
			if got := letters(t, whole+more); strings.HasPrefix(whole, dlms.LLC+"\xDB") {
				if strings.Trim(got, "!a ") != "" { // a tag proves it wherever it stands
					t.Errorf("%s, with %q behind it: got %q", name, more[:1], got)
				}
			} else if got != "!" {
				t.Errorf("%s, with %q behind it: got %q, want an error", name, more[:1], got)
			}
		}
		framed := strings.Join(hdlcSegments(b.apdu, 1), "")
		if got := letters(t, whole+framed); !strings.HasSuffix(got, "b") {
			t.Errorf("%s, with a frame behind it: got %q", name, got)
		}
	}
}

// TestUnframedTooLong tests that a stream that is longer than any message is not read as one message, whether io.EOF comes with its last
// bytes or behind them.
func TestUnframedTooLong(t *testing.T) {
	stream := "\x0F\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 5000)
	for name, r := range map[string]io.Reader{
		"behind": strings.NewReader(stream), "with them": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		if all := outcomes(t, r); len(all) != 0 {
			t.Errorf("end %s: got %v, want nothing", name, all)
		}
	}
}

// TestUnframedBeginnings tests that a stream that only begins like a message without a frame loses none of its telegrams.
func TestUnframedBeginnings(t *testing.T) {
	var stream []byte
	telegrams := 0
	for len(stream) < 1<<18 {
		for _, k := range sentTelegrams() {
			if k.checked {
				stream = append(stream, k.wire...)
				telegrams++
			}
		}
	}
	date := string(dlms.DateTime{}.Append(nil))
	for _, beginning := range []string{
		"", "\x0F", "\x0F\x40\x00\x00\x00\x00", "\x0F\x40\x00\x00\x00\x00\x01", "\x0F\x40\x00\x00\x00\x00\x02\x01\x06\x00\x00",
		"\x0F\x00\x00\x00\x00\x0C" + date + "\x02", "\x0F\x40\x00\x00\x00\x09\x0C" + date + "\x02\x0D", dlms.LLC,
		dlms.LLC + "\x0F", dlms.LLC + "\x0F\x40\x00\x00\x00\x00\x01\x1B", dlms.LLC + "\xDB", dlms.LLC + "\xDB\x08ABC",
	} {
		for _, more := range []int{0, 5000} {
			noise := beginning + strings.Repeat("\x00", more)
			if readings, _ := drain(newDecoder(strings.NewReader(noise + string(stream)))); len(readings) != telegrams || readings[0] != int64(len(noise)) {
				t.Errorf("%q and %d bytes: %d readings, want %d; the first at %d", beginning, more, len(readings), telegrams, readings[0])
			}
		}
	}
}
