//go:build linux

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// recorded is how many telegrams a recording of the benchmark and of the test holds.
const recorded = 3000

// recording is a file of them, of a meter with 30 quantities.
func recording(t testing.TB) string {
	t.Helper()
	f, ok := simulate.Named("p1-se-aidon")
	if !ok {
		t.Fatal("no such family")
	}
	var all bytes.Buffer
	m := simulate.NewMeter(f, 1, noon)
	for range recorded {
		_, telegram := m.Next()
		all.Write(telegram)
	}
	name := filepath.Join(t.TempDir(), "telegrams.txt")
	if err := os.WriteFile(name, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// BenchmarkReplay is how many telegrams of 30 quantities at QoS 1 a bridge gets through a Mosquitto as Debian ships it, each
// published before the next. One iteration is a recording:
//
//	go test ./cmd/hanbridge -run '^$' -bench Replay -benchtime 3x
func BenchmarkReplay(b *testing.B) {
	program, file := releaseProgram(b), recording(b)
	address := startMosquitto(b, "")
	dialUntil(b, address, 5*time.Second).Close()
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), program, "run")
		cmd.Dir = b.TempDir()
		cmd.Env = append(os.Environ(), "HANBRIDGE_MQTT_URL=mqtt://"+address, "HANBRIDGE_METER_PORT=replay:"+file,
			"HANBRIDGE_PUBLISH=realtime", "HANBRIDGE_STATE_DIR="+cmd.Dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	b.ReportMetric(recorded*float64(b.N)/b.Elapsed().Seconds(), "telegrams/s")
}

// TestReplayPublishesEachTelegram counts what a subscriber hears of a recording.
func TestReplayPublishesEachTelegram(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	t.Parallel()
	hanbridge, file := buildProgram(t), recording(t)
	broker := startedMosquitto(t, "allow_anonymous true", "max_queued_messages 0") // none may be lost on the way to the subscriber
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), "HANBRIDGE_METER_PORT=replay:"+file, "HANBRIDGE_PUBLISH=realtime")
	run.endsWell(60 * time.Second)
	run.saidOnce("end of the recording")
	ears.hears(20*time.Second, "hanbridge/status", "offline") // the last
	said := ears.said()
	for _, name := range []string{"telegram", "import_power", "current_l3", "import_energy"} {
		if got := strings.Count(said, fmt.Sprintf("\nhanbridge/house/%s ", name)); got != recorded {
			t.Errorf("%s: heard %d times, want once for each of %d telegrams", name, got, recorded)
		}
	}
}
