package render

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDecodeTelnet tests that Decode reads a recording of a gateway in telnet mode, as bytes and as hexadecimal text. It also tests that Decode
// prints the advice about telnet once.
func TestDecodeTelnet(t *testing.T) {
	for _, family := range []string{"aidon-se", "aidon-no", "p1-se-aidon", "kamstrup-no"} {
		b := telnetRecording(t, family, 3)
		for name, input := range map[string][]byte{"bytes": b, "hex": []byte(hex.EncodeToString(b))} {
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, input, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, messages bytes.Buffer
			p := &cli.Program{Out: &out, Err: &messages}
			err := Decode(p, []string{file}, "json", nil)
			if got := strings.Count(out.String(), `"ok":true`); err != nil || got != 3 {
				t.Errorf("%s, %s: got %d telegrams, error %v, want 3 telegrams", family, name, got, err)
			}
			if got := strings.Count(messages.String(), line.Telnet.Advice()); got != 1 {
				t.Errorf("%s, %s: got the advice about telnet %d times, want it once:\n%s", family, name, got, &messages)
			}
		}
	}
}

// TestDecodeSharedField tests that Decode reads recordings of real devices. They are in the folder shared/field beside the project. The test is
// skipped without that folder.
func TestDecodeSharedField(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "..", "..", "shared", "field")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("%s does not exist; TestDecodeTelnet and TestBytesOfDumps of package capture test similar input", folder)
	}
	for _, tt := range []struct {
		file          string
		wantTelegrams int
		want          string // part of the output
		wantMessage   string // part of the message on standard error; "" for no message
	}{
		{"e570-currents.hex", 1, `"current_l1":"400","current_l2":"200","current_l3":"601"`, ""},
		{"hexdump-default.txt", 1, `"import_power":"549"`, ""},
		{"telnet-hdlc.bin", 6, `"import_energy":"40141.543"`, line.Telnet.Advice()},
	} {
		var out, messages bytes.Buffer
		p := &cli.Program{Out: &out, Err: &messages}
		err := Decode(p, []string{filepath.Join(folder, tt.file)}, "json", nil)
		if got := strings.Count(out.String(), `"ok":true`); err != nil || got != tt.wantTelegrams || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: got %d telegrams, error %v, want %d telegrams that contain %s:\n%s", tt.file, got, err, tt.wantTelegrams, tt.want, &out)
		}
		if (messages.Len() > 0) != (tt.wantMessage != "") || !strings.Contains(messages.String(), tt.wantMessage) {
			t.Errorf("%s: got message %q, want %q", tt.file, &messages, tt.wantMessage)
		}
	}
}

// telnet returns a telegram as a gateway in telnet mode sends it: after a negotiation, and with each FF doubled.
func telnet(b []byte) []byte {
	return append([]byte("\xFF\xFB\x03\xFF\xFD\x03"), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)
}

// telnetRecording returns telegrams of a simulated meter as a gateway in telnet mode sends them.
func telnetRecording(t *testing.T, family string, telegrams int) (b []byte) {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatal("no family " + family)
	}
	m := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	for range telegrams {
		_, telegram := m.Next()
		b = append(b, telnet(telegram)...)
	}
	return b
}
