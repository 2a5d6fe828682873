package meter_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestTelegramsInNoise tests that the intact telegrams of a stream are found at their offsets, for many kinds of noise between them and for
// different chunks. TestStream does the same with random streams.
func TestTelegramsInNoise(t *testing.T) {
	a, b := twoTelegrams(t, "p1-se-aidon")
	h, i := twoTelegrams(t, "aidon-se")
	m, n := twoTelegrams(t, "kaifa-at")    // two M-Bus frames each
	l, _ := twoTelegrams(t, "sagemcom-at") // M-Bus frames of more than 255 bytes, with their length modulo 256
	line := func(lines ...string) string {
		return string(p1.Append(nil, []byte(strings.Join(lines, "\r\n")+"\r\n!")))
	}
	plain := "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	filled := line("/AUX5", "", "0-0:96.13.0("+strings.Repeat("\xFF", 1024)+")", "1-0:1.7.0(00.250*kW)")
	partlyFilled := line("/AUX5", "", "0-0:96.13.0(what\xFF\xFF)", "1-0:1.7.0(00.250*kW)")
	withSlash := line("/HLY5/D545-METER", "", "0-0:96.13.0(what? a/b!12AB)", "1-0:2.7.0(0000.001*kW)")
	heatMeter := "\x68\x03\x03\x68\x08\x05\x72\x7F\x16" // an intact M-Bus frame of a heat meter
	good := func(wire string) part { return part{bytes: wire, sent: &a} }
	noise := func(wire string) part { return part{bytes: wire} }
	for _, tt := range []struct {
		name  string
		parts []part
	}{
		{"nothing", nil},
		{"p1: only noise", []part{noise("no telegram in here!1234\r\n")}},
		{"p1: line end before the telegram, as Kamstrup sends it", []part{noise("\r\n"), good(a.bytes)}},
		{"p1: two telegrams", []part{good(a.bytes), good(b.bytes)}},
		{"p1: no line end between telegrams", []part{good(strings.TrimSpace(a.bytes)), good(b.bytes)}},
		{"p1: no line end at the end of the stream", []part{good(a.bytes), good(strings.TrimSpace(b.bytes))}},
		{"p1: telegram without checksum, telegram with checksum", []part{good(plain), good(a.bytes)}},
		{"p1: telegram that ends at its '!', then others", []part{good(strings.TrimSpace(plain)), good(plain), good(a.bytes)}},
		{"p1: messages filled with FF", []part{good(filled), good(partlyFilled), good(a.bytes)}},
		{"p1: '/' and '!' within lines", []part{good(withSlash), good(a.bytes)}},
		{"p1: bytes FF in a telegram without end", []part{noise("/AUX5\r\n\r\n0-0:96.13.0\xFF\xFF)\r\n"), good(a.bytes)}},
		{"p1: end of a telegram first", []part{noise(a.bytes[20:]), good(b.bytes)}},
		{"p1: truncated telegram first", []part{noise(a.bytes[:30] + "\r\n"), good(b.bytes)}},
		{"p1: truncated telegram last", []part{good(a.bytes), noise(b.bytes[:25])}},
		{"p1: binary noise", []part{noise("\x00\xff\x7e\r\n"), good(a.bytes)}},
		{"p1: slash and binary noise", []part{noise("\n/\x80\r\n"), good(a.bytes)}},
		{"hdlc: only flags", []part{noise("\x7E\x7E\x7E\x7E")}},
		{"hdlc: two telegrams", []part{good(h.bytes), good(i.bytes)}},
		{"hdlc: one flag between telegrams", []part{good(strings.TrimSuffix(h.bytes, "\x7E")), good(i.bytes)}},
		{"hdlc: three flags between telegrams", []part{good(h.bytes), noise("\x7E"), good(i.bytes)}},
		{"hdlc: noise between telegrams", []part{noise("\x00\xffabc"), good(h.bytes), noise("\x01/x\r\n"), good(i.bytes)}},
		{"hdlc: end of a telegram first", []part{noise(h.bytes[5:]), good(i.bytes)}},
		{"hdlc: frame truncated in its information", []part{noise(h.bytes[:14] + strings.Repeat("\x00", 6)), good(i.bytes)}},
		{"hdlc: frame truncated in its header", []part{noise(h.bytes[:3]), good(i.bytes)}},
		{"hdlc: wrong header checksum", []part{noise(h.bytes[:7] + "\x00" + h.bytes[8:]), good(i.bytes)}},
		{"hdlc: wrong frame checksum", []part{noise(h.bytes[:len(h.bytes)-2] + "\x00\x7E"), good(i.bytes)}},
		{"hdlc: truncated frame last", []part{good(h.bytes), noise(i.bytes[:12])}},
		{"hdlc: part of a header last", []part{good(h.bytes), noise(i.bytes[1:4])}},
		{"mbus: only start bytes", []part{noise(strings.Repeat("\x68", 8))}},
		{"mbus: two telegrams", []part{good(m.bytes), good(n.bytes)}},
		{"mbus: length modulo 256", []part{good(l.bytes), good(m.bytes)}},
		{"mbus: truncated frame with its length modulo 256", []part{noise(l.bytes[:100]), good(m.bytes)}},
		{"mbus: noise between telegrams", []part{noise("\x00\xFFh\x68h"), good(m.bytes), noise("\x68\x05\x16/x\r\n"), good(n.bytes)}},
		{"mbus: end of a telegram first", []part{noise(m.bytes[5:]), good(n.bytes)}},
		{"mbus: frame truncated in its data", []part{noise(m.bytes[:14]), good(n.bytes)}},
		{"mbus: frame truncated in its header", []part{noise(m.bytes[:3]), good(n.bytes)}},
		{"mbus: only the first frame of a telegram", []part{noise(m.bytes[:mbus.Length([]byte(m.bytes))]), good(n.bytes)}},
		{"mbus: wrong checksum", []part{noise(m.bytes[:len(m.bytes)-2] + "\x00\x16"), good(n.bytes)}},
		{"mbus: frame without a DLMS segment", []part{noise(heatMeter), good(n.bytes)}},
		{"mbus: truncated frame last", []part{good(m.bytes), noise(n.bytes[:12])}},
	} {
		stream, want := "", []int64{}
		for _, p := range tt.parts {
			if p.sent != nil {
				want = append(want, int64(len(stream)))
			}
			stream += p.bytes
		}
		for reading, r := range map[string]io.Reader{
			"whole": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"EOF with the last bytes": iotest.DataErrReader(strings.NewReader(stream)),
		} {
			got := []int64{}
			for _, o := range readings(outcomes(t, r)) {
				got = append(got, o.Offset)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, read %s: offsets of telegrams, -want +got:\n%s", tt.name, reading, diff)
			}
		}
	}
}
