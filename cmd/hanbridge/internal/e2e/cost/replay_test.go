//go:build linux

package cost_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// recorded is the number of telegrams in the recording.
const recorded = 3000

// recording makes a recording of a meter with 30 quantities, and returns its path.
func recording(b *testing.B) string {
	b.Helper()
	var all bytes.Buffer
	m := testbed.NewMeter(b, "p1-se-aidon", 1)
	for range recorded {
		_, telegram := m.Next()
		all.Write(telegram)
	}
	name := filepath.Join(b.TempDir(), "telegrams.txt")
	if err := os.WriteFile(name, all.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkReplay is how many telegrams of 30 quantities at QoS 1 a bridge gets through a Mosquitto as Debian ships it, each
// published before the next. One iteration is a recording:
//
//	go test ./cmd/hanbridge/internal/e2e/cost -run '^$' -bench Replay -benchtime 3x
func BenchmarkReplay(b *testing.B) {
	program, file := releaseProgram(b), recording(b)
	address := startMosquitto(b, "")
	for b.Loop() {
		startBridge(b, program, address, "replay:"+file).RequireSuccess()
	}
	b.ReportMetric(recorded*float64(b.N)/b.Elapsed().Seconds(), "telegrams/s")
}
