//go:build linux

package broker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestDenied tests that the bridge logs which of its topics the access rules forbid, and that it still publishes the values. Mosquitto
// acknowledges even a forbidden message.
func TestDenied(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "mosquitto_passwd")
	const (
		// Texts in the log.
		announced   = `"announced to home assistant"`
		notVisible  = "home assistant does not see this meter. Allow this user to publish and to read "
		notReadable = "cannot read the topics of these meters"

		// Access rules.
		baseTopics           = "topic write hanbridge/#\ntopic read hanbridge/status\n"
		baseTopicsReadable   = baseTopics + "topic read hanbridge/+/+\n"
		withoutBinarySensors = "topic readwrite homeassistant/device/+/config\ntopic readwrite homeassistant/sensor/+/+/config\n"
	)
	for _, tt := range []struct {
		forbidden, rules, style string   // forbidden says what the rules forbid; style is the setting homeassistant.discovery
		wantLogged, notWanted   []string // texts in the log
	}{
		{"device announcements", baseTopicsReadable + "topic read homeassistant/#\n", "device", []string{notVisible + "homeassistant/device/+/config"}, []string{announced, notReadable}},
		{"entity announcements", baseTopicsReadable + "topic read homeassistant/#\n", "component",
			[]string{notVisible + "homeassistant/sensor/+/+/config and homeassistant/binary_sensor/+/+/config"}, []string{announced}},
		{"binary sensors", baseTopicsReadable + withoutBinarySensors, "component", []string{notVisible}, []string{announced}},
		{"reading of all topics", baseTopics + "topic write homeassistant/#\n", "device", []string{notReadable, "hanbridge/+/+", notVisible}, []string{announced}},
		{"nothing", baseTopicsReadable + withoutBinarySensors, "device", []string{announced}, []string{notVisible, notReadable}},
	} {
		t.Run(tt.forbidden, func(t *testing.T) {
			t.Parallel()
			rules := filepath.Join(t.TempDir(), "acl")
			if err := os.WriteFile(rules, []byte("user hanbridge\n"+tt.rules), 0o600); err != nil {
				t.Fatal(err)
			}
			broker := startProtected(t, "allow_anonymous false", "password_file "+testbed.Passwords(t, secret, "hanbridge"), "acl_file "+rules)
			cable := testbed.PlugCable(t, "p1-se-aidon")
			messages := broker.LogMessages()
			run := testbed.StartBridge(t, broker.protectedURL("mqtt"), cable.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1",
				"HANBRIDGE_MQTT_USERNAME=hanbridge", "HANBRIDGE_MQTT_PASSWORD="+secret, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+tt.style)
			run.AwaitOutput("port opened")
			run.AwaitOutput("mqtt connected")
			cable.Send()
			messages.AwaitMessage("hanbridge/house/import_energy", "40140.615")
			for _, text := range tt.wantLogged {
				run.AwaitOutput(text)
			}
			for _, text := range tt.notWanted {
				if strings.Contains(run.Output(), text) {
					t.Errorf("the log contains: %s", text)
				}
			}
			for _, text := range []string{notVisible, notReadable} {
				if n := strings.Count(run.Output(), text); n > 1 {
					t.Errorf("the log contains this text %d times, want once at most: %s", n, text)
				}
			}
		})
	}
}
