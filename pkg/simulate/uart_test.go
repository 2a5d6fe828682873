package simulate_test

import (
	"bytes"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// lineSetting returns a setting such as 2400 8E1.
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

// TestReceivedAsSent checks that a receiver with the sender's setting gets all bytes, even if both are inverted or their clocks differ by 2 %.
func TestReceivedAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sender := lineSetting(rapid.SampledFrom([]int{300, 2400, 9600, 115200}).Draw(t, "baud"), rapid.IntRange(5, 8).Draw(t, "data bits"),
			rapid.SampledFrom([]byte("NEO")).Draw(t, "parity"), rapid.IntRange(1, 2).Draw(t, "stop bits"))
		sender.Inverted, sender.WaitsForIdle = rapid.Bool().Draw(t, "inverted"), rapid.Bool().Draw(t, "waits for idle")
		receiver := sender
		receiver.Baud += receiver.Baud / 1000 * rapid.IntRange(-20, 20).Draw(t, "clock, in 0.1 %")
		sent := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "sent")
		want := []byte("before")
		for _, x := range sent {
			want = append(want, x&(1<<sender.DataBits-1))
		}
		if got := sender.ReceivedBy([]byte("before"), sent, receiver); !bytes.Equal(got, want) {
			t.Fatalf("sent by %+v, received by %+v: got % x, want % x", sender, receiver, got, want)
		}
	})
}

// TestReceivedWithAnotherSetting compares the received bytes with bytes that were worked out by hand.
func TestReceivedWithAnotherSetting(t *testing.T) {
	noParity, even, sevenBits := lineSetting(2400, 8, 'N', 1), lineSetting(2400, 8, 'E', 1), lineSetting(2400, 7, 'E', 1)
	slow, fast := lineSetting(300, 8, 'N', 1), lineSetting(19200, 8, 'N', 1)
	for _, row := range []struct {
		name             string
		sender, receiver simulate.LineSetting
		sent, want       string
	}{
		{"no bytes", noParity, even, "", ""},
		{"the parity is received as bit 7", sevenBits, noParity, "ABC", "\x41\x42\xC3"},
		{"a parity bit of 0 is received as a start bit", even, noParity, "AB", "\x41\x09\xFE"},
		{"a parity bit of 0 is not a start bit if the receiver waits for an idle line", even, waitsForIdle(noParity), "ABC", "ABC"},
		{"a parity bit of 1 is received as a stop bit", even, noParity, "CE", "CE"},
		{"bytes with a wrong parity are received", lineSetting(2400, 8, 'O', 1), even, "ABC", "ABC"},
		{"the stop bit is received as parity, the next start bit as stop bit", noParity, even, "\x7E\xA0\xE2", "\x7E\xA0\xE2"},
		{"without parity, a receiver that waits for an idle line misses bytes", noParity, waitsForIdle(even), "\x7E\xA0\xE2\xFF", "\x7E\x13\xFF"},
		{"inverted levels end with a break", inverted(noParity), noParity, "U", "\x55\x00"},
		{"zero bits of a slow sender are a break", slow, noParity, "\x00", "\x00"},
		{"the start bit of a slow sender is received as several zero bits", slow, noParity, "\xFF", "\x80"},
		{"bits of a fast sender are missed", fast, noParity, "\x00\x00\x00\x00", "\xF0"},
	} {
		got := row.sender.ReceivedBy(nil, []byte(row.sent), row.receiver)
		if string(got) != row.want {
			t.Errorf("%s: sent %q with %+v, received with %+v: got % x, want % x", row.name, row.sent, row.sender, row.receiver, got, row.want)
		}
	}
}

// TestReceivedParityInBit7 checks that a receiver of eight bits gets all bytes of a sender of seven bits with parity.
func TestReceivedParityInBit7(t *testing.T) {
	telegram := encode(t, "p1-se-aidon")
	got := lineSetting(9600, 7, 'E', 1).ReceivedBy(nil, telegram, lineSetting(9600, 8, 'N', 1))
	if len(got) != len(telegram) {
		t.Fatalf("got %d bytes, want %d", len(got), len(telegram))
	}
	for i, x := range got {
		if x&0x7F != telegram[i] || bits.OnesCount8(x)%2 != 0 {
			t.Fatalf("byte %d: got %02x, want %02x with its even parity in bit 7", i, x, telegram[i])
		}
	}
}

// TestReceivedGarbled checks how many bytes of a telegram a receiver with a wrong setting reads. The text must not be
// readable, unless the receiver waits for an idle line.
func TestReceivedGarbled(t *testing.T) {
	for _, row := range []struct {
		name             string
		sender, receiver simulate.LineSetting
		low, high        int // received bytes, in percent of the sent bytes
	}{
		{"only the sender has parity", lineSetting(115200, 8, 'E', 1), lineSetting(115200, 8, 'N', 1), 90, 125},
		{"only the receiver has parity, and it waits for an idle line", lineSetting(115200, 8, 'N', 1), waitsForIdle(lineSetting(115200, 8, 'E', 1)), 40, 95},
		{"receiver is slower", lineSetting(115200, 8, 'N', 1), lineSetting(9600, 8, 'N', 1), 5, 12},
		{"receiver is much slower", lineSetting(115200, 8, 'N', 1), lineSetting(2400, 8, 'E', 1), 1, 3},
		{"receiver is faster", lineSetting(2400, 8, 'E', 1), lineSetting(115200, 8, 'N', 1), 100, 600},
		{"inverted", inverted(lineSetting(115200, 8, 'N', 1)), lineSetting(115200, 8, 'N', 1), 40, 110},
	} {
		for _, receiver := range []simulate.LineSetting{row.receiver, waitsForIdle(row.receiver)} {
			telegram := encode(t, "p1-se-aidon")
			got := row.sender.ReceivedBy(nil, telegram, receiver)
			if share := 100 * len(got) / len(telegram); share < row.low || share > row.high {
				t.Errorf("%s: got %d of %d bytes, want %d to %d %%", row.name, len(got), len(telegram), row.low, row.high)
			}
			if again := row.sender.ReceivedBy(nil, telegram, receiver); !bytes.Equal(got, again) {
				t.Errorf("%s: the second call returned other bytes", row.name)
			}
			if bytes.Contains(got, []byte("1-0:1.8.0(")) && !receiver.WaitsForIdle {
				t.Errorf("%s: the text is readable", row.name)
			}
		}
	}
}

// TestReceivedByPanics checks that ReceivedBy panics if the sender or the receiver has an impossible setting.
func TestReceivedByPanics(t *testing.T) {
	good := lineSetting(2400, 8, 'N', 1)
	for _, bad := range []simulate.LineSetting{{}, lineSetting(0, 8, 'N', 1), lineSetting(2400, 9, 'N', 1), lineSetting(2400, 8, 'X', 1), lineSetting(2400, 8, 'N', 0)} {
		for _, ends := range [][2]simulate.LineSetting{{good, bad}, {bad, good}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("sent by %+v, received by %+v: ReceivedBy does not panic", ends[0], ends[1])
					}
				}()
				ends[0].ReceivedBy(nil, nil, ends[1])
			}()
		}
	}
}
