package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConfigTextIsReadBack: a configuration that is written says the same when it is read.
func TestConfigTextIsReadBack(t *testing.T) {
	for _, text := range []string{"", contentOf(t, "testdata/full.yaml"), "mqtt: {url: embedded, username: \"007\", password: \"# a: 'b' \\\" \"}\n"} {
		want, err := Load(written(t, text), []string{"HANBRIDGE_MQTT_URL=mqtts://b"})
		if err != nil {
			t.Fatal(err)
		}
		file := written(t, Text(want, ShowSecrets))
		got, err := Load(file, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, Text(want, ShowSecrets))
		}
		if diff := cmp.Diff(want, got, alike); diff != "" {
			t.Errorf("-want +got:\n%s\n%s", diff, Text(want, ShowSecrets))
		}
		for _, secret := range []string{string(want.MQTT.Password), string(want.Meters[len(want.Meters)-1].Key)} {
			if secret != "" && strings.Contains(Text(want, HideSecrets), secret) {
				t.Errorf("a secret is in\n%s", Text(want, HideSecrets))
			}
		}
	}
}
