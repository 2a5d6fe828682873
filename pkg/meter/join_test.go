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

// A message is what stands in a frame, and what it says.
type message struct {
	apdu []byte
	text string
}

// messages are three of the same meter, all of one length. They say who made it, whatever is around them.
func messages(t *testing.T) (a, b, c message) {
	t.Helper()
	var all []message
	for _, k := range knownTelegrams() {
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

// cut returns b in n parts.
func cut(b []byte, n int) [][]byte { return slices.Collect(slices.Chunk(b, (len(b)+n-1)/n)) }

// inHDLC cuts what it carries into n segments.
func inHDLC(apdu []byte, n int) (parts []string) {
	for _, info := range cut(append([]byte(dlms.LLC), apdu...), n) {
		parts = append(parts, string(info))
	}
	for i, info := range parts {
		parts[i] = aidonFrame(info, i < len(parts)-1)
	}
	return parts
}

func aidonFrame(info string, more bool) string {
	return string(hdlc.Append(nil, hdlc.Frame{
		Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Segmented: more, Info: []byte(info),
	}))
}

// inMBus cuts what it carries into segments with numbers.
func inMBus(apdu []byte, n int) (parts []string) {
	chunks := cut(apdu, n)
	for i, data := range chunks {
		parts = append(parts, string(mbus.Append(nil, mbus.Frame{
			Control: mbus.Push, Address: mbus.Broadcast, Segment: byte(i % 16), Final: i == len(chunks)-1,
			Source: 0x01, Destination: 0x67, Data: data,
		})))
	}
	return parts
}

// inBlocks cuts what it carries by general-block-transfer, each block in a frame.
func inBlocks(apdu []byte, n int) (parts []string) {
	for i, b := range blocksOf(apdu, n) {
		if i == 0 {
			b = dlms.LLC + b
		}
		parts = append(parts, aidonFrame(b, false))
	}
	return parts
}

// inMBusBlocks puts each block into an M-Bus frame.
func inMBusBlocks(apdu []byte, n int) (parts []string) {
	for _, b := range blocksOf(apdu, n) {
		parts = append(parts, inMBus([]byte(b), 1)...)
	}
	return parts
}

func blocksOf(apdu []byte, n int) (blocks []string) {
	chunks := cut(apdu, n)
	for i, data := range chunks {
		blocks = append(blocks, string(dlms.AppendBlock(nil, dlms.Block{Last: i == len(chunks)-1, Number: uint16(i + 1), Data: data})))
	}
	return blocks
}

// sealed encrypts what another carries.
func sealed(carry carrier) carrier {
	counter := uint32(0)
	return func(apdu []byte, n int) []string {
		counter++
		return carry(dlms.AppendCiphered(nil, simulate.Key(), []byte("ADN\x00\x00\x00\x00\x01"), 0x30, counter, apdu), n)
	}
}

// A carrier sends a message in n parts.
type carrier func(apdu []byte, n int) []string

// carriers are the ways to do that.
var carriers = []struct {
	name  string
	carry carrier
	// numbered tells that the parts have numbers.
	numbered bool
}{
	{"HDLC", inHDLC, false},
	{"M-Bus", inMBus, true},
	{"blocks", inBlocks, true},
	{"blocks in M-Bus", inMBusBlocks, true},
	{"sealed, HDLC", sealed(inHDLC), false},
	{"sealed, M-Bus", sealed(inMBus), true},
	{"sealed, blocks", sealed(inBlocks), true},
}

// TestJoin: a message of which a part is missing, damaged, or sent again is one error, and what is whole is read: wanted are
// the messages a, b and c by their letters, and "!" for each error.
func TestJoin(t *testing.T) {
	a, b, c := messages(t)
	text, _ := of(t, "p1-se-aidon")
	damaged := func(part string) string { return part[:len(part)/2] + "\x55\x55" + part[len(part)/2+2:] }
	for _, carrier := range carriers {
		a, b, c := carrier.carry(a.apdu, 4), carrier.carry(b.apdu, 4), carrier.carry(c.apdu, 4)
		if len(a) != 4 {
			t.Fatalf("%s: %d parts, want 4", carrier.name, len(a))
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
			{"second and third change places", a[0] + a[2] + a[1] + a[3], "! b"},
			{"first damaged", damaged(a[0]) + a[1] + a[2] + a[3], "! b"},
			{"second damaged", a[0] + damaged(a[1]) + a[2] + a[3], "! b"},
			{"last damaged", a[0] + a[1] + a[2] + damaged(a[3]), "! b"},
			{"first cut", a[0][:50] + a[1] + a[2] + a[3], "! b"},
			{"second cut", a[0] + a[1][:50] + a[2] + a[3], "! b"},
			{"two messages, both without their last part", a[0] + a[1] + a[2] + c[0] + c[1] + c[2], "! ! b"},
			{"two messages, the second without its first part", strings.Join(a, "") + c[1] + c[2] + c[3], "a ! b"},
			{"a little noise between parts", a[0] + "\x00\x01" + a[1] + "\xFF" + a[2] + "12345678" + a[3], "a b"},
			{"much noise between parts", a[0] + a[1] + "123456789" + a[2] + a[3], "! b"},
			{"a telegram between parts", a[0] + a[1] + text.wire + a[2] + a[3], "! p b"},
			{"a telegram in place of the last part", a[0] + a[1] + a[2] + text.wire, "! p b"},
			{"noise behind the last part but one, then the end of it", a[0] + a[1] + a[2] + strings.Repeat("\x01", 5000), "! b"},
		} {
			if got := letters(t, tt.in+whole); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", carrier.name, tt.name, got, tt.want)
			}
			if got := letters(t, whole+tt.in); carrier.numbered && got != "b "+strings.TrimSuffix(tt.want, " b") && tt.want != "a b" {
				t.Errorf("%s: %s, at the end of the stream: got %q", carrier.name, tt.name, got)
			}
		}
	}
}

// letters decodes a stream to the letters of its messages, "p" for the text, "!" for an error, "?" for what nobody sent.
func letters(t *testing.T, stream string) string {
	t.Helper()
	return lettersOf(t, newDecoder(strings.NewReader(stream)))
}

func lettersOf(t *testing.T, d *meter.Decoder) string {
	t.Helper()
	a, b, c := messages(t)
	text, _ := of(t, "p1-se-aidon")
	names := map[string]string{values(a.text): "a", values(b.text): "b", values(c.text): "c", values(text.text): "p"}
	got := []string{}
	for _, o := range outcomesOf(t, d) {
		name := "!"
		if o.Good {
			if name = names[values(o.Text)]; name == "" {
				name = "?"
			}
		}
		got = append(got, name)
	}
	return strings.Join(got, " ")
}

// A halting reader says before each of its pieces but the first that the wire was silent.
type halting struct {
	decoder *meter.Decoder
	pieces  []string
	begun   bool
}

func (h *halting) Read(p []byte) (int, error) {
	if len(h.pieces) == 0 {
		return 0, io.EOF
	}
	if h.begun {
		h.decoder.NoteSilence()
	}
	n := copy(p, h.pieces[0])
	h.pieces, h.begun = h.pieces[1:], true
	return n, nil
}

// TestJoinOverSilence: the head of one message and the tail of the next make none, though their parts fit each other, and a
// silence within a part, or between messages, loses nothing.
func TestJoinOverSilence(t *testing.T) {
	a, b, c := messages(t)
	for _, carrier := range carriers {
		a, b, c := carrier.carry(a.apdu, 4), carrier.carry(b.apdu, 4), carrier.carry(c.apdu, 4)
		half := len(a[1]) / 2
		for _, tt := range []struct {
			name   string
			pieces []string
			want   string
		}{
			{"head, silence, tail of another", []string{a[0] + a[1], c[2] + c[3], strings.Join(b, "")}, "! b"},
			{"all but the last, silence, last of another", []string{a[0] + a[1] + a[2], c[3], strings.Join(b, "")}, "! b"},
			{"silence between messages", []string{strings.Join(a, ""), strings.Join(b, "")}, "a b"},
			{"silence within a part", []string{a[0] + a[1][:half], a[1][half:] + a[2] + a[3], strings.Join(b, "")}, "a b"},
		} {
			d := newDecoder(nil)
			d.Reset(&halting{decoder: d, pieces: tt.pieces})
			if got := lettersOf(t, d); got != tt.want {
				t.Errorf("%s: %s: got %q, want %q", carrier.name, tt.name, got, tt.want)
			}
		}
	}
}

// TestJoinInterleaved: of two messages whose parts are mixed none is made up, and what follows is read.
func TestJoinInterleaved(t *testing.T) {
	a, b, c := messages(t)
	for _, carrier := range carriers {
		a, b := carrier.carry(a.apdu, 4), carrier.carry(b.apdu, 4)
		mixed := ""
		for i := range a {
			mixed += a[i] + b[i]
		}
		got := letters(t, mixed+strings.Join(carrier.carry(c.apdu, 4), ""))
		if strings.ContainsAny(got, "ab?") || !strings.HasSuffix(got, "! c") || len(got) > len("! ! ! c") {
			t.Errorf("%s: got %q", carrier.name, got)
		}
	}
}

// TestJoinChunks: how the parts arrive changes nothing.
func TestJoinChunks(t *testing.T) {
	a, b, _ := messages(t)
	for _, carrier := range carriers {
		parts := carrier.carry(a.apdu, 4)
		stream := strings.Join(parts, "\x00") + parts[0] + parts[2] + strings.Join(carrier.carry(b.apdu, 4), "")
		want := outcomes(t, strings.NewReader(stream))
		for size := 1; size < 40; size++ {
			got := outcomes(t, &chunked{r: bytes.NewReader([]byte(stream)), sizes: []int{size}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, in chunks of %d, -whole +got:\n%s", carrier.name, size, diff)
			}
		}
	}
}

// TestJoinPlace: a reading of many parts stands where its first part begins, and goes to the end of its last.
func TestJoinPlace(t *testing.T) {
	a, _, _ := messages(t)
	for _, carrier := range carriers {
		in := strings.Join(carrier.carry(a.apdu, 4), "")
		for _, o := range outcomes(t, strings.NewReader("\x00\x01\x02"+in)) {
			if !o.Good || o.Offset != 3 || o.Bytes != len(in) {
				t.Errorf("%s: %d bytes at byte %d, good: %v; want %d at 3", carrier.name, o.Bytes, o.Offset, o.Good, len(in))
			}
		}
	}
}

// TestJoinTooLong: a message that never ends, or is longer than any meter's, is given up, and the next one is read.
func TestJoinTooLong(t *testing.T) {
	a, b, _ := messages(t)
	for _, carrier := range carriers {
		if strings.HasPrefix(carrier.name, "sealed") {
			continue
		}
		long := append(slices.Clone(a.apdu), make([]byte, 4096)...)
		got := letters(t, strings.Join(carrier.carry(long, 40), "")+strings.Join(carrier.carry(b.apdu, 4), ""))
		if got != "! b" {
			t.Errorf("%s: got %q, want %q", carrier.name, got, "! b")
		}
	}
}

// TestJoinSixteen: M-Bus counts segments to 15, and from 0 again.
func TestJoinSixteen(t *testing.T) {
	var big []byte
	const items = 50
	big = dlms.AppendArray(dlms.AppendNotification(nil, 0), items)
	for i := range items {
		big = dlms.AppendLogicalName(dlms.AppendStructure(big, 2), [6]byte{0, 0, 96, 50, byte(i), 255})
		big = dlms.AppendVisibleString(big, strings.Repeat(fmt.Sprint(i%10), 60))
	}
	for _, carrier := range carriers {
		parts := carrier.carry(big, 20)
		if len(parts) != 20 {
			t.Fatalf("%s: %d parts", carrier.name, len(parts))
		}
		all := outcomes(t, strings.NewReader(strings.Join(parts, "")))
		if len(all) != 1 || !all[0].Good || strings.Count(all[0].Text, "0-0:96.50") != items {
			t.Errorf("%s: a message of %d parts: %d outcomes, the first good: %v", carrier.name, len(parts), len(all), all[0].Good)
		}
	}
}
