package meter_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A message is a DLMS message without frames. content is what describe returns for its reading.
type message struct {
	apdu    []byte
	content string
}

// messages returns three messages of one meter. They have the same length. The Decoder knows the make from the name of the list, so the tests
// can send the messages in frames of any make.
func messages(t *testing.T) (a, b, c message) {
	t.Helper()
	var all []message
	for _, sent := range sentTelegrams() {
		if sent.family != "aidon-no2" {
			continue
		}
		f, err := hdlc.Parse([]byte(sent.bytes))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, message{bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), sent.content})
	}
	return all[0], all[1], all[2]
}

// chunksOf returns b in n parts.
func chunksOf(b []byte, n int) [][]byte { return slices.Collect(slices.Chunk(b, (len(b)+n-1)/n)) }

// hdlcSegments returns a message in n HDLC segments.
func hdlcSegments(apdu []byte, n int) (parts []string) {
	chunks := chunksOf(append([]byte(dlms.LLC), apdu...), n)
	for i, info := range chunks {
		parts = append(parts, aidonFrame(string(info), i < len(chunks)-1))
	}
	return parts
}

// aidonFrame returns an HDLC frame with the addresses of Aidon. segmented is its segmentation bit.
func aidonFrame(info string, segmented bool) string {
	return string(hdlc.Append(nil, hdlc.Frame{
		Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Segmented: segmented, Info: []byte(info),
	}))
}

// mbusSegments returns a message in n M-Bus segments.
func mbusSegments(apdu []byte, n int) (parts []string) {
	chunks := chunksOf(apdu, n)
	for i, data := range chunks {
		parts = append(parts, string(mbus.Append(nil, mbus.Frame{
			Control: mbus.Push, Address: mbus.Broadcast, Segment: byte(i % 16), Final: i == len(chunks)-1,
			Source: 0x01, Destination: 0x67, Data: data,
		})))
	}
	return parts
}

// hdlcBlocks returns a message in n blocks of a general-block-transfer, each in an HDLC frame.
func hdlcBlocks(apdu []byte, n int) (parts []string) {
	for i, b := range transferBlocks(apdu, n) {
		if i == 0 {
			b = dlms.LLC + b
		}
		parts = append(parts, aidonFrame(b, false))
	}
	return parts
}

// mbusBlocks returns a message in n blocks of a general-block-transfer, each in an M-Bus frame.
func mbusBlocks(apdu []byte, n int) (parts []string) {
	for _, b := range transferBlocks(apdu, n) {
		parts = append(parts, mbusSegments([]byte(b), 1)...)
	}
	return parts
}

// transferBlocks returns a message in n blocks of a general-block-transfer.
func transferBlocks(apdu []byte, n int) (blocks []string) {
	chunks := chunksOf(apdu, n)
	for i, data := range chunks {
		blocks = append(blocks, string(dlms.AppendBlock(nil, dlms.Block{Last: i == len(chunks)-1, Number: uint16(i + 1), Data: data})))
	}
	return blocks
}

// encryptFirst returns a splitFunc that encrypts a message, and splits the encrypted message with split.
func encryptFirst(split splitFunc) splitFunc {
	counter := uint32(0)
	return func(apdu []byte, n int) []string {
		counter++
		return split(dlms.AppendCiphered(nil, simulate.Key(), []byte("ADN\x00\x00\x00\x00\x01"), 0x30, counter, apdu), n)
	}
}

// A splitFunc splits a message into n parts. Each part is in a frame.
type splitFunc func(apdu []byte, n int) []string

// transports are the ways in which meters send messages in parts.
var transports = []struct {
	name  string
	split splitFunc
}{
	{"HDLC", hdlcSegments},
	{"M-Bus", mbusSegments},
	{"blocks", hdlcBlocks},
	{"blocks in M-Bus", mbusBlocks},
	{"encrypted, HDLC", encryptFirst(hdlcSegments)},
	{"encrypted, M-Bus", encryptFirst(mbusSegments)},
	{"encrypted, blocks", encryptFirst(hdlcBlocks)},
}

// TestReassembly tests that a message gives one error if a part is missing, damaged or repeated. Complete messages must be read. Each input is
// message a in four parts, changed as the name says, and then message b. want has a letter for each reading and "!" for each error (see letters).
func TestReassembly(t *testing.T) {
	messageA, messageB, messageC := messages(t)
	ascii, _ := twoTelegrams(t, "p1-se-aidon")
	damaged := func(part string) string { return part[:len(part)/2] + "\x55\x55" + part[len(part)/2+2:] }
	for _, transport := range transports {
		a, b, c := transport.split(messageA.apdu, 4), transport.split(messageB.apdu, 4), transport.split(messageC.apdu, 4)
		if len(a) != 4 {
			t.Fatalf("%s: got %d parts, want 4", transport.name, len(a))
		}
		intactB := strings.Join(b, "")
		for _, tt := range []struct{ name, in, want string }{
			{"nothing changed", strings.Join(a, ""), "a b"},
			{"first part missing", a[1] + a[2] + a[3], "! b"},
			{"first two parts missing", a[2] + a[3], "! b"},
			{"all parts but the last missing", a[3], "! b"},
			{"second part missing", a[0] + a[2] + a[3], "! b"},
			{"third part missing", a[0] + a[1] + a[3], "! b"},
			{"last part missing", a[0] + a[1] + a[2], "! b"},
			{"all parts but the first missing", a[0], "! b"},
			{"first part sent twice", a[0] + strings.Join(a, ""), "! a b"},
			{"second part sent twice", a[0] + a[1] + a[1] + a[2] + a[3], "! b"},
			{"last part sent twice", strings.Join(a, "") + a[3], "a ! b"},
			{"second and third part exchanged", a[0] + a[2] + a[1] + a[3], "! b"},
			{"first part damaged", damaged(a[0]) + a[1] + a[2] + a[3], "! b"},
			{"second part damaged", a[0] + damaged(a[1]) + a[2] + a[3], "! b"},
			{"last part damaged", a[0] + a[1] + a[2] + damaged(a[3]), "! b"},
			{"first part truncated", a[0][:50] + a[1] + a[2] + a[3], "! b"},
			{"second part truncated", a[0] + a[1][:50] + a[2] + a[3], "! b"},
			{"messages a and c, both without their last part", a[0] + a[1] + a[2] + c[0] + c[1] + c[2], "! ! b"},
			{"message a, then message c without its first part", strings.Join(a, "") + c[1] + c[2] + c[3], "a ! b"},
			{"1, 2 and 8 bytes of noise between parts", a[0] + "\x00\x01" + a[1] + "\xFF" + a[2] + "12345678" + a[3], "a b"},
			{"9 bytes of noise between parts", a[0] + a[1] + "123456789" + a[2] + a[3], "! b"},
			{"an ASCII telegram between parts", a[0] + a[1] + ascii.bytes + a[2] + a[3], "! p b"},
			{"an ASCII telegram in place of the last part", a[0] + a[1] + a[2] + ascii.bytes, "! p b"},
			{"5000 bytes of noise in place of the last part", a[0] + a[1] + a[2] + strings.Repeat("\x01", 5000), "! b"},
		} {
			if got := letters(t, tt.in+intactB); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", transport.name, tt.name, got, tt.want)
			}
			wantAfterB := "b " + strings.TrimSuffix(tt.want, " b")
			if got := letters(t, intactB+tt.in); got != wantAfterB {
				t.Errorf("%s: %s, after message b: got %q, want %q", transport.name, tt.name, got, wantAfterB)
			}
		}
	}
}

// letters decodes a stream. It returns a letter for each outcome: "a", "b" or "c" for a reading of one of the three messages, "p" for a reading of
// the ASCII telegram, "!" for an error, and "?" for any other reading.
func letters(t *testing.T, stream string) string {
	t.Helper()
	return lettersOfDecoder(t, newDecoder(strings.NewReader(stream)))
}

// lettersOfDecoder decodes the stream of d, and returns the same letters as letters.
func lettersOfDecoder(t *testing.T, d *meter.Decoder) string {
	t.Helper()
	a, b, c := messages(t)
	ascii, _ := twoTelegrams(t, "p1-se-aidon")
	names := map[string]string{withoutFraming(a.content): "a", withoutFraming(b.content): "b", withoutFraming(c.content): "c", withoutFraming(ascii.content): "p"}
	got := []string{}
	for _, o := range outcomesOfDecoder(t, d) {
		name := "!"
		if o.Good {
			if name = names[withoutFraming(o.Text)]; name == "" {
				name = "?"
			}
		}
		got = append(got, name)
	}
	return strings.Join(got, " ")
}

// TestReassemblySilence tests that parts before and after a silence are not joined to a message. If the silence is within a part or between
// messages, all messages must be read.
func TestReassemblySilence(t *testing.T) {
	messageA, messageB, messageC := messages(t)
	for _, transport := range transports {
		a, b, c := transport.split(messageA.apdu, 4), transport.split(messageB.apdu, 4), transport.split(messageC.apdu, 4)
		half := len(a[1]) / 2
		for _, tt := range []struct {
			name   string
			pieces []string // a silence is between the pieces
			want   string   // see letters
		}{
			{"first two parts, silence, last two parts of another message", []string{a[0] + a[1], c[2] + c[3], strings.Join(b, "")}, "! b"},
			{"first three parts, silence, last part of another message", []string{a[0] + a[1] + a[2], c[3], strings.Join(b, "")}, "! b"},
			{"silence between messages", []string{strings.Join(a, ""), strings.Join(b, "")}, "a b"},
			{"silence within a part", []string{a[0] + a[1][:half], a[1][half:] + a[2] + a[3], strings.Join(b, "")}, "a b"},
		} {
			r := &timedReader{}
			for _, piece := range tt.pieces {
				r.pieces = append(r.pieces, timedPiece{piece, meter.Arrival{Waited: 500 * time.Millisecond}})
			}
			if got := lettersOfDecoder(t, newDecoder(r)); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", transport.name, tt.name, got, tt.want)
			}
		}
	}
}

// TestReassemblyInterleaved tests that two messages whose parts alternate give only errors, and that the message after them is read.
func TestReassemblyInterleaved(t *testing.T) {
	messageA, messageB, messageC := messages(t)
	for _, transport := range transports {
		a, b := transport.split(messageA.apdu, 4), transport.split(messageB.apdu, 4)
		alternating := ""
		for i := range a {
			alternating += a[i] + b[i]
		}
		got := letters(t, alternating+strings.Join(transport.split(messageC.apdu, 4), ""))
		if strings.ContainsAny(got, "ab?") || !strings.HasSuffix(got, "! c") || len(got) > len("! ! ! c") {
			t.Errorf("%s: got %q, want one to three errors, then c", transport.name, got)
		}
	}
}

// TestReassemblyChunks tests that the outcomes do not depend on the size of the chunks in which the bytes arrive.
func TestReassemblyChunks(t *testing.T) {
	a, b, _ := messages(t)
	for _, transport := range transports {
		parts := transport.split(a.apdu, 4)
		messageWithNoise, incomplete := strings.Join(parts, "\x00"), parts[0]+parts[2]
		stream := messageWithNoise + incomplete + strings.Join(transport.split(b.apdu, 4), "")
		want := outcomes(t, strings.NewReader(stream))
		for size := 1; size < 40; size++ {
			got := outcomes(t, &chunked{r: bytes.NewReader([]byte(stream)), sizes: []int{size}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, in chunks of %d, -in one piece +in chunks:\n%s", transport.name, size, diff)
			}
		}
	}
}

// TestReassemblyOffset tests that Offset and Bytes of a message in parts cover all parts.
func TestReassemblyOffset(t *testing.T) {
	a, _, _ := messages(t)
	for _, transport := range transports {
		in := strings.Join(transport.split(a.apdu, 4), "")
		for _, o := range outcomes(t, strings.NewReader("\x00\x01\x02"+in)) {
			if !o.Good || o.Offset != 3 || o.Bytes != len(in) {
				t.Errorf("%s: got reading %v, %d bytes at byte %d; want a reading, %d bytes at byte 3", transport.name, o.Good, o.Bytes, o.Offset, len(in))
			}
		}
	}
}

// TestReassemblyTooLong tests that a message longer than the maximum gives one error, and that the next message is read.
func TestReassemblyTooLong(t *testing.T) {
	a, b, _ := messages(t)
	for _, transport := range transports {
		const maxMessage = 4096 // as in package meter
		long := append(slices.Clone(a.apdu), make([]byte, maxMessage)...)
		got := letters(t, strings.Join(transport.split(long, 40), "")+strings.Join(transport.split(b.apdu, 4), ""))
		if got != "! b" {
			t.Errorf("%s: got %q, want %q", transport.name, got, "! b")
		}
	}
}

// TestReassemblySegmentNumbers tests that a message of 20 parts is read, although the number of an M-Bus segment after number 15 is 0 again.
func TestReassemblySegmentNumbers(t *testing.T) {
	var big []byte
	const items = 50
	big = dlms.AppendArray(dlms.AppendNotification(nil, 0), items)
	for i := range items {
		big = dlms.AppendLogicalName(dlms.AppendStructure(big, 2), [6]byte{0, 0, 96, 50, byte(i), 255})
		big = dlms.AppendVisibleString(big, strings.Repeat(fmt.Sprint(i%10), 60))
	}
	for _, transport := range transports {
		parts := transport.split(big, 20)
		if len(parts) != 20 {
			t.Fatalf("%s: got %d parts, want 20", transport.name, len(parts))
		}
		all := outcomes(t, strings.NewReader(strings.Join(parts, "")))
		if len(all) != 1 || !all[0].Good || strings.Count(all[0].Text, "0-0:96.50") != items {
			t.Errorf("%s: a message of %d parts: got %+v, want one reading with %d items", transport.name, len(parts), all, items)
		}
	}
}
