//go:build linux

package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var simulatedOn = regexp.MustCompile(`tcp://127\.0\.0\.1:\d+`)

// TestFamiliesOverTCP plays every family to a doctor that is told nothing but the address and a file of keys.
func TestFamiliesOverTCP(t *testing.T) {
	hanbridge := buildProgram(t)
	keys := filepath.Join(t.TempDir(), "meter.key")
	if err := os.WriteFile(keys, []byte(simulate.EncryptionKey+" "+simulate.AuthenticationKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Eight at a time: each takes a second, in which it waits.
	for some := range slices.Chunk(simulate.Families(), 8) {
		t.Run(some[0].Name+" and others", func(t *testing.T) {
			t.Parallel()
			var doctors []*process
			for _, f := range some {
				meter := launch(t, nil, hanbridge, "simulate", "--family", f.Name, "--to", "tcp://127.0.0.1:0", "--speed", "100")
				meter.awaits(5*time.Second, "tcp://127.0.0.1:")
				address := simulatedOn.FindString(meter.said())
				doctors = append(doctors, launch(t, nil, hanbridge, "doctor", address, "--json", "--dwell", "1s", "--key-file", keys))
			}
			for i, f := range some {
				until(t, 20*time.Second, "the doctor is done", func() bool { return ended(doctors[i]) })
				checkDiagnosis(t, f, doctors[i].said())
			}
		})
	}
}

// checkDiagnosis looks at what the doctor says as JSON of a meter that is well.
func checkDiagnosis(t *testing.T, f simulate.Family, said string) {
	t.Helper()
	var report struct {
		OK     bool
		Meter  struct{ Make string }
		Cipher struct{ Encrypted bool }
		Values []string
	}
	_, text, _ := strings.Cut(said, "{")
	if err := json.NewDecoder(strings.NewReader("{" + text)).Decode(&report); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	if !report.OK || len(report.Values) == 0 || report.Cipher.Encrypted != (f.Cipher != 0) {
		t.Errorf("%s: got %+v", f.Name, report)
	}
	alike := strings.HasPrefix(f.Name, "landisgyr-no") // their list 1 is Aidon's to the byte
	if got := report.Meter.Make; got != "" && got != f.Make && !alike {
		t.Errorf("%s: got make %q, want %q", f.Name, got, f.Make)
	}
}
