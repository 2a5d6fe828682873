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

// readFaulty returns n telegrams of a family with faults. missed has for each telegram the number of earlier intervals that had no telegram.
func readFaulty(t *testing.T, family string, n int, faults ...string) (received [][]byte, missed []int) {
	t.Helper()
	f, ok := simulate.Named(family)
	newFamily, _ := simulate.Named("p1-se-aidon")
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
	m := simulate.NewFaultyMeter(simulate.NewMeter(f, 5, midsummer), 5, newFamily, list...)
	for i := range n {
		at, b := m.Next()
		received = append(received, bytes.Clone(b))
		missed = append(missed, int(at.Sub(midsummer)/f.Interval)-i)
	}
	return received, missed
}

// countDecoded counts the telegrams that a decoder with the published keys finds. encrypted counts the telegrams that these keys do not decrypt.
// protocols lists the protocols in the order in which they appear, with a blank before each.
func countDecoded(t *testing.T, received [][]byte) (good, damaged, encrypted int, protocols string) {
	t.Helper()
	d := meter.NewDecoder(bytes.NewReader(bytes.Join(received, nil)), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
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
		wantGood       int  // of 60 telegrams
		wantDamaged    bool // the decoder must report damaged telegrams
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
		{"kamstrup-dk", "crc=10,cut=4", 42, true}, // about 42, because some telegrams have both faults
	} {
		received, _ := readFaulty(t, row.family, 60, split(row.faults)...)
		good, damaged, _, _ := countDecoded(t, received)
		tolerance := 0
		if strings.Contains(row.faults, ",") {
			tolerance = 6
		}
		if good < row.wantGood-tolerance || good > row.wantGood+tolerance {
			t.Errorf("%s, %s: got %d good telegrams, want %d", row.family, row.faults, good, row.wantGood)
		}
		if damaged > 0 != row.wantDamaged {
			t.Errorf("%s, %s: got %d damaged telegrams, want damaged ones: %t", row.family, row.faults, damaged, row.wantDamaged)
		}
	}
}

// split returns the faults of a list with commas.
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
			t.Errorf("telegram %d: got %d bytes more than without noise, want 1 to 64 before the telegram", i, n)
		}
	}
}

// TestFaultSilence checks that nothing is sent for seven intervals after each 20 telegrams.
func TestFaultSilence(t *testing.T) {
	_, missed := readFaulty(t, "p1-se-aidon", 45, "silence=7")
	for i, want := range map[int]int{0: 0, 19: 0, 20: 7, 39: 7, 40: 14, 44: 14} {
		if missed[i] != want {
			t.Errorf("telegram %d: got %d earlier intervals without a telegram, want %d", i, missed[i], want)
		}
	}
}

// TestFaultBaud checks that a decoder finds telegrams only at the speed of the meter.
func TestFaultBaud(t *testing.T) {
	for _, row := range []struct {
		family, fault string
		wantGood      int // of five telegrams
	}{
		{"p1-se-aidon", "baud=115200", 5},
		{"p1-se-aidon", "baud", 0},
		{"p1-se-aidon", "baud=2400", 0},
		{"aidon-no1", "baud", 0},
		{"p1-nl-22", "baud", 0},
		{"kamstrup-no1", "baud=2400", 5},
	} {
		received, _ := readFaulty(t, row.family, 5, row.fault)
		if good, _, _, _ := countDecoded(t, received); good != row.wantGood {
			t.Errorf("%s, %s: got %d good telegrams, want %d", row.family, row.fault, good, row.wantGood)
		}
		for i, b := range received {
			if len(b) == 0 {
				t.Errorf("%s, %s: no bytes received for telegram %d", row.family, row.fault, i)
			}
		}
	}
}

// TestFaultProfile checks that the meter sends telegrams of the new family after three telegrams.
func TestFaultProfile(t *testing.T) {
	received, missed := readFaulty(t, "aidon-se", 8, "profile=3")
	good, damaged, _, protocols := countDecoded(t, received)
	if good != 8 || damaged != 0 || protocols != " hdlc p1" {
		t.Errorf("got %d good and %d damaged telegrams, protocols%s; want 8 good, protocols hdlc p1", good, damaged, protocols)
	}
	if !bytes.HasPrefix(received[3], []byte("/ADN9")) || bytes.HasPrefix(received[2], []byte("/")) || missed[7] != 0 {
		t.Errorf("got %q and %q at the beginning of telegrams 2 and 3, want /ADN9 in telegram 3 only", received[2][:5], received[3][:5])
		t.Errorf("got %d intervals without a telegram, want none", missed[7])
	}
}

// TestFaultKey checks that the decoder cannot decrypt the telegrams that the fault encrypts with another key.
func TestFaultKey(t *testing.T) {
	received, _ := readFaulty(t, "kamstrup-dk", 9, "key")
	if good, damaged, encrypted, _ := countDecoded(t, received); good != 0 || damaged != 0 || encrypted != 9 {
		t.Errorf("key: got %d good, %d damaged and %d encrypted telegrams, want 9 encrypted", good, damaged, encrypted)
	}
	received, _ = readFaulty(t, "kamstrup-dk", 9, "key=3")
	if good, damaged, encrypted, _ := countDecoded(t, received); good != 6 || damaged+encrypted != 3 {
		t.Errorf("key=3: got %d good, %d damaged and %d encrypted telegrams, want 6 good", good, damaged, encrypted)
	}
}

// TestFaultsDependOnSeed checks that two meters with the same seed have the same faults.
func TestFaultsDependOnSeed(t *testing.T) {
	all := []string{"crc", "cut", "noise", "merge", "silence", "key"}
	a, _ := readFaulty(t, "kamstrup-dk", 50, all...)
	b, _ := readFaulty(t, "kamstrup-dk", 50, all...)
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			t.Fatalf("telegram %d: got % x, then % x from the same seed", i, a[i], b[i])
		}
	}
}

// TestParseFault checks the faults that ParseFault reads, and the texts that it rejects.
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
