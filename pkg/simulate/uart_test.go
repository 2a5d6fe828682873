package simulate_test

import (
	"bytes"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// lineSetting returns a setting from its parts in the usual order.
func lineSetting(baud, data int, parity byte, stop int) simulate.LineSetting {
	return simulate.LineSetting{Baud: baud, DataBits: data, Parity: parity, StopBits: stop}
}

func inverted(w simulate.LineSetting) simulate.LineSetting {
	w.Inverted = true
	return w
}

func waitsForIdle(w simulate.LineSetting) simulate.LineSetting {
	w.WaitsForIdle = true
	return w
}

// TestReceivedAsSent checks that two ends with the same setting transfer all bytes, even if both are inverted, or if their clocks differ by up
// to 2 %.
func TestReceivedAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := lineSetting(rapid.SampledFrom([]int{300, 2400, 9600, 115200}).Draw(t, "baud"), rapid.IntRange(5, 8).Draw(t, "data bits"),
			rapid.SampledFrom([]byte("NEO")).Draw(t, "parity"), rapid.IntRange(1, 2).Draw(t, "stop bits"))
		w.Inverted, w.WaitsForIdle = rapid.Bool().Draw(t, "inverted"), rapid.Bool().Draw(t, "patient")
		by := w
		by.Baud += by.Baud / 1000 * rapid.IntRange(-20, 20).Draw(t, "clock, in 0.1 %")
		sent := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "sent")
		want := []byte("before")
		for _, x := range sent {
			want = append(want, x&(1<<w.DataBits-1))
		}
		if got := w.ReceivedBy([]byte("before"), sent, by); !bytes.Equal(got, want) {
			t.Fatalf("%v, heard by %v: got % x, want % x", w, by, got, want)
		}
	})
}

// TestReceivedWithAnotherSetting compares with bytes that were worked out by hand.
func TestReceivedWithAnotherSetting(t *testing.T) {
	n, e, seven := lineSetting(2400, 8, 'N', 1), lineSetting(2400, 8, 'E', 1), lineSetting(2400, 7, 'E', 1)
	for _, row := range []struct {
		name     string
		from, by simulate.LineSetting
		sent     string
		want     string
	}{
		{"no bytes sent", n, e, "", ""},
		{"the parity is in bit 7", seven, n, "ABC", "\x41\x42\xC3"},
		{"no stop bit: the parity of 0 begins a character", e, n, "AB", "\x41\x09\xFE"},
		{"no stop bit, and a receiver that waits for an idle line", e, waitsForIdle(n), "ABC", "ABC"},
		{"parity of 1 is a stop bit", e, n, "CE", "CE"},
		{"a parity that is wrong does not matter", lineSetting(2400, 8, 'O', 1), e, "ABC", "ABC"},
		{"no parity, and a start bit for a stop bit", n, e, "\x7E\xA0\xE2", "\x7E\xA0\xE2"},
		{"no parity, and a receiver that waits for an idle line", n, waitsForIdle(e), "\x7E\xA0\xE2\xFF", "\x7E\x13\xFF"},
		{"inverted, and a break at the end", inverted(n), n, "U", "\x55\x00"},
		{"zeros of a slow sender are a break", lineSetting(300, 8, 'N', 1), lineSetting(2400, 8, 'N', 1), "\x00", "\x00"},
		{"a slow start bit is several zero bits", lineSetting(300, 8, 'N', 1), lineSetting(2400, 8, 'N', 1), "\xFF", "\x80"},
		{"bits of a fast sender are missed", lineSetting(19200, 8, 'N', 1), lineSetting(2400, 8, 'N', 1), "\x00\x00\x00\x00", "\xF0"},
	} {
		got := row.from.ReceivedBy(nil, []byte(row.sent), row.by)
		if string(got) != row.want {
			t.Errorf("%s: %q at %v, heard at %v: got % x, want % x", row.name, row.sent, row.from, row.by, got, row.want)
		}
	}
}

// TestReceivedParityInBit7 checks that a receiver of eight bits gets all bytes of a sender of seven bits with parity.
func TestReceivedParityInBit7(t *testing.T) {
	telegram := encode(t, "p1-se-aidon")
	got := lineSetting(9600, 7, 'E', 1).ReceivedBy(nil, telegram, lineSetting(9600, 8, 'N', 1))
	if len(got) != len(telegram) {
		t.Fatalf("%d bytes heard of %d", len(got), len(telegram))
	}
	for i, x := range got {
		if x&0x7F != telegram[i] || bits.OnesCount8(x)%2 != 0 {
			t.Fatalf("byte %d: %02x heard as %02x, want its even parity in bit 7", i, telegram[i], x)
		}
	}
}

// TestReceivedGarbled checks how many bytes a wrong setting reads of a telegram, and that the text is not readable.
func TestReceivedGarbled(t *testing.T) {
	for _, row := range []struct {
		name      string
		from, by  simulate.LineSetting
		low, high int // bytes received of a hundred sent
	}{
		{"parity unexpected", lineSetting(115200, 8, 'E', 1), lineSetting(115200, 8, 'N', 1), 90, 125},
		{"parity missing, and a receiver that waits for an idle line", lineSetting(115200, 8, 'N', 1), waitsForIdle(lineSetting(115200, 8, 'E', 1)), 40, 95},
		{"read slower", lineSetting(115200, 8, 'N', 1), lineSetting(9600, 8, 'N', 1), 5, 12},
		{"read much slower", lineSetting(115200, 8, 'N', 1), lineSetting(2400, 8, 'E', 1), 1, 3},
		{"read faster", lineSetting(2400, 8, 'E', 1), lineSetting(115200, 8, 'N', 1), 100, 600},
		{"inverted", inverted(lineSetting(115200, 8, 'N', 1)), lineSetting(115200, 8, 'N', 1), 40, 110},
	} {
		for _, by := range []simulate.LineSetting{row.by, waitsForIdle(row.by)} {
			telegram := encode(t, "p1-se-aidon")
			got := row.from.ReceivedBy(nil, telegram, by)
			if share := 100 * len(got) / len(telegram); share < row.low || share > row.high {
				t.Errorf("%s: %d of %d bytes, want %d to %d %%", row.name, len(got), len(telegram), row.low, row.high)
			}
			if again := row.from.ReceivedBy(nil, telegram, by); !bytes.Equal(got, again) {
				t.Errorf("%s: not the same again", row.name)
			}
			if bytes.Contains(got, []byte("1-0:1.8.0(")) && !by.WaitsForIdle {
				t.Errorf("%s: still readable", row.name)
			}
		}
	}
}

func TestReceivedByPanics(t *testing.T) {
	good := lineSetting(2400, 8, 'N', 1)
	for _, bad := range []simulate.LineSetting{{}, lineSetting(0, 8, 'N', 1), lineSetting(2400, 9, 'N', 1), lineSetting(2400, 8, 'X', 1), lineSetting(2400, 8, 'N', 0)} {
		for _, ends := range [][2]simulate.LineSetting{{good, bad}, {bad, good}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%v heard by %v: Heard does not panic", ends[0], ends[1])
					}
				}()
				ends[0].ReceivedBy(nil, nil, ends[1])
			}()
		}
	}
}
