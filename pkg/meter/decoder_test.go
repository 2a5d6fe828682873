package meter_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDamaged tests that a damaged telegram gives one *TelegramError with its offset, bytes and reason, and that the telegram after it is
// read.
func TestDamaged(t *testing.T) {
	p1Telegram, next := twoTelegrams(t, "p1-se-aidon")
	frame, _ := twoTelegrams(t, "aidon-se")
	mbusFrame, _ := twoTelegrams(t, "kaifa-at")
	for _, tt := range []struct {
		name, in string
		protocol meter.Protocol
		wantText string // the beginning of the error text
		wantIs   error  // the exported error that the error must match (errors.Is); nil for none
	}{
		{"value changed", strings.Replace(p1Telegram.bytes, "(0", "(1", 1), meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"byte lost", p1Telegram.bytes[:100] + p1Telegram.bytes[101:], meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"end missing", p1Telegram.bytes[:100] + "\r\n", meter.P1, "p1: no '!' at the end", meter.ErrTruncated},
		{"last digits of the checksum missing", p1Telegram.bytes[:len(p1Telegram.bytes)-4] + "\r\n", meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"too long", "/ABC5\r\n" + strings.Repeat("1-0:1.8.0(00000001.000*kWh)\r\n", 400)[:p1.MaxLength-9] + "\r\n", meter.P1, "p1: no end after 8192 bytes", meter.ErrTruncated},
		{"value changed in an HDLC frame", frame.bytes[:40] + "\x55" + frame.bytes[41:], meter.HDLC, "hdlc: frame checksum: want ", meter.ErrChecksum},
		{"HDLC header changed", frame.bytes[:6] + "\x55" + frame.bytes[7:], meter.HDLC, "hdlc: header checksum: want ", meter.ErrChecksum},
		{"flag at the end changed", frame.bytes[:len(frame.bytes)-1] + "\x55", meter.HDLC, "hdlc: no end flag at the length ", nil},
		{"value changed in an M-Bus frame", mbusFrame.bytes[:40] + "\x55" + mbusFrame.bytes[41:], meter.MBus, "mbus: checksum: want ", meter.ErrChecksum},
		{"no LLC header", aidonFrame("\x0F\x40\x00\x00\x00\x00\x01\x00", false), meter.HDLC, "a part of a message whose beginning is missing", meter.ErrIncomplete},
		{"truncated general-glo-ciphering", aidonFrame(dlms.LLC+"\xDB\x08", false), meter.HDLC, "dlms: byte ", meter.ErrTruncated},
		{"array with fewer items than its count", aidonFrame(dlms.LLC+"\x0F\x40\x00\x00\x00\x00\x01\x01", false), meter.HDLC, "dlms: byte 8: the data ends too early", meter.ErrTruncated},
	} {
		const noise = "\x00\x01\r\n"
		d := meter.NewDecoder(strings.NewReader(noise+tt.in+next.bytes), meter.Options{AcceptUnverified: true})
		_, err := d.Next()
		var damaged *meter.TelegramError
		if !errors.As(err, &damaged) {
			t.Errorf("%s: got error %v, want a *TelegramError", tt.name, err)
			continue
		}
		if damaged.Protocol != tt.protocol || damaged.Offset != int64(len(noise)) || damaged.Bytes != len(damaged.Raw) {
			t.Errorf("%s: got a %s telegram at byte %d, %d bytes, %d of them in Raw; want %s at byte %d",
				tt.name, damaged.Protocol, damaged.Offset, damaged.Bytes, len(damaged.Raw), tt.protocol, len(noise))
		}
		if !strings.HasPrefix(tt.in, string(damaged.Raw)) || len(damaged.Raw) == 0 {
			t.Errorf("%s: got Raw %q, want the beginning of %q", tt.name, damaged.Raw, tt.in)
		}
		if !strings.HasPrefix(err.Error(), tt.wantText) || !strings.HasPrefix(damaged.Err.Error(), tt.wantText) || !errors.Is(err, damaged.Err) {
			t.Errorf("%s: got error %q, want one that begins with %q", tt.name, err, tt.wantText)
		}
		for _, exported := range []error{meter.ErrChecksum, meter.ErrTruncated, meter.ErrIncomplete, meter.ErrEncrypted, meter.ErrUnverified} {
			if got, want := errors.Is(err, exported), errors.Is(tt.wantIs, exported); got != want {
				t.Errorf("%s: got errors.Is(%v, %v) = %v, want %v", tt.name, err, exported, got, want)
			}
		}
		r, err := d.Next()
		if err != nil {
			t.Errorf("%s: the next telegram: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(next.content, describe(r)); diff != "" || r.Offset != int64(len(noise+tt.in)) {
			t.Errorf("%s: the next telegram is at byte %d, want %d; -want +got:\n%s", tt.name, r.Offset, len(noise+tt.in), diff)
		}
		if _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: at the end: got %v, want EOF", tt.name, err)
		}
	}
}

// TestDamagedWithinDamaged tests that the Decoder searches the bytes of a damaged telegram for further telegrams. A damaged telegram among them
// gives an error if its header is intact. Bytes that resemble a header or an identification line give no error.
func TestDamagedWithinDamaged(t *testing.T) {
	frame, next := twoTelegrams(t, "aidon-se")
	wrongChecksum := []byte(frame.bytes)
	wrongChecksum[300] ^= 1
	withLookalikes := []byte(frame.bytes)
	copy(withLookalikes[200:], "~\xA7\xFF\x41\x08\x83\x13\x00\x00 1/ABC\xFF")
	for _, tt := range []struct {
		name, in string
		want     []int64 // offsets of the errors
	}{
		{"truncated frame, then a frame with a wrong checksum", frame.bytes[:100] + string(wrongChecksum), []int64{0, 100}},
		{"three truncated frames", frame.bytes[:100] + frame.bytes[:100] + frame.bytes[:100], []int64{0, 100, 200}},
		{"damaged frame that contains a wrong header and an identification line", string(withLookalikes), []int64{0}},
		{"two truncated P1 telegrams", "/ABC5\r\n1-0:\r\n/ABC5\r\n1-0:\r\n", []int64{0, 13}},
	} {
		got := []int64{}
		all := outcomes(t, strings.NewReader(tt.in+next.bytes))
		for _, o := range all[:len(all)-1] {
			got = append(got, o.Offset)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || all[len(all)-1].Text != next.content {
			t.Errorf("%s: is the next telegram read: %v; offsets of errors, -want +got:\n%s", tt.name, all[len(all)-1].Text == next.content, diff)
		}
	}
}

// A failingReader returns all bytes of a reader, and then err at each call.
type failingReader struct {
	bytes io.Reader
	err   error
}

func (f failingReader) Read(p []byte) (int, error) {
	if n, _ := f.bytes.Read(p); n > 0 {
		return n, nil
	}
	return 0, f.err
}

// TestReaderError tests that bytes before an error of the reader are decoded. Each further call of Next must return that error.
func TestReaderError(t *testing.T) {
	good, _ := twoTelegrams(t, "p1-se-aidon")
	unplugged := errors.New("unplugged")
	d := meter.NewDecoder(failingReader{strings.NewReader(good.bytes + good.bytes[:50]), unplugged}, meter.Options{AcceptUnverified: true})
	if r, err := d.Next(); err != nil || describe(r) != good.content {
		t.Fatalf("got error %v, want the telegram before the reader's error", err)
	}
	var damaged *meter.TelegramError
	if _, err := d.Next(); !errors.As(err, &damaged) || damaged.Bytes != 50 {
		t.Errorf("got error %v, want a *TelegramError of the 50 bytes before the reader's error", err)
	}
	for range 3 {
		if _, err := d.Next(); !errors.Is(err, unplugged) {
			t.Errorf("got error %v, want %v", err, unplugged)
		}
	}
}

// TestUnverified tests that the first telegram without a checksum gives ErrUnverified. The second telegram with the same codes must give a
// verified reading, even after Reset. With AcceptUnverified, the first telegram must give an unverified reading.
func TestUnverified(t *testing.T) {
	const telegram = "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	d := meter.NewDecoder(strings.NewReader(telegram), meter.Options{})
	_, err := d.Next()
	var e *meter.TelegramError
	if !errors.As(err, &e) || !errors.Is(err, meter.ErrUnverified) || !e.Intact || e.Bytes != len(telegram) || string(e.Raw) != telegram {
		t.Errorf("first telegram: got %+v, want ErrUnverified for an intact telegram of %d bytes", err, len(telegram))
	}
	d.Reset(strings.NewReader(telegram))
	r, err := d.Next()
	if err != nil {
		t.Fatalf("second telegram: %v", err)
	}
	if r.Checked || !r.Verified || r.Bytes != len(telegram) || r.Family != "iskraemeco" || len(r.Records) != 1 {
		t.Errorf("second telegram: got checked %v, verified %v, %d bytes, family %q, %d records; want checked false, verified true, %d bytes, family iskraemeco, 1 record",
			r.Checked, r.Verified, r.Bytes, r.Family, len(r.Records), len(telegram))
	}
	d = meter.NewDecoder(strings.NewReader(telegram), meter.Options{AcceptUnverified: true})
	if r, err := d.Next(); err != nil || r.Checked || r.Verified {
		t.Errorf("first telegram with AcceptUnverified: got %+v, %v; want a reading that is not verified", r, err)
	}
}

// TestReset tests that Reset drops the incomplete telegram at the end of the first stream, and keeps the last frame counter of the meter.
func TestReset(t *testing.T) {
	f, _ := simulate.Named("kamstrup-dk")
	m := simulate.NewMeter(f, 1, time.Date(2026, 6, 1, 15, 7, 0, 0, time.UTC))
	_, b := m.Next()
	telegram := bytes.Clone(b)
	d := meter.NewDecoder(bytes.NewReader(append(bytes.Clone(telegram), telegram[:100]...)), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	if r, err := d.Next(); err != nil || r.Repeated {
		t.Fatalf("first telegram: got %v, %v; want a reading that is not repeated", r, err)
	}
	d.Reset(bytes.NewReader(telegram))
	r, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !r.Repeated || r.Offset != 0 {
		t.Errorf("got repeated %v at byte %d, want a repeated telegram at byte 0", r.Repeated, r.Offset)
	}
}
