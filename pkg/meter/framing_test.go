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

// TestTelegramsInNoise tests that the good telegrams of a stream are found at their offsets, whatever stands around them and in whatever chunks
// the bytes arrive. TestStream does the same with random streams.
func TestTelegramsInNoise(t *testing.T) {
	a, b := twoTelegrams(t, "p1-se-aidon")
	h, i := twoTelegrams(t, "aidon-se")
	m, n := twoTelegrams(t, "kaifa-at")    // of two frames
	l, _ := twoTelegrams(t, "sagemcom-at") // of frames whose length wraps
	line := func(lines ...string) string {
		return string(p1.Append(nil, []byte(strings.Join(lines, "\r\n")+"\r\n!")))
	}
	plain := "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	filled := line("/AUX5", "", "0-0:96.13.0("+strings.Repeat("\xFF", 1024)+")", "1-0:1.7.0(00.250*kW)")
	partly := line("/AUX5", "", "0-0:96.13.0(what\xFF\xFF)", "1-0:1.7.0(00.250*kW)")
	slashed := line("/HLY5/D545-METER", "", "0-0:96.13.0(what? a/b!12AB)", "1-0:2.7.0(0000.001*kW)")
	other := "\x68\x03\x03\x68\x08\x05\x72\x7F\x16" // an intact frame of a heat meter
	good := func(wire string) part { return part{wire: wire, good: &a} }
	noise := func(wire string) part { return part{wire: wire} }
	for _, tt := range []struct {
		name  string
		parts []part
	}{
		{"nothing", nil},
		{"p1: noise alone", []part{noise("no telegram in here!1234\r\n")}},
		{"p1: line end before, as Kamstrup sends it", []part{noise("\r\n"), good(a.wire)}},
		{"p1: two", []part{good(a.wire), good(b.wire)}},
		{"p1: no line end between", []part{good(strings.TrimSpace(a.wire)), good(b.wire)}},
		{"p1: no line end at the end", []part{good(a.wire), good(strings.TrimSpace(b.wire))}},
		{"p1: no checksum, then one", []part{good(plain), good(a.wire)}},
		{"p1: files that end at their marks, put together", []part{good(strings.TrimSpace(plain)), good(plain), good(a.wire)}},
		{"p1: filling", []part{good(filled), good(partly), good(a.wire)}},
		{"p1: a '/' in the name", []part{good(slashed), good(a.wire)}},
		{"p1: high bytes, no end", []part{noise("/AUX5\r\n\r\n0-0:96.13.0\xFF\xFF)\r\n"), good(a.wire)}},
		{"p1: tail of one first", []part{noise(a.wire[20:]), good(b.wire)}},
		{"p1: cut, then one", []part{noise(a.wire[:30] + "\r\n"), good(b.wire)}},
		{"p1: cut at the end", []part{good(a.wire), noise(b.wire[:25])}},
		{"p1: binary noise", []part{noise("\x00\xff\x7e\r\n"), good(a.wire)}},
		{"p1: binary behind a slash", []part{noise("\n/\x80\r\n"), good(a.wire)}},
		{"hdlc: flags alone", []part{noise("\x7E\x7E\x7E\x7E")}},
		{"hdlc: two", []part{good(h.wire), good(i.wire)}},
		{"hdlc: one flag between", []part{good(strings.TrimSuffix(h.wire, "\x7E")), good(i.wire)}},
		{"hdlc: three flags between", []part{good(h.wire), noise("\x7E"), good(i.wire)}},
		{"hdlc: noise between", []part{noise("\x00\xffabc"), good(h.wire), noise("\x01/x\r\n"), good(i.wire)}},
		{"hdlc: tail of one first", []part{noise(h.wire[5:]), good(i.wire)}},
		{"hdlc: cut within the information", []part{noise(h.wire[:14] + strings.Repeat("\x00", 6)), good(i.wire)}},
		{"hdlc: cut within the header", []part{noise(h.wire[:3]), good(i.wire)}},
		{"hdlc: wrong header checksum", []part{noise(h.wire[:7] + "\x00" + h.wire[8:]), good(i.wire)}},
		{"hdlc: wrong frame checksum", []part{noise(h.wire[:len(h.wire)-2] + "\x00\x7E"), good(i.wire)}},
		{"hdlc: cut at the end", []part{good(h.wire), noise(i.wire[:12])}},
		{"hdlc: cut within the header at the end", []part{good(h.wire), noise(i.wire[1:4])}},
		{"mbus: starts alone", []part{noise(strings.Repeat("\x68", 8))}},
		{"mbus: two", []part{good(m.wire), good(n.wire)}},
		{"mbus: a length that wraps", []part{good(l.wire), good(m.wire)}},
		{"mbus: a long one cut", []part{noise(l.wire[:100]), good(m.wire)}},
		{"mbus: noise between", []part{noise("\x00\xFFh\x68h"), good(m.wire), noise("\x68\x05\x16/x\r\n"), good(n.wire)}},
		{"mbus: tail of one first", []part{noise(m.wire[5:]), good(n.wire)}},
		{"mbus: cut within the data", []part{noise(m.wire[:14]), good(n.wire)}},
		{"mbus: cut within the head", []part{noise(m.wire[:3]), good(n.wire)}},
		{"mbus: first frame alone", []part{noise(m.wire[:mbus.Length([]byte(m.wire))]), good(n.wire)}},
		{"mbus: wrong checksum", []part{noise(m.wire[:len(m.wire)-2] + "\x00\x16"), good(n.wire)}},
		{"mbus: no segment", []part{noise(other), good(n.wire)}},
		{"mbus: cut at the end", []part{good(m.wire), noise(n.wire[:12])}},
	} {
		stream, want := "", []int64{}
		for _, x := range tt.parts {
			if x.good != nil {
				want = append(want, int64(len(stream)))
			}
			stream += x.wire
		}
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"end with data": iotest.DataErrReader(strings.NewReader(stream)),
		} {
			got := []int64{}
			for _, o := range readings(outcomes(t, r)) {
				got = append(got, o.Offset)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: places of telegrams, -want +got:\n%s", tt.name, how, diff)
			}
		}
	}
}
