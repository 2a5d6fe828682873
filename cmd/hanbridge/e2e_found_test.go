//go:build linux

package main_test

import (
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestFound runs the program between simulated meters of which it knows little and a real Mosquitto.
func TestFound(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"another profile":  testOtherProfile,
		"key and auth key": testKeys,
		"wrong keys": func(t *testing.T, hanbridge string) {
			testLocked(t, hanbridge, "does not fit: compare", "HANBRIDGE_METER_KEY", wrongKeys...)
		},
		"no key": func(t *testing.T, hanbridge string) { testLocked(t, hanbridge, "KAME…): set", "HANBRIDGE_METER_KEY") },
		"auth key is wrong": func(t *testing.T, hanbridge string) {
			testLocked(t, hanbridge, "its authentication key does not: compare", "HANBRIDGE_METER_AUTH_KEY", wrongAuthKey...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

// Keys as variables.
var (
	rightKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.AuthenticationKey}
	wrongKeys    = []string{"HANBRIDGE_METER_KEY=" + simulate.AuthenticationKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
	wrongAuthKey = []string{"HANBRIDGE_METER_KEY=" + simulate.EncryptionKey, "HANBRIDGE_METER_AUTH_KEY=" + simulate.EncryptionKey}
)

// plugSimulated starts a meter on a pseudo-terminal, twenty times as fast as a real one, and returns the variable of its port.
func plugSimulated(t *testing.T, hanbridge string, flags ...string) (port string) {
	t.Helper()
	simulated := launch(t, nil, hanbridge, append([]string{"simulate", "--to", "pty", "--speed", "20"}, flags...)...)
	simulated.awaits(5*time.Second, "\n")
	return "HANBRIDGE_METER_PORT=" + address(t, simulated)
}

// testOtherProfile has a grid company that changes from EFS to EFS2 while the meter is read.
func testOtherProfile(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	port := plugSimulated(t, hanbridge, "--family", "aidon-se", "--fault", "profile=20") // after ten seconds
	run := startRun(t, hanbridge, broker.url(), port, "HANBRIDGE_METER_SERIAL=auto")
	ears.hears(5*time.Second, "hanbridge/house/import_power")
	if got := protocol(t, ears.hears(5*time.Second, "hanbridge/house/info")); got != "hdlc" {
		t.Errorf("protocol before: got %q, want hdlc", got)
	}
	ears.hears(5*time.Second, "hanbridge/house/telegram") // it comes behind all its values
	before := valuesOf(ears.heard())

	ears.forget()
	event := ears.hears(20*time.Second, "hanbridge/house/event")
	var told struct{ Event, From, To string }
	if err := json.Unmarshal([]byte(event), &told); err != nil {
		t.Fatal(err)
	}
	if told.Event != "profile_changed" || told.From != "aidon hdlc" || told.To != "aidon p1" {
		t.Errorf("got %s, want profile_changed from aidon hdlc to aidon p1", event)
	}
	ears.forget()
	ears.hears(5*time.Second, "hanbridge/house/import_power")
	ears.hears(5*time.Second, "hanbridge/house/telegram")
	if got := protocol(t, broker.kept()["hanbridge/house/info"]); got != "p1" {
		t.Errorf("protocol after: got %q, want p1", got)
	}
	if diff := cmp.Diff(names(before), names(valuesOf(broker.kept()))); diff != "" {
		t.Errorf("topics (-before +after):\n%s", diff)
	}
	run.saidOnce("the meter speaks another profile")
	run.ends(syscall.SIGTERM, 2*time.Second)
	if n := strings.Count(ears.said(), "\nhanbridge/house/event "); n != 1 {
		t.Errorf("%d events, want one", n)
	}
}

// protocol is what the info of a meter says.
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

// testKeys finds the speed of a meter that encrypts, and reads it.
func testKeys(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	port := plugSimulated(t, hanbridge, "--family", "kamstrup-dk")
	variables := slices.Concat(rightKeys, []string{broker.url(), port, "HANBRIDGE_METER_SERIAL=auto", "HANBRIDGE_LOG_LEVEL=debug"})
	run := startRun(t, hanbridge, variables...)
	ears.hears(30*time.Second, "hanbridge/house/status", "online") // 12 s at 115200 baud come first
	for _, name := range []string{"import_power", "voltage_l1", "import_energy"} {
		ears.hears(time.Second, "hanbridge/house/"+name)
	}
	info := ears.hears(time.Second, "hanbridge/house/info")
	if !strings.Contains(info, `"make":"Kamstrup"`) || !strings.Contains(info, `"settings":"2400 8`) {
		t.Errorf("info: got %s, want Kamstrup at 2400 baud", info)
	}
	ears.hears(time.Second, "hanbridge/house/telegram_errors", "0")
	run.ends(syscall.SIGTERM, 2*time.Second)
	keepsKeys(t, run)
}

// testLocked wants the message about a setting, once, and nothing published of a meter that cannot be opened.
func testLocked(t *testing.T, hanbridge, message, setting string, keys ...string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	port := plugSimulated(t, hanbridge, "--family", "kamstrup-dk")
	variables := slices.Concat(keys, []string{broker.url(), port, "HANBRIDGE_METER_SERIAL=2400 8N1", "HANBRIDGE_LOG_LEVEL=debug"})
	run := startRun(t, hanbridge, variables...)
	run.awaits(5*time.Second, message+" "+setting)
	run.staysUp(2 * time.Second) // some telegrams more
	run.saidOnce("telegram is encrypted")
	if got := valuesOf(ears.heard()); len(got) > 0 {
		t.Errorf("published without a key: %v", got)
	}
	ears.hears(time.Second, "hanbridge/house/status", "offline")
	run.ends(syscall.SIGTERM, 2*time.Second)
	keepsKeys(t, run)
}

// keepsKeys wants none of the keys in what was said.
func keepsKeys(t *testing.T, run *process) {
	t.Helper()
	for _, key := range []string{simulate.EncryptionKey, simulate.AuthenticationKey} {
		if strings.Contains(strings.ToUpper(run.said()), key) {
			t.Errorf("it said a key:\n%s", run.said())
		}
	}
}
