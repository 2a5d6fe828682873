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
	textA, textB := twoTelegrams(t, "p1-se-aidon")
	hdlcA, hdlcB := twoTelegrams(t, "aidon-se")
	mbusA, mbusB := twoTelegrams(t, "kaifa-at")   // each telegram has two M-Bus frames
	mbusLong, _ := twoTelegrams(t, "sagemcom-at") // frames of more than 255 bytes, with their length modulo 256 in the header
	withChecksum := func(lines ...string) string {
		return string(p1.Append(nil, []byte(strings.Join(lines, "\r\n")+"\r\n!")))
	}
	withoutChecksum := "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	filled := withChecksum("/AUX5", "", "0-0:96.13.0("+strings.Repeat("\xFF", 1024)+")", "1-0:1.7.0(00.250*kW)")
	partlyFilled := withChecksum("/AUX5", "", "0-0:96.13.0(what\xFF\xFF)", "1-0:1.7.0(00.250*kW)")
	withSlash := withChecksum("/HLY5/D545-METER", "", "0-0:96.13.0(what? a/b!12AB)", "1-0:2.7.0(0000.001*kW)")
	// An intact M-Bus frame of a heat meter.
	heatMeter := "\x68\x03\x03\x68\x08\x05\x72\x7F\x16"
	// In a part, sent is not nil for an intact telegram.
	good := func(telegram string) part { return part{bytes: telegram, sent: new(sentTelegram)} }
	noise := func(bytes string) part { return part{bytes: bytes} }
	for _, tt := range []struct {
		name  string
		parts []part
	}{
		{"nothing", nil},
		{"p1: only noise", []part{noise("no telegram in here!1234\r\n")}},
		{"p1: line end before the telegram, as Kamstrup sends it", []part{noise("\r\n"), good(textA.bytes)}},
		{"p1: two telegrams", []part{good(textA.bytes), good(textB.bytes)}},
		{"p1: no line end between telegrams", []part{good(strings.TrimSpace(textA.bytes)), good(textB.bytes)}},
		{"p1: no line end at the end of the stream", []part{good(textA.bytes), good(strings.TrimSpace(textB.bytes))}},
		{"p1: telegram without checksum, telegram with checksum", []part{good(withoutChecksum), good(textA.bytes)}},
		{"p1: telegram that ends with its '!', then two telegrams", []part{good(strings.TrimSpace(withoutChecksum)), good(withoutChecksum), good(textA.bytes)}},
		{"p1: messages filled with FF", []part{good(filled), good(partlyFilled), good(textA.bytes)}},
		{"p1: '/' and '!' within lines", []part{good(withSlash), good(textA.bytes)}},
		{"p1: bytes FF in a telegram without end", []part{noise("/AUX5\r\n\r\n0-0:96.13.0\xFF\xFF)\r\n"), good(textA.bytes)}},
		{"p1: end of a telegram first", []part{noise(textA.bytes[20:]), good(textB.bytes)}},
		{"p1: truncated telegram first", []part{noise(textA.bytes[:30] + "\r\n"), good(textB.bytes)}},
		{"p1: truncated telegram last", []part{good(textA.bytes), noise(textB.bytes[:25])}},
		{"p1: binary noise", []part{noise("\x00\xff\x7e\r\n"), good(textA.bytes)}},
		{"p1: slash and binary noise", []part{noise("\n/\x80\r\n"), good(textA.bytes)}},
		{"hdlc: only flags", []part{noise("\x7E\x7E\x7E\x7E")}},
		{"hdlc: two telegrams", []part{good(hdlcA.bytes), good(hdlcB.bytes)}},
		{"hdlc: one flag between telegrams", []part{good(strings.TrimSuffix(hdlcA.bytes, "\x7E")), good(hdlcB.bytes)}},
		{"hdlc: three flags between telegrams", []part{good(hdlcA.bytes), noise("\x7E"), good(hdlcB.bytes)}},
		{"hdlc: noise between telegrams", []part{noise("\x00\xffabc"), good(hdlcA.bytes), noise("\x01/x\r\n"), good(hdlcB.bytes)}},
		{"hdlc: end of a telegram first", []part{noise(hdlcA.bytes[5:]), good(hdlcB.bytes)}},
		{"hdlc: frame truncated in its information", []part{noise(hdlcA.bytes[:14] + strings.Repeat("\x00", 6)), good(hdlcB.bytes)}},
		{"hdlc: frame truncated in its header", []part{noise(hdlcA.bytes[:3]), good(hdlcB.bytes)}},
		{"hdlc: wrong header checksum", []part{noise(hdlcA.bytes[:7] + "\x00" + hdlcA.bytes[8:]), good(hdlcB.bytes)}},
		{"hdlc: wrong frame checksum", []part{noise(hdlcA.bytes[:len(hdlcA.bytes)-2] + "\x00\x7E"), good(hdlcB.bytes)}},
		{"hdlc: truncated frame last", []part{good(hdlcA.bytes), noise(hdlcB.bytes[:12])}},
		{"hdlc: part of a header last", []part{good(hdlcA.bytes), noise(hdlcB.bytes[1:4])}},
		{"mbus: only start bytes", []part{noise(strings.Repeat("\x68", 8))}},
		{"mbus: two telegrams", []part{good(mbusA.bytes), good(mbusB.bytes)}},
		{"mbus: length modulo 256", []part{good(mbusLong.bytes), good(mbusA.bytes)}},
		{"mbus: truncated frame with its length modulo 256", []part{noise(mbusLong.bytes[:100]), good(mbusA.bytes)}},
		{"mbus: noise between telegrams", []part{noise("\x00\xFFh\x68h"), good(mbusA.bytes), noise("\x68\x05\x16/x\r\n"), good(mbusB.bytes)}},
		{"mbus: end of a telegram first", []part{noise(mbusA.bytes[5:]), good(mbusB.bytes)}},
		{"mbus: frame truncated in its data", []part{noise(mbusA.bytes[:14]), good(mbusB.bytes)}},
		{"mbus: frame truncated in its header", []part{noise(mbusA.bytes[:3]), good(mbusB.bytes)}},
		{"mbus: only the first frame of a telegram", []part{noise(mbusA.bytes[:mbus.Length([]byte(mbusA.bytes))]), good(mbusB.bytes)}},
		{"mbus: wrong checksum", []part{noise(mbusA.bytes[:len(mbusA.bytes)-2] + "\x00\x16"), good(mbusB.bytes)}},
		{"mbus: frame without a DLMS segment", []part{noise(heatMeter), good(mbusB.bytes)}},
		{"mbus: truncated frame last", []part{good(mbusA.bytes), noise(mbusB.bytes[:12])}},
	} {
		stream, want := "", []int64{}
		for _, p := range tt.parts {
			if p.sent != nil {
				want = append(want, int64(len(stream)))
			}
			stream += p.bytes
		}
		for reading, r := range map[string]io.Reader{
			"in one piece": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"EOF with the last bytes": iotest.DataErrReader(strings.NewReader(stream)),
		} {
			got := []int64{}
			for _, o := range readings(outcomes(t, r)) {
				got = append(got, o.Offset)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: offsets of telegrams, -want +got:\n%s", tt.name, reading, diff)
			}
		}
	}
}
