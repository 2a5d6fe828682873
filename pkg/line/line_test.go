package line_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// telegrams returns n successive telegrams of a simulated meter of the family.
func telegrams(t interface{ Fatalf(string, ...any) }, family string, n int) [][]byte {
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	m := simulate.NewMeter(f, 5, time.Date(2026, 5, 1, 11, 59, 30, 0, time.UTC))
	var all [][]byte
	for range n {
		_, b := m.Next()
		all = append(all, slices.Clone(b))
	}
	return all
}

// verdict returns the verdict on a line with the bytes b.
func verdict(b []byte) line.Verdict {
	var e line.Evidence
	e.Add(b)
	return e.Verdict()
}

// received returns the bytes that a receiver reads from a sender, if the two have these line settings. The sender pauses after each telegram.
func received(telegrams [][]byte, sender, receiver simulate.LineSetting) []byte {
	var all []byte
	for _, b := range telegrams {
		all = sender.ReceivedBy(all, b, receiver)
	}
	return all
}

// settings are the line settings that meters use.
var settings = []simulate.LineSetting{
	{Baud: 115200, DataBits: 8, Parity: 'N', StopBits: 1},
	{Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1},
	{Baud: 2400, DataBits: 8, Parity: 'N', StopBits: 1},
	{Baud: 9600, DataBits: 7, Parity: 'E', StopBits: 1},
	{Baud: 115200, DataBits: 7, Parity: 'E', StopBits: 1},
	{Baud: 115200, DataBits: 8, Parity: 'E', StopBits: 1},
}

// possibleVerdicts returns the right verdicts for a sender and a receiver with these settings. readable is true if the receiver reads the
// bytes that were sent.
func possibleVerdicts(sender, receiver simulate.LineSetting, readable bool) []line.Verdict {
	switch {
	case sender.Baud < receiver.Baud:
		return []line.Verdict{line.OtherBaud} // also if the signal is inverted
	case sender.Baud > receiver.Baud:
		// The receiver reads only some of the bits, which look like noise. At 2400 baud instead of 115200, it reads only a dozen bytes of
		// a telegram.
		return []line.Verdict{line.Unrecognised, line.TooFewBytes}
	case readable:
		return []line.Verdict{line.P1Lines, line.FrameHeaders}
	case sender.Inverted:
		return []line.Verdict{line.Inverted}
	}
	return []line.Verdict{line.OtherParity}
}

// TestAllSettings: for each pair of settings of sender and receiver, the verdict is one of the possible verdicts.
func TestAllSettings(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "p1-se-kamstrup", "p1-fi-aidon", "aidon-se", "aidon-no", "aidon-no1", "aidon-no3"} {
		sent := telegrams(t, family, 12)
		for _, sender := range settings {
			if sender.DataBits == 7 && !strings.HasPrefix(family, "p1") {
				continue // binary telegrams need eight data bits
			}
			for _, receiver := range settings {
				for k := range 4 { // each combination of Inverted and WaitsForIdle
					sender.Inverted, receiver.WaitsForIdle = k&1 != 0, k&2 != 0
					b := received(sent, sender, receiver)
					want := possibleVerdicts(sender, receiver, string(b) == string(slices.Concat(sent...)))
					if got := verdict(b); !slices.Contains(want, got) {
						t.Errorf("%s sent at %v, read at %v, receiver waits for an idle line %v: got %v, want one of %v",
							family, sender, receiver, receiver.WaitsForIdle, got, want)
					}
				}
			}
		}
	}
}

// TestIntactTelegrams: intact telegrams never give a verdict that suggests a wrong setting, wherever the stream begins. The lines of
// Swedish P1 telegrams and the frame headers of Aidon are always recognised.
func TestIntactTelegrams(t *testing.T) {
	for _, f := range simulate.Families() {
		want := []line.Verdict{line.P1Lines, line.FrameHeaders}
		if !strings.HasPrefix(f.Name, "p1-se") && !strings.HasPrefix(f.Name, "aidon") {
			want = append(want, line.Unrecognised, line.TooFewBytes) // possibly encrypted, or in another framing
		}
		for i, b := range telegrams(t, f.Name, 30) {
			if got := verdict(b); !slices.Contains(want, got) {
				t.Errorf("%s, telegram %d: got %v, want one of %v", f.Name, i, got, want)
			}
		}
		b := slices.Concat(telegrams(t, f.Name, 3)...)
		for cut := range len(b) / 2 {
			if got := verdict(b[cut:]); !slices.Contains(want, got) {
				t.Fatalf("%s from byte %d on: got %v, want one of %v", f.Name, cut, got, want)
			}
		}
	}
}

// TestLineEndsRewritten: the verdict is LineEndsRewritten if line ends of P1 telegrams, or bytes LF in HDLC frames, were rewritten.
func TestLineEndsRewritten(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "aidon-no2", "aidon-no3"} {
		b := string(slices.Concat(telegrams(t, family, 8)...))
		rows := map[string]string{"LF becomes CR LF": strings.ReplaceAll(b, "\n", "\r\n")}
		if strings.HasPrefix(family, "p1") {
			rows["CR becomes LF"] = strings.ReplaceAll(b, "\r", "\n")
			rows["CR is removed"] = strings.ReplaceAll(b, "\r", "")
		}
		for name, in := range rows {
			if got := verdict([]byte(in)); got != line.LineEndsRewritten {
				t.Errorf("%s, %s: got %v, want %v", family, name, got, line.LineEndsRewritten)
			}
		}
	}
}

// TestDamagedBytes: the verdict is DamagedBytes if bytes of P1 telegrams or HDLC frames are missing. A frame whose last bytes have not arrived yet
// does not count as damaged.
func TestDamagedBytes(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "aidon-se", "aidon-no2"} {
		for _, distance := range []int{40, 97, 211} {
			var b []byte
			for i, x := range slices.Concat(telegrams(t, family, 12)...) {
				if i%distance != distance-1 {
					b = append(b, x)
				}
			}
			if got := verdict(b); got != line.DamagedBytes {
				t.Errorf("%s without every %dth byte: got %v, want %v", family, distance, got, line.DamagedBytes)
			}
		}
	}
	frame := telegrams(t, "aidon-se", 1)[0]
	if got := verdict(frame[:300]); got != line.FrameHeaders {
		t.Errorf("the first 300 bytes of a frame: got %v, want %v", got, line.FrameHeaders)
	}
	if got := verdict(append(frame[:300:300], frame[400:]...)); got != line.DamagedBytes {
		t.Errorf("a frame without bytes 300 to 399: got %v, want %v", got, line.DamagedBytes)
	}
}

// TestNoise: the verdict on random bytes is TooFewBytes for fewer than 64 bytes, and Unrecognised for more.
func TestNoise(t *testing.T) {
	var e line.Evidence
	if got := e.Verdict(); got != line.Silent {
		t.Errorf("no bytes: got %v, want %v", got, line.Silent)
	}
	x := uint64(1) // the state of a random number generator
	for n := range 1 << 20 {
		x = x*6364136223846793005 + 1442695040888963407
		e.Add([]byte{byte(x >> 56)})
		want := line.Unrecognised
		if n+1 < 64 {
			want = line.TooFewBytes
		}
		if n < 2000 || n&(n+1) == 0 { // the first 2000 lengths, then each power of two
			if got := e.Verdict(); got != want {
				t.Fatalf("%d random bytes: got %v, want %v", n+1, got, want)
			}
		}
	}
	if e.Bytes() != 1<<20 {
		t.Errorf("got Bytes %d, want %d", e.Bytes(), 1<<20)
	}
	e.Reset()
	if e.Bytes() != 0 || e.Verdict() != line.Silent {
		t.Errorf("after Reset: got %d bytes and verdict %v, want 0 and %v", e.Bytes(), e.Verdict(), line.Silent)
	}
}

// TestVerdictOfBytes: the verdict is right for bytes that no simulated meter sends.
func TestVerdictOfBytes(t *testing.T) {
	for _, row := range []struct {
		name, in string
		want     line.Verdict
	}{
		{"three bytes from plugging in the cable", "\x00\xFF\x00", line.TooFewBytes},
		{"zero bytes only", strings.Repeat("\x00", 100), line.OtherBaud},
		{"text of another device", strings.Repeat("I (1234) boot: ESP-IDF v4.4, 2nd stage bootloader\r\n", 40), line.Unrecognised},
		{"codes without a value, and malformed codes", strings.Repeat("1-0:1.7.0\r\n1-0.1:7.0(1)\r\n1-0:1.7(1)\r\n", 40), line.Unrecognised},
		{"P1 before DSMR 4", "/ISk5\\2MT382-1003\r\n\r\n1-0:1.8.1(00608.400*kWh)\r\n0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)\r\n(00124.477)\r\n" +
			"0-0:96.13.0()\r\n0-2:25.6.0((ER11))\r\n1-0:1.8.0*255(1)\r\n!\r\n", line.P1Lines},
		{"a truncated M-Bus frame, then an intact one", "\x68\x20\x20\x68\x53\xFF\x00\x01\x67\xDB\x08\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16", line.DamagedBytes},
		{"two M-Bus frames", "\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16", line.FrameHeaders},
	} {
		if got := verdict([]byte(row.in)); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

// TestChunks: the verdict does not depend on the sizes of the chunks in which bytes are added, or on earlier calls of Verdict.
func TestChunks(t *testing.T) {
	all := slices.Concat(slices.Concat(telegrams(t, "aidon-no", 5), telegrams(t, "p1-se-aidon", 2))...)
	rapid.Check(t, func(t *rapid.T) {
		b := all[rapid.IntRange(0, len(all)).Draw(t, "from"):]
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "bytes")]
		var e line.Evidence
		for rest := b; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			e.Add(rest[:n])
			e.Verdict()
			rest = rest[n:]
		}
		if got, want := e.Verdict(), verdict(b); got != want {
			t.Fatalf("added in chunks: got %v, want %v as for one call of Add", got, want)
		}
	})
}

// TestAllocs: Add and Verdict allocate nothing.
func TestAllocs(t *testing.T) {
	b := slices.Concat(telegrams(t, "aidon-no", 5)...)
	var e line.Evidence
	if n := testing.AllocsPerRun(100, func() { e.Add(b); e.Verdict() }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, family := range []string{"p1-se-aidon", "aidon-se"} {
		b.Run(family, func(b *testing.B) {
			stream := slices.Concat(telegrams(b, family, 10)...)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			var e line.Evidence
			for b.Loop() {
				e.Add(stream)
			}
		})
	}
}

// FuzzEvidence: Evidence never panics, every verdict has a word, and the verdict is the same if the bytes are added one by one.
func FuzzEvidence(f *testing.F) {
	f.Add([]byte("/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"))
	f.Add([]byte("\x7E\xA0\x0E\x41\x08\x83\x13\x7E\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e line.Evidence
		for _, x := range b {
			e.Add([]byte{x})
			if got := e.Verdict(); got.String() == "" {
				t.Fatalf("verdict %d has no word", got)
			}
		}
		if got, want := e.Verdict(), verdict(b); got != want {
			t.Fatalf("added byte by byte: got %v, want %v as for one call of Add", got, want)
		}
	})
}
