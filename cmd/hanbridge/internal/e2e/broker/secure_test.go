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

// A protectedBroker is a Mosquitto with two listeners: one without protection for the test, and a protected one for the bridge.
type protectedBroker struct {
	*testbed.Mosquitto
	protectedAddress string // host:port of the protected listener
}

// startProtected starts a broker. lines are the configuration of the protected listener.
func startProtected(t *testing.T, lines ...string) *protectedBroker {
	t.Helper()
	port, protectedPort := testbed.FreePort(t), testbed.FreePort(t)
	// Without socket_domain a websockets listener accepts connections from the whole network.
	lines = append([]string{"user root", "per_listener_settings true", "persistence false", "set_tcp_nodelay true", "log_type all",
		"listener " + port + " 127.0.0.1", "allow_anonymous true", "listener " + protectedPort + " 127.0.0.1", "socket_domain ipv4"}, lines...)
	b := &protectedBroker{testbed.ConfigureMosquitto(t, port, strings.Join(lines, "\n")+"\n"), "127.0.0.1:" + protectedPort}
	testbed.AwaitPort(t, b.protectedAddress)
	return b
}

// protectedURL returns the environment variable that makes a bridge connect to the protected listener.
func (b *protectedBroker) protectedURL(scheme string) string {
	return "HANBRIDGE_MQTT_URL=" + scheme + "://" + b.protectedAddress
}

// secret is the password of all users. hanbridge must never output this password.
const secret = "Sup3r:secret#"

// anyCertificate is the environment variable that makes a bridge accept any certificate of the broker.
const anyCertificate = "HANBRIDGE_MQTT_INSECURE_SKIP_VERIFY=true"

// A setup is the configuration of a protected listener, and of a bridge that connects to this listener.
type setup struct {
	scheme        string   // of the URL of the broker
	listenerLines []string // lines of the broker's configuration
	variables     []string // environment variables of the bridge
	wantError     string   // a text that the program must output; empty if the connection must succeed
}

// TestSecure tests the program at a Mosquitto with passwords, TLS and client certificates.
func TestSecure(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "mosquitto_passwd")
	for name, s := range setups(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s.wantError == "" {
				testAccepted(t, s)
				return
			}
			testRefused(t, s)
		})
	}
	t.Run("access rules", func(t *testing.T) { t.Parallel(); testAccessRules(t) })
}

// setups returns the setups of TestSecure by name.
func setups(t *testing.T) map[string]setup {
	t.Helper()
	trustedCA, otherCA, validUntil := newAuthority(t), newAuthority(t), time.Now().Add(time.Hour)
	serverCert, clientCert, otherCert := trustedCA.issue("127.0.0.1", validUntil), trustedCA.issue("cellar", validUntil), otherCA.issue("cellar", validUntil)
	anonymousLine, wsLine, caVariables := "allow_anonymous true", "protocol websockets", []string{trustedCA.caVariable()}
	tlsLines := slices.Concat([]string{anonymousLine}, serverCert.listenerLines())
	mutualTLSLines := slices.Concat(tlsLines, []string{"cafile " + trustedCA.file, "require_certificate true"})
	passwordLines := []string{"allow_anonymous false", "password_file " + testbed.Passwords(t, secret, "anna")}
	const username = "HANBRIDGE_MQTT_USERNAME=anna"
	credentials := []string{username, "HANBRIDGE_MQTT_PASSWORD=" + secret}
	passwordFile := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passwordFile, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]setup{
		"mqtts":                           {"mqtts", tlsLines, caVariables, ""},
		"mqtts, client certificate":       {"mqtts", mutualTLSLines, append(clientCert.clientVariables(), trustedCA.caVariable()), ""},
		"mqtts, user name in certificate": {"mqtts", append(mutualTLSLines, "use_identity_as_username true"), append(clientCert.clientVariables(), trustedCA.caVariable()), ""},
		"mqtts, password":                 {"mqtts", slices.Concat(passwordLines, serverCert.listenerLines()), append(credentials, trustedCA.caVariable()), ""},
		"ws":                              {"ws", []string{anonymousLine, wsLine}, nil, ""},
		"ws, password":                    {"ws", append(passwordLines, wsLine), credentials, ""},
		"wss":                             {"wss", append(tlsLines, wsLine), caVariables, ""},
		"password in a file":              {"mqtt", passwordLines, []string{username, "HANBRIDGE_MQTT_PASSWORD_FILE=" + passwordFile}, ""},

		"mqtts, any certificate": {"mqtts", append(trustedCA.issueWithoutSAN("127.0.0.1").listenerLines(), anonymousLine), []string{anyCertificate}, ""},
		"wss, any certificate":   {"wss", append(tlsLines, wsLine), []string{anyCertificate}, ""},

		"host only in the common name":    {"mqtts", append(trustedCA.issueWithoutSAN("127.0.0.1").listenerLines(), anonymousLine), caVariables, `only in the common name (CN=127.0.0.1), which is no longer valid: make a certificate with a subjectAltName (openssl req `},
		"common name of another host":     {"wss", append(trustedCA.issueWithoutSAN("broker.home").listenerLines(), anonymousLine, wsLine), caVariables, "or skip the check with mqtt.insecure_skip_verify: true"},
		"unknown authority":               {"mqtts", tlsLines, nil, "not signed by an authority that this machine trusts (set mqtt.ca_file to the certificate of its authority)"},
		"another authority":               {"mqtts", tlsLines, []string{otherCA.caVariable()}, "(set mqtt.ca_file "},
		"another authority, wss":          {"wss", append(tlsLines, wsLine), []string{otherCA.caVariable()}, "(set mqtt.ca_file "},
		"another host":                    {"mqtts", append(trustedCA.issue("broker.home", validUntil).listenerLines(), anonymousLine), caVariables, "(use a name from the certificate in mqtt.url, or make a certificate with IP:127.0.0.1)"},
		"expired":                         {"mqtts", append(trustedCA.issue("127.0.0.1", time.Now().Add(-time.Hour)).listenerLines(), anonymousLine), caVariables, "(is the clock right? If so, renew the certificate)"},
		"no client certificate":           {"mqtts", mutualTLSLines, caVariables, "(does the broker want a client certificate? Set mqtt.cert_file and mqtt.key_file)"},
		"client cert of other authority":  {"mqtts", mutualTLSLines, append(otherCert.clientVariables(), trustedCA.caVariable()), "(does the broker trust the authority that signed mqtt.cert_file?)"},
		"wrong password":                  {"mqtt", passwordLines, []string{username, "HANBRIDGE_MQTT_PASSWORD=not-" + secret}, "(is the password right, and is this user allowed to connect?)"},
		"no password":                     {"mqtts", slices.Concat(passwordLines, serverCert.listenerLines()), caVariables, "(set mqtt.username and mqtt.password)"},
		"wrong password, ws":              {"ws", append(passwordLines, wsLine), []string{username, "HANBRIDGE_MQTT_PASSWORD=not-" + secret}, "(is the password right, and is this user allowed to connect?)"},
		"mqtt at a TLS listener":          {"mqtt", tlsLines, nil, "this port needs TLS: write mqtts:// in mqtt.url"},
		"mqtts at a listener without TLS": {"mqtts", []string{anonymousLine}, caVariables, "this port uses MQTT without TLS and WebSocket: write mqtt:// in mqtt.url"},
		"ws at an mqtt listener":          {"ws", []string{anonymousLine}, nil, "this port uses MQTT without TLS and WebSocket: write mqtt:// in mqtt.url"},
		"mqtt at a ws listener":           {"mqtt", []string{anonymousLine, wsLine}, nil, "(this port is a web server: is the port in mqtt.url right? Write ws:// for MQTT over WebSocket)"},
	}
}

// testAccepted tests a broker that accepts the bridge. The bridge must publish all values. When it stops, it must publish the last values and
// its status.
func testAccepted(t *testing.T, s setup) {
	broker, cable := startProtected(t, s.listenerLines...), testbed.PlugCable(t, "p1-se-aidon")
	variables := slices.Concat(s.variables, []string{broker.protectedURL(s.scheme), cable.PortVariable(), "HANBRIDGE_LOG_LEVEL=debug"})
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
	if slices.Contains(s.variables, anyCertificate) {
		run.RequireOutputOnce("the broker's certificate is not verified")
		check.RequireOutputOnce("the broker's certificate is not verified")
	}

	cable.Send() // checkStopped also accepts a bridge that stops before it has read this telegram
	run.Stop(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, messages)
	requireNoSecret(t, run, check)
}

// checkRetained requires that the values of the first telegram and the announcement are published and retained.
func checkRetained(t *testing.T, broker *testbed.Mosquitto, messages *testbed.MessageLog) {
	t.Helper()
	payloads := messages.Last()
	if diff := cmp.Diff(testbed.FirstTelegram(t, "p1-se-aidon"), testbed.Values(payloads)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if announced := testbed.Announcements(t, payloads); announced["homeassistant/device/hanbridge_house/config"] == nil {
		t.Error("the meter is not announced")
	}
	delete(payloads, "hanbridge/house/telegram") // the only topic that is not retained
	retained := broker.Retained()
	if diff := cmp.Diff(payloads, retained); diff != "" {
		t.Errorf("retained (-published +retained):\n%s", diff)
	}
}

// checkStopped requires that a stopped bridge has published the status offline. The retained values must be those of the last published telegram.
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
	retained := broker.Retained()
	for topic, payload := range want {
		if got := retained[topic]; got != payload {
			t.Errorf("%s after the stop: retained %q, want %s", topic, got, payload)
		}
	}
}

// testRefused tests a broker that refuses the bridge. The commands check and run must name the setting to correct.
func testRefused(t *testing.T, s setup) {
	broker := startProtected(t, s.listenerLines...)
	variables := append([]string{broker.protectedURL(s.scheme), "HANBRIDGE_METER_PORT=tcp://127.0.0.1:1", "HANBRIDGE_LOG_LEVEL=debug"}, s.variables...)
	check := testbed.Hanbridge(t, variables, "check")
	if code := check.ExitCode(); code == 0 || !strings.Contains(check.Output(), s.wantError) {
		t.Errorf("check: got exit code %d and\n%s\nwant an error and in the output: %s", code, check.Output(), s.wantError)
	}
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput(s.wantError)
	if !run.Ended() { // if the error is in the configuration, the bridge ends itself
		run.Stop(syscall.SIGTERM)
	}
	requireNoSecret(t, run, check)
}

// requireNoSecret requires that the output of each process contains neither the password nor a private key.
func requireNoSecret(t *testing.T, processes ...*testbed.Process) {
	t.Helper()
	for _, p := range processes {
		if output := p.Output(); strings.Contains(output, secret) || strings.Contains(output, "PRIVATE KEY") {
			t.Errorf("the output of %s contains a secret:\n%s", p.Cmd, output)
		}
	}
}
