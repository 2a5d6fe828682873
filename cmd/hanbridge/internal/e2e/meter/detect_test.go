//go:build linux

package meter_test

import (
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDetect tests that the program detects line settings and a new profile, and that it reports wrong and missing keys.
func TestDetect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"profile changes": testProfileChange,
		"right keys":      testKeys,
		"wrong keys": func(t *testing.T) {
			testNoKey(t, "does not fit: compare", "HANBRIDGE_METER_KEY", wrongKeys...)
		},
		"no key": func(t *testing.T) { testNoKey(t, "KAME…): set", "HANBRIDGE_METER_KEY") },
		"wrong authentication key": func(t *testing.T) {
			testNoKey(t, "its authentication key does not: compare", "HANBRIDGE_METER_AUTH_KEY", wrongAuthKey...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// Environment variables with keys. In wrongKeys the two keys of the simulated meter are exchanged. In wrongAuthKey both keys are the encryption
// key.
var (
	rightKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.AuthenticationKey}
	wrongKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.AuthenticationKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
	wrongAuthKey = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
)

// testProfileChange tests a meter whose profile changes from EFS (HDLC) to EFS2 (P1) while the bridge reads telegrams. The bridge must publish
// one event, and then values in the same topics as before.
func testProfileChange(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages, allMessages := broker.LogMessages(), broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "aidon-se", "--fault", "profile=20") // after 20 telegrams
	run := testbed.StartBridge(t, broker.URLVariable(), "HANBRIDGE_METER_PORT="+port, "HANBRIDGE_METER_SERIAL=auto")
	messages.AwaitMessage("hanbridge/house/import_power")
	if got := protocol(t, messages.AwaitMessage("hanbridge/house/info")); got != "hdlc" {
		t.Errorf("protocol before: got %q, want hdlc", got)
	}
	messages.AwaitMessage("hanbridge/house/telegram") // the last message of a telegram
	valuesBefore := testbed.Values(messages.Last())

	messages.Reset()
	event := messages.AwaitMessage("hanbridge/house/event")
	var change struct{ Event, From, To string }
	if err := json.Unmarshal([]byte(event), &change); err != nil {
		t.Fatal(err)
	}
	if change.Event != "profile_changed" || change.From != "aidon hdlc" || change.To != "aidon p1" {
		t.Errorf("event: got %s, want profile_changed from aidon hdlc to aidon p1", event)
	}
	messages.Reset()
	messages.AwaitMessage("hanbridge/house/import_power")
	messages.AwaitMessage("hanbridge/house/telegram")
	if got := protocol(t, broker.Retained()["hanbridge/house/info"]); got != "p1" {
		t.Errorf("protocol after: got %q, want p1", got)
	}
	if diff := cmp.Diff(names(valuesBefore), names(testbed.Values(broker.Retained()))); diff != "" {
		t.Errorf("topics (-before +after):\n%s", diff)
	}
	run.RequireOutputOnce("the format of the telegrams has changed")
	run.Stop(syscall.SIGTERM)
	if n := allMessages.Count("hanbridge/house/event", ""); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
}

// protocol returns the protocol in the info of a meter.
func protocol(t *testing.T, info string) string {
	t.Helper()
	var parsed struct{ Protocol string }
	if err := json.Unmarshal([]byte(info), &parsed); err != nil {
		t.Fatalf("info %q: %v", info, err)
	}
	return parsed.Protocol
}

// names returns the set of the quantities in values.
func names(values map[string]string) map[string]bool {
	set := map[string]bool{}
	for name := range values {
		set[name] = true
	}
	return set
}

// testKeys tests an encrypting meter with the right keys. The bridge must detect the line setting and publish the values.
func testKeys(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "kamstrup-dk")
	variables := slices.Concat(rightKeys, []string{broker.URLVariable(), "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_METER_SERIAL=auto", "HANBRIDGE_LOG_LEVEL=debug"})
	run := testbed.StartBridge(t, variables...)
	messages.AwaitMessage("hanbridge/house/status", "online") // the bridge first tries 115200 baud for 12 s
	for _, name := range []string{"import_power", "voltage_l1", "import_energy"} {
		messages.AwaitMessage("hanbridge/house/" + name)
	}
	info := messages.AwaitMessage("hanbridge/house/info")
	if !strings.Contains(info, `"make":"Kamstrup"`) || !strings.Contains(info, `"settings":"2400 8`) {
		t.Errorf("info: got %s, want Kamstrup at 2400 baud", info)
	}
	messages.AwaitMessage("hanbridge/house/telegram_errors", "0")
	run.Stop(syscall.SIGTERM)
	requireNoKey(t, run)
}

// testNoKey tests an encrypting meter with wrong keys or without keys. The bridge must log one message that contains the setting to correct. It
// must publish no value.
func testNoKey(t *testing.T, message, setting string, keys ...string) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "kamstrup-dk")
	variables := slices.Concat(keys, []string{broker.URLVariable(), "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_METER_SERIAL=2400 8N1", "HANBRIDGE_LOG_LEVEL=debug"})
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput(message + " " + setting)
	<-time.After(2 * time.Second) // in which more telegrams arrive
	run.RequireOutputOnce("telegram is encrypted")
	if got := testbed.Values(messages.Last()); len(got) > 0 {
		t.Errorf("values published without the right keys: got %v, want none", got)
	}
	messages.AwaitMessage("hanbridge/house/status", "offline")
	run.Stop(syscall.SIGTERM)
	requireNoKey(t, run)
}

// requireNoKey requires that the output contains none of the keys.
func requireNoKey(t *testing.T, run *testbed.Process) {
	t.Helper()
	for _, key := range []string{simulate.EncryptionKey, simulate.AuthenticationKey} {
		if strings.Contains(strings.ToUpper(run.Output()), key) {
			t.Errorf("the output contains a key:\n%s", run.Output())
		}
	}
}
