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
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDamaged tests that each kind of damage gives one error with its place, its bytes and its reason, and the good telegram behind it is
// found. errors.Is tells the kinds apart.
func TestDamaged(t *testing.T) {
	text, next := twoTelegrams(t, "p1-se-aidon")
	frame, _ := twoTelegrams(t, "aidon-se")
	mbusFrame, _ := twoTelegrams(t, "kaifa-at")
	framed := func(segmented bool, info string) string {
		return string(hdlc.Append(nil, hdlc.Frame{
			Destination: []byte{0x41}, Source: []byte{8, 0x83}, Control: 0x13, Segmented: segmented, Info: []byte(info),
		}))
	}
	for _, tt := range []struct {
		name, in string
		protocol meter.Protocol
		want     string
		is       error // that errors.Is must find; nil for an error without one
	}{
		{"value changed", strings.Replace(text.wire, "(0", "(1", 1), meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"byte lost", text.wire[:100] + text.wire[101:], meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"cut", text.wire[:100] + "\r\n", meter.P1, "p1: no '!' at the end", meter.ErrTruncated},
		{"checksum cut", text.wire[:len(text.wire)-4] + "\r\n", meter.P1, "p1: checksum: want ", meter.ErrChecksum},
		{"too long", "/ABC5\r\n" + strings.Repeat("1-0:1.8.0(00000001.000*kWh)\r\n", 400)[:p1.MaxLength-9] + "\r\n", meter.P1, "p1: no end after 8192 bytes", meter.ErrTruncated},
		{"value changed in a frame", frame.wire[:40] + "\x55" + frame.wire[41:], meter.HDLC, "hdlc: frame checksum: want ", meter.ErrChecksum},
		{"header changed", frame.wire[:6] + "\x55" + frame.wire[7:], meter.HDLC, "hdlc: header checksum: want ", meter.ErrChecksum},
		{"end flag changed", frame.wire[:len(frame.wire)-1] + "\x55", meter.HDLC, "hdlc: no flag where ", nil},
		{"value changed in an M-Bus frame", mbusFrame.wire[:40] + "\x55" + mbusFrame.wire[41:], meter.MBus, "mbus: checksum: want ", meter.ErrChecksum},
		{"no LLC", framed(false, "\x0F\x40\x00\x00\x00\x00\x01\x00"), meter.HDLC, "a part of a message whose beginning is missing", meter.ErrIncomplete},
		{"another APDU", framed(false, dlms.LLC+"\xDB\x08"), meter.HDLC, "dlms: byte ", meter.ErrTruncated},
		{"list too short", framed(false, dlms.LLC+"\x0F\x40\x00\x00\x00\x00\x01\x01"), meter.HDLC, "dlms: byte 8: the data ends too early", meter.ErrTruncated},
	} {
		const noise = "\x00\x01\r\n"
		d := meter.NewDecoder(strings.NewReader(noise+tt.in+next.wire), meter.Options{AcceptUnverified: true})
		_, err := d.Next()
		var damaged *meter.TelegramError
		if !errors.As(err, &damaged) {
			t.Errorf("%s: got error %v, want a *TelegramError", tt.name, err)
			continue
		}
		if damaged.Protocol != tt.protocol || damaged.Offset != int64(len(noise)) || damaged.Bytes != len(damaged.Raw) {
			t.Errorf("%s: got %s at byte %d, %d bytes of %d; want %s at %d",
				tt.name, damaged.Protocol, damaged.Offset, damaged.Bytes, len(damaged.Raw), tt.protocol, len(noise))
		}
		if !strings.HasPrefix(tt.in, string(damaged.Raw)) || len(damaged.Raw) == 0 {
			t.Errorf("%s: Raw is %q", tt.name, damaged.Raw)
		}
		if !strings.HasPrefix(err.Error(), tt.want) || !strings.HasPrefix(damaged.Err.Error(), tt.want) || !errors.Is(err, damaged.Err) {
			t.Errorf("%s: got %q, want %q", tt.name, err, tt.want)
		}
		for _, kind := range []error{meter.ErrChecksum, meter.ErrTruncated, meter.ErrIncomplete, meter.ErrEncrypted, meter.ErrUnverified} {
			if got := errors.Is(err, kind); got != errors.Is(tt.is, kind) {
				t.Errorf("%s: errors.Is of %q is %v", tt.name, kind, got)
			}
		}
		r, err := d.Next()
		if err != nil {
			t.Errorf("%s: the telegram behind it: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(next.text, describe(r)); diff != "" || r.Offset != int64(len(noise+tt.in)) {
			t.Errorf("%s: the telegram behind it is at byte %d, -want +got:\n%s", tt.name, r.Offset, diff)
		}
		if _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v at the end, want EOF", tt.name, err)
		}
	}
}

// TestDamagedWithinDamaged tests that the bytes of a damaged telegram are searched again. A second damaged telegram among them is reported if
// it certainly was a telegram, and is not reported if it only looks like one.
func TestDamagedWithinDamaged(t *testing.T) {
	frame, next := twoTelegrams(t, "aidon-se")
	wrong := []byte(frame.wire)
	wrong[300] ^= 1
	looks := []byte(frame.wire)
	copy(looks[200:], "~\xA7\xFF\x41\x08\x83\x13\x00\x00 1/ABC\xFF")
	for _, tt := range []struct {
		name, in string
		want     []int64
	}{
		{"cut, then another damaged", frame.wire[:100] + string(wrong), []int64{0, 100}},
		{"cut thrice", frame.wire[:100] + frame.wire[:100] + frame.wire[:100], []int64{0, 100, 200}},
		{"looks like a header and an identification inside", string(looks), []int64{0}},
		{"cut P1 telegrams", "/ABC5\r\n1-0:\r\n/ABC5\r\n1-0:\r\n", []int64{0, 13}},
	} {
		got := []int64{}
		all := outcomes(t, strings.NewReader(tt.in+next.wire))
		for _, o := range all[:len(all)-1] {
			got = append(got, o.Offset)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || all[len(all)-1].Text != next.text {
			t.Errorf("%s: places of errors, -want +got:\n%s", tt.name, diff)
		}
	}
}

// A failingReader returns some bytes, and then the same error at each call.
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

// TestReaderError tests that bytes that came before an error of the reader are still decoded. Then Next returns that error, at each call.
func TestReaderError(t *testing.T) {
	good, _ := twoTelegrams(t, "p1-se-aidon")
	unplugged := errors.New("unplugged")
	d := meter.NewDecoder(failingReader{strings.NewReader(good.wire + good.wire[:50]), unplugged}, meter.Options{AcceptUnverified: true})
	if r, err := d.Next(); err != nil || describe(r) != good.text {
		t.Fatalf("got %v, want the telegram before the fault", err)
	}
	var damaged *meter.TelegramError
	if _, err := d.Next(); !errors.As(err, &damaged) || damaged.Bytes != 50 {
		t.Errorf("got %v, want a *TelegramError of the 50 bytes before the fault", err)
	}
	for range 3 {
		if _, err := d.Next(); !errors.Is(err, unplugged) {
			t.Errorf("got %v, want the reader's own error", err)
		}
	}
}

// TestUnverified tests that a telegram without a checksum is an intact *TelegramError of ErrUnverified until another one has the same codes,
// also behind Reset. With AcceptUnverified it is a Reading that says so.
func TestUnverified(t *testing.T) {
	const telegram = "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	d := meter.NewDecoder(strings.NewReader(telegram), meter.Options{})
	_, err := d.Next()
	var bad *meter.TelegramError
	if !errors.As(err, &bad) || !errors.Is(err, meter.ErrUnverified) || !bad.Intact || bad.Bytes != len(telegram) || string(bad.Raw) != telegram {
		t.Errorf("the first: got %+v", err)
	}
	d.Reset(strings.NewReader(telegram))
	r, err := d.Next()
	if err != nil {
		t.Fatalf("the second: %v", err)
	}
	if r.Checked || !r.Verified || r.Bytes != len(telegram) || r.Family != "iskraemeco" || len(r.Records) != 1 {
		t.Errorf("the second: got checked %v, verified %v, %d bytes, family %q, %d records", r.Checked, r.Verified, r.Bytes, r.Family, len(r.Records))
	}
	d = meter.NewDecoder(strings.NewReader(telegram), meter.Options{AcceptUnverified: true})
	if r, err := d.Next(); err != nil || r.Checked || r.Verified {
		t.Errorf("accepted: got %+v, %v", r, err)
	}
}

// TestReset tests that Reset drops the half telegram at the end of the first stream, and keeps the last frame counter of the meter.
func TestReset(t *testing.T) {
	f, _ := simulate.Named("kamstrup-dk")
	m := simulate.NewMeter(f, 1, time.Date(2026, 6, 1, 15, 7, 0, 0, time.UTC))
	_, b := m.Next()
	telegram := bytes.Clone(b)
	d := meter.NewDecoder(bytes.NewReader(append(bytes.Clone(telegram), telegram[:100]...)), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	if r, err := d.Next(); err != nil || r.Repeated {
		t.Fatalf("first: got %v, %v", r, err)
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
