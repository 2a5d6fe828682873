//go:build linux

package broker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestDenied tests the program under access rules that forbid some of its messages. Mosquitto acknowledges a message that it forbids.
func TestDenied(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "mosquitto_passwd")
	const (
		announced  = `"announced to home assistant"`
		notSeen    = "home assistant does not see this meter. Allow this user to publish and to read "
		notHeard   = "cannot read the topics of these meters"
		own        = "topic write hanbridge/#\ntopic read hanbridge/status\n"
		readsOwn   = own + "topic read hanbridge/+/+\n"
		allDevices = "topic readwrite homeassistant/device/+/config\ntopic readwrite homeassistant/sensor/+/+/config\n"
	)
	for _, tt := range []struct {
		name, rules, style string
		says, never        []string
	}{
		{"announcement", readsOwn + "topic read homeassistant/#\n", "device", []string{notSeen + "homeassistant/device/+/config"}, []string{announced, notHeard}},
		{"announcement of each entity", readsOwn + "topic read homeassistant/#\n", "component",
			[]string{notSeen + "homeassistant/sensor/+/+/config and homeassistant/binary_sensor/+/+/config"}, []string{announced}},
		{"binary sensors", readsOwn + allDevices, "component", []string{notSeen}, []string{announced}},
		{"reading", own + "topic write homeassistant/#\n", "device", []string{notHeard, "hanbridge/+/+", notSeen}, []string{announced}},
		{"nothing", readsOwn + allDevices, "device", []string{announced}, []string{notSeen, notHeard}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rules := filepath.Join(t.TempDir(), "acl")
			if err := os.WriteFile(rules, []byte("user hanbridge\n"+tt.rules), 0o600); err != nil {
				t.Fatal(err)
			}
			broker := startedGuarded(t, "allow_anonymous false", "password_file "+testbed.Passwords(t, secret, "hanbridge"), "acl_file "+rules)
			cable := testbed.PlugCable(t, "p1-se-aidon")
			messages := broker.LogMessages()
			run := testbed.StartBridge(t, broker.to("mqtt"), cable.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1",
				"HANBRIDGE_MQTT_USERNAME=hanbridge", "HANBRIDGE_MQTT_PASSWORD="+secret, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+tt.style)
			run.AwaitOutput("port opened")
			run.AwaitOutput("mqtt connected")
			cable.Send()
			messages.AwaitMessage("hanbridge/house/import_energy", "40140.615")
			for _, text := range tt.says {
				run.AwaitOutput(text)
			}
			for _, text := range tt.never {
				if strings.Contains(run.Output(), text) {
					t.Errorf("says %s", text)
				}
			}
			for _, text := range []string{notSeen, notHeard} {
				if n := strings.Count(run.Output(), text); n > 1 {
					t.Errorf("says %d times %s", n, text)
				}
			}
		})
	}
}
