//go:build linux

package meter_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestFamiliesOverTCP tests the command doctor with every simulated family of meters. From an address and a key file the command must find a
// working meter of the right manufacturer.
func TestFamiliesOverTCP(t *testing.T) {
	t.Parallel()
	keyFile := filepath.Join(t.TempDir(), "meter.key")
	if err := os.WriteFile(keyFile, []byte(simulate.EncryptionKey+" "+simulate.AuthenticationKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for families := range slices.Chunk(simulate.Families(), 4) {
		t.Run(families[0].Name+" and others", func(t *testing.T) {
			t.Parallel()
			var doctors []*testbed.Process
			for _, f := range families {
				address := strings.TrimPrefix(startGateway(t, func(_ int, c *net.TCPConn) { sendTelegrams(f, c) }), "HANBRIDGE_METER_PORT=")
				doctors = append(doctors, testbed.Hanbridge(t, nil, "doctor", address, "--json", "--dwell", "5s", "--key-file", keyFile))
			}
			for i, f := range families {
				doctors[i].ExitCode() // waits for the end
				checkDiagnosis(t, f, doctors[i].Output())
			}
		})
	}
}

// sendTelegrams sends five telegrams a second until the connection is closed. The command doctor needs several telegrams in a short time.
func sendTelegrams(f simulate.Family, c *net.TCPConn) {
	defer c.Close()
	pace := time.NewTicker(200 * time.Millisecond)
	defer pace.Stop()
	for m := simulate.NewMeter(f, 1, time.Now()); ; <-pace.C {
		_, telegram := m.Next()
		if _, err := c.Write(telegram); err != nil {
			return
		}
	}
}

// checkDiagnosis requires a JSON report of doctor about a working meter of the family.
func checkDiagnosis(t *testing.T, f simulate.Family, output string) {
	t.Helper()
	var report struct {
		OK     bool
		Meter  struct{ Make string }
		Cipher struct{ Encrypted bool }
		Values []string
	}
	_, text, _ := strings.Cut(output, "{") // log lines can precede the report
	if err := json.NewDecoder(strings.NewReader("{" + text)).Decode(&report); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	if !report.OK || len(report.Values) == 0 || report.Cipher.Encrypted != (f.Cipher != 0) {
		t.Errorf("%s: got report %+v, want a working meter with values, encrypted: %v", f.Name, report, f.Cipher != 0)
	}
	looksLikeAidon := strings.HasPrefix(f.Name, "landisgyr-no") // the shortest telegram of these meters has the same bytes as Aidon's
	// The manufacturer is empty if the telegrams do not contain it.
	if got := report.Meter.Make; got != "" && got != f.Make && !looksLikeAidon {
		t.Errorf("%s: got manufacturer %q, want %q", f.Name, got, f.Make)
	}
}
