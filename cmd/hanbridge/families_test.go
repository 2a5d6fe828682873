package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestFamiliesComeBack wants the telegrams of every family back from decode as simulate sent them, every byte of them.
func TestFamiliesComeBack(t *testing.T) {
	for _, f := range simulate.Families() {
		sent := output(t, nil, "simulate", "--family", f.Name, "--count", "3", "--start", "2026-06-01T00:00:00+02:00")
		file := filepath.Join(t.TempDir(), "sent")
		if err := os.WriteFile(file, []byte(sent), 0o600); err != nil {
			t.Fatal(err)
		}
		good, bytes := 0, 0
		for line := range strings.Lines(output(t, nil, "decode", "--format", "json", "--key", simulate.EncryptionKey, "--auth-key", simulate.AuthenticationKey, file)) {
			var telegram struct {
				OK     bool
				Bytes  int
				Values map[string]string
			}
			if err := json.Unmarshal([]byte(line), &telegram); err != nil {
				t.Fatal(err)
			}
			if bytes += telegram.Bytes; telegram.OK && len(telegram.Values) > 0 {
				good++
			}
		}
		if good != 3 || bytes != len(sent) {
			t.Errorf("%s: %d of 3 telegrams with values and %d of %d bytes came back", f.Name, good, bytes, len(sent))
		}
	}
}
