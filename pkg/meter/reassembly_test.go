package meter_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A message is a DLMS message without frames. text is what describe returns for its reading.
type message struct {
	apdu []byte
	text string
}

// messages returns three messages of one meter, which have the same length. The Decoder knows the make from their list name, in frames of any
// make.
func messages(t *testing.T) (a, b, c message) {
	t.Helper()
	var all []message
	for _, k := range sentTelegrams() {
		if k.family != "aidon-no2" {
			continue
		}
		f, err := hdlc.Parse([]byte(k.wire))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, message{bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), k.text})
	}
	return all[0], all[1], all[2]
}

// chunksOf returns b in n parts.
func chunksOf(b []byte, n int) [][]byte { return slices.Collect(slices.Chunk(b, (len(b)+n-1)/n)) }

// hdlcSegments returns a message in n HDLC segments.
func hdlcSegments(apdu []byte, n int) (parts []string) {
	for _, info := range chunksOf(append([]byte(dlms.LLC), apdu...), n) {
		parts = append(parts, string(info))
	}
	for i, info := range parts {
		parts[i] = aidonFrame(info, i < len(parts)-1)
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

// encryptFirst returns a splitFunc that encrypts a message and then calls split.
func encryptFirst(split splitFunc) splitFunc {
	counter := uint32(0)
	return func(apdu []byte, n int) []string {
		counter++
		return split(dlms.AppendCiphered(nil, simulate.Key(), []byte("ADN\x00\x00\x00\x00\x01"), 0x30, counter, apdu), n)
	}
}

// A splitFunc splits a message into n parts, each in a frame.
type splitFunc func(apdu []byte, n int) []string

// transports are the ways in which meters send messages in parts.
var transports = []struct {
	name  string
	split splitFunc
	// numbered is true if the parts have numbers.
	numbered bool
}{
	{"HDLC", hdlcSegments, false},
	{"M-Bus", mbusSegments, true},
	{"blocks", hdlcBlocks, true},
	{"blocks in M-Bus", mbusBlocks, true},
	{"encrypted, HDLC", encryptFirst(hdlcSegments), false},
	{"encrypted, M-Bus", encryptFirst(mbusSegments), true},
	{"encrypted, blocks", encryptFirst(hdlcBlocks), true},
}

// TestReassembly tests that a message gives one error if a part is missing, damaged or repeated. Whole messages must be read. Each input is
// message a, changed as the name says, and then message b. want has a letter for each reading and "!" for each error (see letters).
func TestReassembly(t *testing.T) {
	a, b, c := messages(t)
	text, _ := twoTelegrams(t, "p1-se-aidon")
	damaged := func(part string) string { return part[:len(part)/2] + "\x55\x55" + part[len(part)/2+2:] }
	for _, transport := range transports {
		a, b, c := transport.split(a.apdu, 4), transport.split(b.apdu, 4), transport.split(c.apdu, 4)
		if len(a) != 4 {
			t.Fatalf("%s: got %d parts, want 4", transport.name, len(a))
		}
		whole := strings.Join(b, "")
		for _, tt := range []struct{ name, in, want string }{
			{"whole", strings.Join(a, ""), "a b"},
			{"first missing", a[1] + a[2] + a[3], "! b"},
			{"first two missing", a[2] + a[3], "! b"},
			{"all but the last missing", a[3], "! b"},
			{"second missing", a[0] + a[2] + a[3], "! b"},
			{"third missing", a[0] + a[1] + a[3], "! b"},
			{"last missing", a[0] + a[1] + a[2], "! b"},
			{"all but the first missing", a[0], "! b"},
			{"first sent twice", a[0] + strings.Join(a, ""), "! a b"},
			{"second sent twice", a[0] + a[1] + a[1] + a[2] + a[3], "! b"},
			{"last sent twice", strings.Join(a, "") + a[3], "a ! b"},
			{"second and third exchanged", a[0] + a[2] + a[1] + a[3], "! b"},
			{"first damaged", damaged(a[0]) + a[1] + a[2] + a[3], "! b"},
			{"second damaged", a[0] + damaged(a[1]) + a[2] + a[3], "! b"},
			{"last damaged", a[0] + a[1] + a[2] + damaged(a[3]), "! b"},
			{"first truncated", a[0][:50] + a[1] + a[2] + a[3], "! b"},
			{"second truncated", a[0] + a[1][:50] + a[2] + a[3], "! b"},
			{"two messages, both without their last part", a[0] + a[1] + a[2] + c[0] + c[1] + c[2], "! ! b"},
			{"two messages, the second without its first part", strings.Join(a, "") + c[1] + c[2] + c[3], "a ! b"},
			{"at most 8 bytes of noise between parts", a[0] + "\x00\x01" + a[1] + "\xFF" + a[2] + "12345678" + a[3], "a b"},
			{"9 bytes of noise between parts", a[0] + a[1] + "123456789" + a[2] + a[3], "! b"},
			{"a telegram between parts", a[0] + a[1] + text.wire + a[2] + a[3], "! p b"},
			{"a telegram in place of the last part", a[0] + a[1] + a[2] + text.wire, "! p b"},
			{"last part missing, much noise", a[0] + a[1] + a[2] + strings.Repeat("\x01", 5000), "! b"},
		} {
			if got := letters(t, tt.in+whole); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", transport.name, tt.name, got, tt.want)
			}
			if got := letters(t, whole+tt.in); transport.numbered && got != "b "+strings.TrimSuffix(tt.want, " b") && tt.want != "a b" {
				t.Errorf("%s: %s, with message b first: got %q, want %q", transport.name, tt.name, got, "b "+strings.TrimSuffix(tt.want, " b"))
			}
		}
	}
}

// letters decodes a stream. It returns a letter for each outcome: "a", "b" or "c" for a reading of one of the messages, "p" for the ASCII
// telegram, "!" for an error, and "?" for any other reading.
func letters(t *testing.T, stream string) string {
	t.Helper()
	return lettersOfDecoder(t, newDecoder(strings.NewReader(stream)))
}

// lettersOfDecoder decodes the stream of d, and returns the letters of its outcomes.
func lettersOfDecoder(t *testing.T, d *meter.Decoder) string {
	t.Helper()
	a, b, c := messages(t)
	text, _ := twoTelegrams(t, "p1-se-aidon")
	names := map[string]string{withoutFraming(a.text): "a", withoutFraming(b.text): "b", withoutFraming(c.text): "c", withoutFraming(text.text): "p"}
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

// A pausingReader returns one piece in each Read. It calls NoteSilence before each piece except the first.
type pausingReader struct {
	decoder *meter.Decoder
	pieces  []string
	started bool
}

func (r *pausingReader) Read(p []byte) (int, error) {
	if len(r.pieces) == 0 {
		return 0, io.EOF
	}
	if r.started {
		r.decoder.NoteSilence()
	}
	n := copy(p, r.pieces[0])
	r.pieces, r.started = r.pieces[1:], true
	return n, nil
}

// TestReassemblySilence tests that parts before and after a silence are not joined to a message. If the wire is silent within a part or
// between messages, all messages must be read.
func TestReassemblySilence(t *testing.T) {
	a, b, c := messages(t)
	for _, transport := range transports {
		a, b, c := transport.split(a.apdu, 4), transport.split(b.apdu, 4), transport.split(c.apdu, 4)
		half := len(a[1]) / 2
		for _, tt := range []struct {
			name   string
			pieces []string
			want   string
		}{
			{"first two parts, silence, last two parts of another message", []string{a[0] + a[1], c[2] + c[3], strings.Join(b, "")}, "! b"},
			{"first three parts, silence, last part of another message", []string{a[0] + a[1] + a[2], c[3], strings.Join(b, "")}, "! b"},
			{"silence between messages", []string{strings.Join(a, ""), strings.Join(b, "")}, "a b"},
			{"silence within a part", []string{a[0] + a[1][:half], a[1][half:] + a[2] + a[3], strings.Join(b, "")}, "a b"},
		} {
			d := newDecoder(nil)
			d.Reset(&pausingReader{decoder: d, pieces: tt.pieces})
			if got := lettersOfDecoder(t, d); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", transport.name, tt.name, got, tt.want)
			}
		}
	}
}

// TestReassemblyInterleaved tests that two messages whose parts alternate give only errors, and that the message after them is read.
func TestReassemblyInterleaved(t *testing.T) {
	a, b, c := messages(t)
	for _, transport := range transports {
		a, b := transport.split(a.apdu, 4), transport.split(b.apdu, 4)
		alternating := ""
		for i := range a {
			alternating += a[i] + b[i]
		}
		got := letters(t, alternating+strings.Join(transport.split(c.apdu, 4), ""))
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
		stream := strings.Join(parts, "\x00") + parts[0] + parts[2] + strings.Join(transport.split(b.apdu, 4), "")
		want := outcomes(t, strings.NewReader(stream))
		for size := 1; size < 40; size++ {
			got := outcomes(t, &chunked{r: bytes.NewReader([]byte(stream)), sizes: []int{size}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, in chunks of %d, -whole +got:\n%s", transport.name, size, diff)
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
		if strings.HasPrefix(transport.name, "encrypted") {
			continue
		}
		long := append(slices.Clone(a.apdu), make([]byte, 4096)...)
		got := letters(t, strings.Join(transport.split(long, 40), "")+strings.Join(transport.split(b.apdu, 4), ""))
		if got != "! b" {
			t.Errorf("%s: got %q, want %q", transport.name, got, "! b")
		}
	}
}

// TestReassemblySegmentNumbers tests that a message of 20 parts is read, although the numbers of M-Bus segments begin again after 15.
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
