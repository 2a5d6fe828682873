//go:build linux

package broker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A guarded is a Mosquitto with two listeners: an open one for the test, and a protected one for the bridge.
type guarded struct {
	*testbed.Mosquitto
	at string // host:port of the protected listener
}

// startedGuarded starts a broker. lines configure the protected listener.
func startedGuarded(t *testing.T, lines ...string) *guarded {
	t.Helper()
	port, at := testbed.FreePort(t), "127.0.0.1:"+testbed.FreePort(t)
	// Without socket_domain a websockets listener accepts connections from the whole network.
	lines = append([]string{"user root", "per_listener_settings true", "persistence false", "set_tcp_nodelay true", "log_type all",
		"listener " + port + " 127.0.0.1", "allow_anonymous true", "listener " + strings.TrimPrefix(at, "127.0.0.1:") + " 127.0.0.1", "socket_domain ipv4"}, lines...)
	g := &guarded{testbed.ConfigureMosquitto(t, port, strings.Join(lines, "\n")+"\n"), at}
	testbed.AwaitPort(t, at)
	return g
}

// to returns the variable that makes a bridge connect to the protected listener.
func (g *guarded) to(scheme string) string { return "HANBRIDGE_MQTT_URL=" + scheme + "://" + g.at }

// secret is the password of all users. It may not be in any output.
const secret = "Sup3r:secret#"

// anyCertificate is the variable that makes a bridge accept any certificate of the broker.
const anyCertificate = "HANBRIDGE_MQTT_INSECURE_SKIP_VERIFY=true"

// An access describes a protected broker and the settings of a bridge that connects to it.
type access struct {
	scheme    string
	lines     []string // lines of the protected listener's configuration
	variables []string
	want      string // text in the error if the broker refuses the bridge; "" if it accepts the bridge
}

// TestSecure tests the program at a Mosquitto with passwords, TLS and client certificates.
func TestSecure(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "mosquitto_passwd")
	for name, d := range accesses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d.want == "" {
				testLetIn(t, d)
				return
			}
			testKeptOut(t, d)
		})
	}
	t.Run("access rules", func(t *testing.T) { t.Parallel(); testAccessRules(t) })
}

func accesses(t *testing.T) map[string]access {
	t.Helper()
	ours, theirs, later := newAuthority(t), newAuthority(t), time.Now().Add(time.Hour)
	broker, bridge, stranger := ours.issues("127.0.0.1", later), ours.issues("cellar", later), theirs.issues("cellar", later)
	open, ws, trusted := "allow_anonymous true", "protocol websockets", []string{ours.trusts()}
	tls := slices.Concat([]string{open}, broker.serves())
	both := slices.Concat(tls, []string{"cafile " + ours.file, "require_certificate true"})
	login := []string{"allow_anonymous false", "password_file " + testbed.Passwords(t, secret, "anna")}
	anna := []string{"HANBRIDGE_MQTT_USERNAME=anna", "HANBRIDGE_MQTT_PASSWORD=" + secret}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]access{
		"mqtts":                       {"mqtts", tls, trusted, ""},
		"mqtts, certificate":          {"mqtts", both, append(bridge.shown(), ours.trusts()), ""},
		"mqtts, certificate as login": {"mqtts", append(both, "use_identity_as_username true"), append(bridge.shown(), ours.trusts()), ""},
		"mqtts, password":             {"mqtts", slices.Concat(login, broker.serves()), append(anna, ours.trusts()), ""},
		"ws":                          {"ws", []string{open, ws}, nil, ""},
		"ws, password":                {"ws", append(login, ws), anna, ""},
		"wss":                         {"wss", append(tls, ws), trusted, ""},
		"password in a file":          {"mqtt", login, []string{anna[0], "HANBRIDGE_MQTT_PASSWORD_FILE=" + file}, ""},

		"mqtts, any certificate": {"mqtts", append(ours.issuesOld("127.0.0.1").serves(), open), []string{anyCertificate}, ""},
		"wss, any certificate":   {"wss", append(tls, ws), []string{anyCertificate}, ""},

		"common name alone":      {"mqtts", append(ours.issuesOld("127.0.0.1").serves(), open), trusted, `in the common name alone (CN=127.0.0.1), which counts no more: make one with a subjectAltName (openssl req `},
		"common name of another": {"wss", append(ours.issuesOld("broker.home").serves(), open, ws), trusted, "or give up the check with mqtt.insecure_skip_verify: true"},
		"unknown authority":      {"mqtts", tls, nil, "signed by nobody known here (set mqtt.ca_file to the certificate of its authority)"},
		"another authority":      {"mqtts", tls, []string{theirs.trusts()}, "(set mqtt.ca_file "},
		"another, websocket":     {"wss", append(tls, ws), []string{theirs.trusts()}, "(set mqtt.ca_file "},
		"another name":           {"mqtts", append(ours.issues("broker.home", later).serves(), open), trusted, "(use a name from the certificate in mqtt.url, or make one with IP:127.0.0.1)"},
		"expired":                {"mqtts", append(ours.issues("127.0.0.1", time.Now().Add(-time.Hour)).serves(), open), trusted, "(is the clock right? If so, renew it at the broker)"},
		"no certificate":         {"mqtts", both, trusted, "(does it want a certificate, mqtt.cert_file and mqtt.key_file?)"},
		"stranger":               {"mqtts", both, append(stranger.shown(), ours.trusts()), "(does it know the authority of the certificate in mqtt.cert_file?)"},
		"wrong password":         {"mqtt", login, []string{anna[0], "HANBRIDGE_MQTT_PASSWORD=not-" + secret}, "(is the password right, may this user connect?)"},
		"no password":            {"mqtts", slices.Concat(login, broker.serves()), trusted, "(set mqtt.username and mqtt.password)"},
		"wrong password, ws":     {"ws", append(login, ws), []string{anna[0], "HANBRIDGE_MQTT_PASSWORD=not-" + secret}, "(is the password right, may this user connect?)"},
		"mqtt where TLS is":      {"mqtt", tls, nil, "it wants encryption: write mqtts:// in mqtt.url"},
		"mqtts where none is":    {"mqtts", []string{open}, trusted, "it speaks MQTT without encryption and websocket: write mqtt:// in mqtt.url"},
		"ws where mqtt is":       {"ws", []string{open}, nil, "it speaks MQTT without encryption and websocket: write mqtt:// in mqtt.url"},
		"mqtt where ws is":       {"mqtt", []string{open, ws}, nil, "(it is a web server: is the port in mqtt.url right? For a websocket there write ws://)"},
	}
}

// testLetIn tests a broker that accepts the bridge: all values are published, and the last values and the status when the bridge stops.
func testLetIn(t *testing.T, d access) {
	broker, cable := startedGuarded(t, d.lines...), testbed.PlugCable(t, "p1-se-aidon")
	variables := slices.Concat(d.variables, []string{broker.to(d.scheme), cable.PortVariable(), "HANBRIDGE_LOG_LEVEL=debug"})
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("port opened")
	messages.AwaitMessage("hanbridge/status", "online")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	messages.AwaitMessage("hanbridge/house/status", "online")
	checkRetained(t, broker.Mosquitto, messages)

	check := testbed.Hanbridge(t, variables, "check")
	check.RequireSuccess()
	check.RequireOutputOnce("connected, may publish, may retain")
	if slices.Contains(d.variables, anyCertificate) {
		run.RequireOutputOnce("the broker's certificate is not looked at")
		check.RequireOutputOnce("the broker's certificate is not looked at")
	}

	cable.Send() // it may be read or not; what is read is delivered
	run.Stop(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, messages)
	wantNoSecret(t, run, check)
}

// checkRetained requires the retained values of the first telegram, and the announcement.
func checkRetained(t *testing.T, broker *testbed.Mosquitto, messages *testbed.MessageLog) {
	t.Helper()
	payloads := messages.Last()
	if diff := cmp.Diff(testbed.FirstTelegram(t, "p1-se-aidon"), testbed.Values(payloads)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if announced := testbed.Announcements(t, payloads); announced["homeassistant/device/hanbridge_house/config"] == nil {
		t.Error("the meter is not announced")
	}
	delete(payloads, "hanbridge/house/telegram")
	kept := broker.Retained()
	if diff := cmp.Diff(payloads, kept); diff != "" {
		t.Errorf("retained (-published +retained):\n%s", diff)
	}
}

// checkStopped requires that a stopped bridge has published its status offline, and all values of the last telegram.
func checkStopped(t *testing.T, broker *testbed.Mosquitto, messages *testbed.MessageLog) {
	t.Helper()
	messages.AwaitMessage("hanbridge/status", "offline")
	var last struct {
		Seq    json.Number
		Values map[string]json.Number
	}
	if err := json.Unmarshal([]byte(messages.Last()["hanbridge/house/telegram"]), &last); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"hanbridge/status": "offline", "hanbridge/house/status": "offline", "hanbridge/house/telegrams": last.Seq.String()}
	for name, number := range last.Values {
		want["hanbridge/house/"+name] = number.String()
	}
	kept := broker.Retained()
	for topic, payload := range want {
		if got := kept[topic]; got != payload {
			t.Errorf("%s after the end: retained %q, want %s", topic, got, payload)
		}
	}
}

// testKeptOut tests a broker that refuses the bridge: the commands check and run must name the setting to correct.
func testKeptOut(t *testing.T, d access) {
	broker := startedGuarded(t, d.lines...)
	variables := append([]string{broker.to(d.scheme), "HANBRIDGE_METER_PORT=tcp://127.0.0.1:1", "HANBRIDGE_LOG_LEVEL=debug"}, d.variables...)
	check := testbed.Hanbridge(t, variables, "check")
	if code := check.ExitCode(); code == 0 || !strings.Contains(check.Output(), d.want) {
		t.Errorf("check: got exit code %d and\n%s\nwant it refused, and in it: %s", code, check.Output(), d.want)
	}
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput(d.want)
	if !run.Ended() { // a wrong configuration ends it, a broker never
		run.Stop(syscall.SIGTERM)
	}
	wantNoSecret(t, run, check)
}

func wantNoSecret(t *testing.T, all ...*testbed.Process) {
	t.Helper()
	for _, p := range all {
		if output := p.Output(); strings.Contains(output, secret) || strings.Contains(output, "PRIVATE KEY") {
			t.Errorf("a secret is in what %s said:\n%s", p.Cmd, output)
		}
	}
}
