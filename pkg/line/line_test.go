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

// verdict returns the verdict on the bytes b alone.
func verdict(b []byte) line.Verdict {
	var e line.Evidence
	e.Add(b)
	return e.Verdict()
}

// received returns the bytes that a receiver with the setting by reads, if a sender with the setting from sends the telegrams with pauses
// between them.
func received(telegrams [][]byte, from, by simulate.LineSetting) []byte {
	var all []byte
	for _, b := range telegrams {
		all = from.ReceivedBy(all, b, by)
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

// possibleVerdicts returns the verdicts that are right for a sender and a receiver with these settings. readable is true if the receiver
// reads the bytes that were sent.
func possibleVerdicts(from, by simulate.LineSetting, readable bool) []line.Verdict {
	switch {
	case from.Baud < by.Baud:
		// Every run of bits is long, whether or not the signal is inverted.
		return []line.Verdict{line.OtherBaud}
	case from.Baud > by.Baud:
		// The receiver samples one bit in many, which cannot be told from noise. If it is 48 times too slow, it reads a dozen bytes of a
		// telegram.
		return []line.Verdict{line.Unrecognised, line.TooFewBytes}
	case readable:
		// These bytes are the same with both settings: the parity is ignored, or none of them has its high bit set.
		return []line.Verdict{line.P1Lines, line.FrameHeaders}
	case from.Inverted:
		return []line.Verdict{line.Inverted}
	}
	return []line.Verdict{line.OtherParity}
}

// TestAllSettings: for each pair of settings of sender and receiver, the verdict is one that is possible.
func TestAllSettings(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "p1-se-kamstrup", "p1-fi-aidon", "aidon-se", "aidon-no", "aidon-no1", "aidon-no3"} {
		sent := telegrams(t, family, 12)
		for k := range 4 * len(settings) * len(settings) {
			from, by := settings[k/4%len(settings)], settings[k/4/len(settings)]
			from.Inverted, by.WaitsForIdle = k&1 != 0, k&2 != 0
			if from.DataBits == 7 && !strings.HasPrefix(family, "p1") {
				continue
			}
			b := received(sent, from, by)
			want := possibleVerdicts(from, by, string(b) == string(slices.Concat(sent...)))
			if got := verdict(b); !slices.Contains(want, got) {
				t.Errorf("%s at %v, read at %v, waiting for an idle line %v: %v, want one of %v", family, from, by, by.WaitsForIdle, got, want)
			}
		}
	}
}

// TestIntactTelegrams: no part of an intact stream suggests a wrong setting, and unencrypted telegrams are recognised.
func TestIntactTelegrams(t *testing.T) {
	for _, f := range simulate.Families() {
		want := []line.Verdict{line.P1Lines, line.FrameHeaders}
		if !strings.HasPrefix(f.Name, "p1-se") && !strings.HasPrefix(f.Name, "aidon") {
			want = append(want, line.Unrecognised, line.TooFewBytes) // encrypted, or of another framing
		}
		for i, b := range telegrams(t, f.Name, 30) {
			if got := verdict(b); !slices.Contains(want, got) {
				t.Errorf("%s, telegram %d: %v, want one of %v", f.Name, i, got, want)
			}
		}
		b := slices.Concat(telegrams(t, f.Name, 3)...)
		for cut := range len(b) / 2 {
			if got := verdict(b[cut:]); !slices.Contains(want, got) {
				t.Fatalf("%s from byte %d on: %v, want one of %v", f.Name, cut, got, want)
			}
		}
	}
}

// TestLineEndsRewritten: rewritten line ends are recognised in text and in frames.
func TestLineEndsRewritten(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "aidon-no2", "aidon-no3"} {
		b := string(slices.Concat(telegrams(t, family, 8)...))
		rows := map[string]string{"LF is CR LF": strings.ReplaceAll(b, "\n", "\r\n")}
		if strings.HasPrefix(family, "p1") {
			rows["CR is LF"] = strings.ReplaceAll(b, "\r", "\n")
			rows["CR is gone"] = strings.ReplaceAll(b, "\r", "")
		}
		for name, in := range rows {
			if got := verdict([]byte(in)); got != line.LineEndsRewritten {
				t.Errorf("%s, %s: %v", family, name, got)
			}
		}
	}
}

// TestDamagedBytes: missing bytes are recognised in text and in frames. A frame that is still arriving is not damaged.
func TestDamagedBytes(t *testing.T) {
	for _, family := range []string{"p1-se-aidon", "aidon-se", "aidon-no2"} {
		for _, every := range []int{40, 97, 211} {
			var b []byte
			for i, x := range slices.Concat(telegrams(t, family, 12)...) {
				if i%every != every-1 {
					b = append(b, x)
				}
			}
			if got := verdict(b); got != line.DamagedBytes {
				t.Errorf("%s without every %dth byte: %v", family, every, got)
			}
		}
	}
	one := telegrams(t, "aidon-se", 1)[0]
	if got := verdict(one[:300]); got != line.FrameHeaders {
		t.Errorf("a frame that is still arriving: %v", got)
	}
	if got := verdict(append(one[:300:300], one[400:]...)); got != line.DamagedBytes {
		t.Errorf("one frame without its middle: %v", got)
	}
}

// TestNoise: random bytes are Unrecognised, however many there are; TooFewBytes at first.
func TestNoise(t *testing.T) {
	var e line.Evidence
	if got := e.Verdict(); got != line.Silent {
		t.Errorf("no bytes: %v", got)
	}
	x := uint64(1)
	for n := range 1 << 20 {
		x = x*6364136223846793005 + 1442695040888963407
		e.Add([]byte{byte(x >> 56)})
		want := line.Unrecognised
		if n+1 < 64 {
			want = line.TooFewBytes
		}
		if n < 2000 || n&(n+1) == 0 {
			if got := e.Verdict(); got != want {
				t.Fatalf("%d bytes of noise: %v, want %v", n+1, got, want)
			}
		}
	}
	if e.Bytes() != 1<<20 {
		t.Errorf("Bytes = %d", e.Bytes())
	}
	e.Reset()
	if e.Bytes() != 0 || e.Verdict() != line.Silent {
		t.Error("Reset keeps evidence")
	}
}

// TestVerdictOfBytes: short inputs that no simulated meter sends have the right verdict.
func TestVerdictOfBytes(t *testing.T) {
	for _, row := range []struct {
		name, in string
		want     line.Verdict
	}{
		{"a glitch", "\x00\xFF\x00", line.TooFewBytes},
		{"a line held at 0 repeatedly", strings.Repeat("\x00", 100), line.OtherBaud},
		{"text of another device", strings.Repeat("I (1234) boot: ESP-IDF v4.4, 2nd stage bootloader\r\n", 40), line.Unrecognised},
		{"code without a value", strings.Repeat("1-0:1.7.0\r\n1-0.1:7.0(1)\r\n1-0:1.7(1)\r\n", 40), line.Unrecognised},
		{"P1 before DSMR 4", "/ISk5\\2MT382-1003\r\n\r\n1-0:1.8.1(00608.400*kWh)\r\n0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)\r\n(00124.477)\r\n" +
			"0-0:96.13.0()\r\n0-2:25.6.0((ER11))\r\n1-0:1.8.0*255(1)\r\n!\r\n", line.P1Lines},
		{"a truncated frame of M-Bus, and another", "\x68\x20\x20\x68\x53\xFF\x00\x01\x67\xDB\x08\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16", line.DamagedBytes},
		{"frames of M-Bus", "\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16", line.FrameHeaders},
	} {
		if got := verdict([]byte(row.in)); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// TestChunks: the sizes of the chunks in which bytes arrive do not matter, and Verdict changes nothing.
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
			t.Fatalf("%v in chunks, %v whole", got, want)
		}
	})
}

func TestAllocs(t *testing.T) {
	b := slices.Concat(telegrams(t, "aidon-no", 5)...)
	var e line.Evidence
	if n := testing.AllocsPerRun(100, func() { e.Add(b); e.Verdict() }); n != 0 {
		t.Errorf("%v allocations", n)
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

// FuzzEvidence: nothing panics, every verdict has a word, and the sizes of the chunks do not matter.
func FuzzEvidence(f *testing.F) {
	f.Add([]byte("/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"))
	f.Add([]byte("\x7E\xA0\x0E\x41\x08\x83\x13\x7E\x68\x05\x05\x68\x53\xFF\x11\x01\x67\xCB\x16"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e line.Evidence
		for _, x := range b {
			e.Add([]byte{x})
			if got := e.Verdict(); strings.Contains(got.String(), "unknown") {
				t.Fatalf("verdict %d has no name", got)
			}
		}
		if got, want := e.Verdict(), verdict(b); got != want {
			t.Fatalf("%v byte by byte, %v whole", got, want)
		}
	})
}
