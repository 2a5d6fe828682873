package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// readFaulty returns n telegrams of a family with faults, and by how many intervals each is late compared with a meter without gaps.
func readFaulty(t *testing.T, family string, n int, faults ...string) (pieces [][]byte, late []int) {
	t.Helper()
	f, ok := simulate.Named(family)
	then, _ := simulate.Named("p1-se-aidon")
	if !ok {
		t.Fatalf("no family %s", family)
	}
	var list []simulate.Fault
	for _, text := range faults {
		x, err := simulate.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	line := simulate.NewFaultyMeter(simulate.NewMeter(f, 5, midsummer), 5, then, list...)
	for i := range n {
		at, b := line.Next()
		pieces = append(pieces, bytes.Clone(b))
		late = append(late, int(at.Sub(midsummer)/f.Interval)-i)
	}
	return pieces, late
}

// decodePieces counts the telegrams that a decoder with the published keys finds in pieces.
func decodePieces(t *testing.T, pieces [][]byte) (good, damaged, encrypted int, protocols string) {
	t.Helper()
	d := meter.NewDecoder(bytes.NewReader(bytes.Join(pieces, nil)), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	for {
		r, err := d.Next()
		var bad *meter.TelegramError
		switch {
		case errors.Is(err, io.EOF):
			return good, damaged, encrypted, protocols
		case errors.As(err, &bad):
			if e, ok := errors.AsType[*dlms.EncryptedError](bad.Err); ok && e.Tried {
				encrypted++
				continue
			}
			damaged++
		case err != nil:
			t.Fatal(err)
		default:
			good++
			if !strings.HasSuffix(protocols, string(r.Protocol)) {
				protocols += " " + string(r.Protocol)
			}
		}
	}
}

// TestFaults checks that each fault damages as many telegrams as its N says, and no others.
func TestFaults(t *testing.T) {
	for _, row := range []struct {
		family, faults string
		good           int
		damaged        bool
	}{
		{"p1-se-aidon", "", 60, false},
		{"p1-se-aidon", "crc=5", 48, true},
		{"aidon-se", "crc=5", 48, true},
		{"kaifa-at", "crc=3", 40, true},
		{"iskra-ch", "crc=4", 45, true},
		{"landisgyr-ch-glo", "crc=4", 45, true},
		{"p1-lu", "crc=6", 50, true},
		{"p1-se-aidon", "cut=5", 48, true},
		{"aidon-se", "cut=6", 50, true},
		{"p1-nl-5", "merge=5", 48, true},
		{"kamstrup-dk", "merge=6", 50, true},
		{"p1-se-aidon", "noise=1", 60, false},
		{"aidon-no1", "silence=7", 60, false},
		{"kamstrup-dk", "crc=10,cut=4", 42, true}, // some telegrams have both faults
	} {
		pieces, _ := readFaulty(t, row.family, 60, split(row.faults)...)
		good, damaged, _, _ := decodePieces(t, pieces)
		if both := strings.Contains(row.faults, ","); good != row.good && (!both || good < row.good-6 || good > row.good+6) {
			t.Errorf("%s, %s: got %d good telegrams, want %d", row.family, row.faults, good, row.good)
		}
		if damaged > 0 != row.damaged {
			t.Errorf("%s, %s: got %d damaged telegrams", row.family, row.faults, damaged)
		}
	}
}

func split(faults string) []string {
	if faults == "" {
		return nil
	}
	return strings.Split(faults, ",")
}

// TestFaultNoise checks that noise is sent before a telegram, and that the telegram is intact.
func TestFaultNoise(t *testing.T) {
	clean, _ := readFaulty(t, "p1-se-aidon", 20)
	noisy, _ := readFaulty(t, "p1-se-aidon", 20, "noise=1")
	for i := range clean {
		if n := len(noisy[i]) - len(clean[i]); n < 1 || n > 64 || !bytes.HasSuffix(noisy[i], clean[i]) {
			t.Errorf("telegram %d: %d bytes of noise, want 1 to 64 before it", i, n)
		}
	}
}

func TestFaultSilence(t *testing.T) {
	_, late := readFaulty(t, "p1-se-aidon", 45, "silence=7")
	for i, want := range map[int]int{0: 0, 19: 0, 20: 7, 39: 7, 40: 14, 44: 14} {
		if late[i] != want {
			t.Errorf("telegram %d is %d intervals late, want %d", i, late[i], want)
		}
	}
}

// TestFaultBaud checks that a decoder finds telegrams at the meter's own speed only.
func TestFaultBaud(t *testing.T) {
	for _, row := range []struct {
		family, fault string
		good          int
	}{
		{"p1-se-aidon", "baud=115200", 5},
		{"p1-se-aidon", "baud", 0},
		{"p1-se-aidon", "baud=2400", 0},
		{"aidon-no1", "baud", 0},
		{"p1-nl-22", "baud", 0},
		{"kamstrup-no1", "baud=2400", 5},
	} {
		pieces, _ := readFaulty(t, row.family, 5, row.fault)
		if good, _, _, _ := decodePieces(t, pieces); good != row.good {
			t.Errorf("%s, %s: got %d good telegrams, want %d", row.family, row.fault, good, row.good)
		}
		for i, b := range pieces {
			if len(b) == 0 {
				t.Errorf("%s, %s: piece %d is empty", row.family, row.fault, i)
			}
		}
	}
}

func TestFaultProfile(t *testing.T) {
	pieces, late := readFaulty(t, "aidon-se", 8, "profile=3")
	good, damaged, _, protocols := decodePieces(t, pieces)
	if good != 8 || damaged != 0 || protocols != " hdlc p1" {
		t.Errorf("got %d good, %d damaged,%s; want 8 good, hdlc then p1", good, damaged, protocols)
	}
	if !bytes.HasPrefix(pieces[3], []byte("/ADN9")) || bytes.HasPrefix(pieces[2], []byte("/")) || late[7] != 0 {
		t.Errorf("the third telegram begins with %q, the fourth with %q, the last is %d late", pieces[2][:5], pieces[3][:5], late[7])
	}
}

func TestFaultKey(t *testing.T) {
	pieces, _ := readFaulty(t, "kamstrup-dk", 9, "key")
	if good, damaged, encrypted, _ := decodePieces(t, pieces); good != 0 || damaged != 0 || encrypted != 9 {
		t.Errorf("always: got %d good, %d damaged and %d encrypted telegrams, want 9 encrypted", good, damaged, encrypted)
	}
	pieces, _ = readFaulty(t, "kamstrup-dk", 9, "key=3")
	if good, damaged, encrypted, _ := decodePieces(t, pieces); good != 6 || damaged+encrypted != 3 {
		t.Errorf("one of three: got %d good, %d damaged and %d encrypted telegrams, want 6 good", good, damaged, encrypted)
	}
}

// TestFaultsFollowFromTheSeed checks that one seed gives the same faults twice.
func TestFaultsFollowFromTheSeed(t *testing.T) {
	all := []string{"crc", "cut", "noise", "merge", "silence", "key"}
	a, _ := readFaulty(t, "kamstrup-dk", 50, all...)
	b, _ := readFaulty(t, "kamstrup-dk", 50, all...)
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			t.Fatalf("piece %d differs", i)
		}
	}
}

func TestParseFault(t *testing.T) {
	for _, k := range simulate.FaultKinds() {
		if got, err := simulate.ParseFault(k.Name); err != nil || got != (simulate.Fault{Kind: k.Name, N: k.Default}) {
			t.Errorf("%s: got %+v, %v", k.Name, got, err)
		}
		if got, err := simulate.ParseFault(k.Name + "=17"); err != nil || got != (simulate.Fault{Kind: k.Name, N: 17}) {
			t.Errorf("%s=17: got %+v, %v", k.Name, got, err)
		}
	}
	for _, text := range []string{"", "lightning", "crc=", "crc=0", "crc=-1", "crc=x", "crc=1000001", "=3"} {
		if got, err := simulate.ParseFault(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}
