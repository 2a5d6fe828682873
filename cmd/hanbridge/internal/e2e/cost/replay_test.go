//go:build linux

package cost_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// recordedTelegrams is the number of telegrams in the recording.
const recordedTelegrams = 3000

// writeRecording writes the telegrams of a meter with 30 quantities to a file, and returns its path.
func writeRecording(b *testing.B) string {
	b.Helper()
	var recording bytes.Buffer
	m := testbed.NewMeter(b, "p1-se-aidon", 1)
	for range recordedTelegrams {
		_, telegram := m.Next()
		recording.Write(telegram)
	}
	name := filepath.Join(b.TempDir(), "telegrams.txt")
	if err := os.WriteFile(name, recording.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkReplay measures how many telegrams with 30 quantities a bridge publishes in a second, with QoS 1 and a Mosquitto with the default
// configuration. In one iteration the bridge replays all telegrams of the recording, and then the reference publishes as many. The command to run the benchmark is:
//
//	go test ./cmd/hanbridge/internal/e2e/cost -run '^$' -bench Replay -benchtime 3x
func BenchmarkReplay(b *testing.B) {
	program, reference, file := releaseProgram(b), buildReference(b), writeRecording(b)
	address := startMosquitto(b, "")
	var bridgeTime, referenceTime time.Duration
	for b.Loop() {
		started := time.Now()
		startBridge(b, program, address, "replay:"+file).RequireSuccess()
		bridgeTime += time.Since(started)
		started = time.Now()
		testbed.Launch(b, nil, reference, address, "replay", strconv.Itoa(recordedTelegrams)).RequireSuccess()
		referenceTime += time.Since(started)
	}
	b.ReportMetric(recordedTelegrams*float64(b.N)/bridgeTime.Seconds(), "telegrams/s")
	b.ReportMetric(recordedTelegrams*float64(b.N)/referenceTime.Seconds(), "reference-telegrams/s")
	b.ReportMetric(referenceTime.Seconds()/bridgeTime.Seconds(), "ratio") // of the speeds
}
