package daemon

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// TestKeySettings tests that the texts of keySettings name the setting or the file that contains the key.
func TestKeySettings(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		setup                Setup
		wantKey, wantAuthKey string
	}{
		{"a configuration file", Setup{file: "config.yaml"}, "meters[0].key", "meters[0].auth_key"},
		{"no configuration file", Setup{}, "HANBRIDGE_METER_KEY", "HANBRIDGE_METER_AUTH_KEY"},
		{"a configuration file, and the key in a variable", Setup{file: "config.yaml", environ: []string{"HANBRIDGE_METER_KEY=00"}}, "HANBRIDGE_METER_KEY", "meters[0].auth_key"},
		{"a file of keys", Setup{file: "config.yaml", Config: config.Config{Meters: []config.Meter{{KeyFile: "/k"}}}}, "the file /k", "the second key in the file /k"},
		{"a key in the configuration file, and a file of keys", Setup{file: "config.yaml", Config: config.Config{Meters: []config.Meter{{Key: "00", KeyFile: "/k"}}}},
			"meters[0].key and the file /k", "meters[0].auth_key and the second key in the file /k"},
	} {
		if len(tt.setup.Meters) == 0 {
			tt.setup.Meters = []config.Meter{{}}
		}
		if key, authKey := tt.setup.keySettings(0); key != tt.wantKey || authKey != tt.wantAuthKey {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, key, authKey, tt.wantKey, tt.wantAuthKey)
		}
	}
}

// TestDefaultClientID tests that equal configurations get the same client id, and that different configurations get different client ids.
func TestDefaultClientID(t *testing.T) {
	idOf := func(base string, meters ...string) string {
		c := config.Config{MQTT: config.MQTT{Config: mqtt.Config{BaseTopic: base}}}
		for _, id := range meters {
			c.Meters = append(c.Meters, config.Meter{ID: id})
		}
		return defaultClientID("hanbridge", c)
	}
	id := idOf("hanbridge", "house")
	if second := idOf("hanbridge", "house"); second != id {
		t.Errorf("got the ids %s and %s for one configuration, want the same", id, second)
	}
	if !strings.HasPrefix(id, "hanbridge-") || len(id) > 23-len("-check0") {
		t.Errorf("got %s, want at most 16 characters, because every broker accepts 23 and the command check appends 7", id)
	}
	for _, other := range []string{idOf("hanbridge"), idOf("hanbridge", "house", "cabin"), idOf("other", "house"), idOf("hanbridge", "cabin"), idOf("hanbridge\nhouse")} {
		if other == id {
			t.Errorf("got the id %s for two configurations, want different ids", id)
		}
	}
}

// TestOneProcessorIsEnough tests that a home uses one processor, and that a fleet and a recording use all.
func TestOneProcessorIsEnough(t *testing.T) {
	meters := func(n int, kind config.PortKind) (c config.Config) {
		c.Meters = make([]config.Meter, n)
		c.Meters[n-1].Port.Kind = kind
		return c
	}
	for _, tt := range []struct {
		name   string
		config config.Config
		want   bool
	}{
		{"one meter", meters(1, config.AutoPort), true},
		{"20 meters", meters(20, config.TCPPort), true},
		{"21 meters", meters(21, config.TCPPort), false},
		{"a recording", meters(1, config.ReplayPort), false},
		{"a meter and a recording", meters(2, config.ReplayPort), false},
	} {
		if got := oneProcessorIsEnough(tt.config); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
