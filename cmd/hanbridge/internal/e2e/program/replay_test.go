//go:build linux

package program_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestReplayPublishesEachTelegram counts what a subscriber hears of a recording. It has more telegrams than an output may be behind.
func TestReplayPublishesEachTelegram(t *testing.T) {
	t.Parallel()
	const recorded = 1000
	recording := filepath.Join(t.TempDir(), "recording")
	testbed.Launch(t, nil, "sh", "-c", `"$0" simulate --family p1-se-aidon --count "$1" >"$2"`, testbed.Program(t), fmt.Sprint(recorded), recording).RequireSuccess()
	broker := testbed.StartMosquitto(t, "allow_anonymous true", "max_queued_messages 0") // none may be lost on the way to the subscriber
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), "HANBRIDGE_METER_PORT=replay:"+recording)
	run.RequireSuccess()
	run.RequireOutputOnce("end of the recording")
	messages.AwaitMessage("hanbridge/house/status", "offline")
	messages.AwaitMessage("hanbridge/status", "offline") // the last
	for _, name := range []string{"telegram", "import_power", "current_l3", "import_energy"} {
		if got := messages.Count("hanbridge/house/"+name, ""); got != recorded {
			t.Errorf("%s: heard %d times, want once for each of %d telegrams", name, got, recorded)
		}
	}
}
