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
	good := func(wire string) part { return part{wire: wire, sent: &a} }
	noise := func(wire string) part { return part{wire: wire} }
	for _, tt := range []struct {
		name  string
		parts []part
	}{
		{"nothing", nil},
		{"p1: only noise", []part{noise("no telegram in here!1234\r\n")}},
		{"p1: line end before the telegram, as Kamstrup sends it", []part{noise("\r\n"), good(a.wire)}},
		{"p1: two telegrams", []part{good(a.wire), good(b.wire)}},
		{"p1: no line end between telegrams", []part{good(strings.TrimSpace(a.wire)), good(b.wire)}},
		{"p1: no line end at the end of the stream", []part{good(a.wire), good(strings.TrimSpace(b.wire))}},
		{"p1: telegram without checksum, telegram with checksum", []part{good(plain), good(a.wire)}},
		{"p1: telegram that ends at its '!', then others", []part{good(strings.TrimSpace(plain)), good(plain), good(a.wire)}},
		{"p1: messages filled with FF", []part{good(filled), good(partlyFilled), good(a.wire)}},
		{"p1: '/' and '!' within lines", []part{good(withSlash), good(a.wire)}},
		{"p1: bytes FF in a telegram without end", []part{noise("/AUX5\r\n\r\n0-0:96.13.0\xFF\xFF)\r\n"), good(a.wire)}},
		{"p1: end of a telegram first", []part{noise(a.wire[20:]), good(b.wire)}},
		{"p1: truncated telegram first", []part{noise(a.wire[:30] + "\r\n"), good(b.wire)}},
		{"p1: truncated telegram last", []part{good(a.wire), noise(b.wire[:25])}},
		{"p1: binary noise", []part{noise("\x00\xff\x7e\r\n"), good(a.wire)}},
		{"p1: slash and binary noise", []part{noise("\n/\x80\r\n"), good(a.wire)}},
		{"hdlc: only flags", []part{noise("\x7E\x7E\x7E\x7E")}},
		{"hdlc: two telegrams", []part{good(h.wire), good(i.wire)}},
		{"hdlc: one flag between telegrams", []part{good(strings.TrimSuffix(h.wire, "\x7E")), good(i.wire)}},
		{"hdlc: three flags between telegrams", []part{good(h.wire), noise("\x7E"), good(i.wire)}},
		{"hdlc: noise between telegrams", []part{noise("\x00\xffabc"), good(h.wire), noise("\x01/x\r\n"), good(i.wire)}},
		{"hdlc: end of a telegram first", []part{noise(h.wire[5:]), good(i.wire)}},
		{"hdlc: frame truncated in its information", []part{noise(h.wire[:14] + strings.Repeat("\x00", 6)), good(i.wire)}},
		{"hdlc: frame truncated in its header", []part{noise(h.wire[:3]), good(i.wire)}},
		{"hdlc: wrong header checksum", []part{noise(h.wire[:7] + "\x00" + h.wire[8:]), good(i.wire)}},
		{"hdlc: wrong frame checksum", []part{noise(h.wire[:len(h.wire)-2] + "\x00\x7E"), good(i.wire)}},
		{"hdlc: truncated frame last", []part{good(h.wire), noise(i.wire[:12])}},
		{"hdlc: part of a header last", []part{good(h.wire), noise(i.wire[1:4])}},
		{"mbus: only start bytes", []part{noise(strings.Repeat("\x68", 8))}},
		{"mbus: two telegrams", []part{good(m.wire), good(n.wire)}},
		{"mbus: length modulo 256", []part{good(l.wire), good(m.wire)}},
		{"mbus: truncated frame with its length modulo 256", []part{noise(l.wire[:100]), good(m.wire)}},
		{"mbus: noise between telegrams", []part{noise("\x00\xFFh\x68h"), good(m.wire), noise("\x68\x05\x16/x\r\n"), good(n.wire)}},
		{"mbus: end of a telegram first", []part{noise(m.wire[5:]), good(n.wire)}},
		{"mbus: frame truncated in its data", []part{noise(m.wire[:14]), good(n.wire)}},
		{"mbus: frame truncated in its header", []part{noise(m.wire[:3]), good(n.wire)}},
		{"mbus: only the first frame of a telegram", []part{noise(m.wire[:mbus.Length([]byte(m.wire))]), good(n.wire)}},
		{"mbus: wrong checksum", []part{noise(m.wire[:len(m.wire)-2] + "\x00\x16"), good(n.wire)}},
		{"mbus: frame without a DLMS segment", []part{noise(heatMeter), good(n.wire)}},
		{"mbus: truncated frame last", []part{good(m.wire), noise(n.wire[:12])}},
	} {
		stream, want := "", []int64{}
		for _, p := range tt.parts {
			if p.sent != nil {
				want = append(want, int64(len(stream)))
			}
			stream += p.wire
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
