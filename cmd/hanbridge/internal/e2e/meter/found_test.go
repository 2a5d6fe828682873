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

// TestFound tests that the program finds the line setting, the key or the profile of simulated meters, and publishes to a Mosquitto.
func TestFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"another profile":  testOtherProfile,
		"key and auth key": testKeys,
		"wrong keys": func(t *testing.T) {
			testNoKey(t, "does not fit: compare", "HANBRIDGE_METER_KEY", wrongKeys...)
		},
		"no key": func(t *testing.T) { testNoKey(t, "KAME…): set", "HANBRIDGE_METER_KEY") },
		"auth key is wrong": func(t *testing.T) {
			testNoKey(t, "its authentication key does not: compare", "HANBRIDGE_METER_AUTH_KEY", wrongAuthKey...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// Environment variables with keys.
var (
	rightKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.AuthenticationKey}
	wrongKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.AuthenticationKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
	wrongAuthKey = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
)

// testOtherProfile tests a meter whose profile changes from EFS to EFS2 while it is read.
func testOtherProfile(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages, all := broker.LogMessages(), broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "aidon-se", "--fault", "profile=20") // after ten seconds
	run := testbed.StartBridge(t, broker.URLVariable(), "HANBRIDGE_METER_PORT="+port, "HANBRIDGE_METER_SERIAL=auto")
	messages.AwaitMessage("hanbridge/house/import_power")
	if got := protocol(t, messages.AwaitMessage("hanbridge/house/info")); got != "hdlc" {
		t.Errorf("protocol before: got %q, want hdlc", got)
	}
	messages.AwaitMessage("hanbridge/house/telegram") // it comes behind all its values
	before := testbed.Values(messages.Last())

	messages.Reset()
	event := messages.AwaitMessage("hanbridge/house/event")
	var told struct{ Event, From, To string }
	if err := json.Unmarshal([]byte(event), &told); err != nil {
		t.Fatal(err)
	}
	if told.Event != "profile_changed" || told.From != "aidon hdlc" || told.To != "aidon p1" {
		t.Errorf("got %s, want profile_changed from aidon hdlc to aidon p1", event)
	}
	messages.Reset()
	messages.AwaitMessage("hanbridge/house/import_power")
	messages.AwaitMessage("hanbridge/house/telegram")
	if got := protocol(t, broker.Retained()["hanbridge/house/info"]); got != "p1" {
		t.Errorf("protocol after: got %q, want p1", got)
	}
	if diff := cmp.Diff(names(before), names(testbed.Values(broker.Retained()))); diff != "" {
		t.Errorf("topics (-before +after):\n%s", diff)
	}
	run.RequireOutputOnce("the meter speaks another profile")
	run.Stop(syscall.SIGTERM)
	if n := all.Count("hanbridge/house/event", ""); n != 1 {
		t.Errorf("%d events, want one", n)
	}
}

// protocol returns the protocol in the info of a meter.
func protocol(t *testing.T, info string) string {
	t.Helper()
	var about struct{ Protocol string }
	if err := json.Unmarshal([]byte(info), &about); err != nil {
		t.Fatalf("info %q: %v", info, err)
	}
	return about.Protocol
}

func names(values map[string]string) map[string]bool {
	all := map[string]bool{}
	for name := range values {
		all[name] = true
	}
	return all
}

// testKeys tests that the speed of an encrypting meter is found, and that the meter is read.
func testKeys(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "kamstrup-dk")
	variables := slices.Concat(rightKeys, []string{broker.URLVariable(), "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_METER_SERIAL=auto", "HANBRIDGE_LOG_LEVEL=debug"})
	run := testbed.StartBridge(t, variables...)
	messages.AwaitMessage("hanbridge/house/status", "online") // 12 s at 115200 baud come first
	for _, name := range []string{"import_power", "voltage_l1", "import_energy"} {
		messages.AwaitMessage("hanbridge/house/" + name)
	}
	info := messages.AwaitMessage("hanbridge/house/info")
	if !strings.Contains(info, `"make":"Kamstrup"`) || !strings.Contains(info, `"settings":"2400 8`) {
		t.Errorf("info: got %s, want Kamstrup at 2400 baud", info)
	}
	messages.AwaitMessage("hanbridge/house/telegram_errors", "0")
	run.Stop(syscall.SIGTERM)
	keepsKeys(t, run)
}

// testNoKey requires one log message about a setting, and no published value, for a meter whose telegrams no key decrypts.
func testNoKey(t *testing.T, message, setting string, keys ...string) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "kamstrup-dk")
	variables := slices.Concat(keys, []string{broker.URLVariable(), "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_METER_SERIAL=2400 8N1", "HANBRIDGE_LOG_LEVEL=debug"})
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput(message + " " + setting)
	<-time.After(2 * time.Second) // some telegrams more
	run.RequireOutputOnce("telegram is encrypted")
	if got := testbed.Values(messages.Last()); len(got) > 0 {
		t.Errorf("published without a key: %v", got)
	}
	messages.AwaitMessage("hanbridge/house/status", "offline")
	run.Stop(syscall.SIGTERM)
	keepsKeys(t, run)
}

// keepsKeys requires that the output contains none of the keys.
func keepsKeys(t *testing.T, run *testbed.Process) {
	t.Helper()
	for _, key := range []string{simulate.EncryptionKey, simulate.AuthenticationKey} {
		if strings.Contains(strings.ToUpper(run.Output()), key) {
			t.Errorf("it said a key:\n%s", run.Output())
		}
	}
}
