package main

import "testing"

// TestKeySettings: messages name what has an effect when it is changed.
func TestKeySettings(t *testing.T) {
	for _, tt := range []struct {
		name      string
		w         wiring
		key, auth string
	}{
		{"a file", wiring{file: "config.yaml"}, "meters[0].key", "meters[0].auth_key"},
		{"variables alone", wiring{}, "HANBRIDGE_METER_KEY", "HANBRIDGE_METER_AUTH_KEY"},
		{"a variable over a file", wiring{file: "config.yaml", environ: []string{"HANBRIDGE_METER_KEY=00"}}, "HANBRIDGE_METER_KEY", "meters[0].auth_key"},
		{"a file of keys", wiring{file: "config.yaml", Config: Config{Meters: []MeterConfig{{KeyFile: "/k"}}}}, "the file /k", "the second key in the file /k"},
		{"both", wiring{file: "config.yaml", Config: Config{Meters: []MeterConfig{{Key: "00", KeyFile: "/k"}}}},
			"meters[0].key and the file /k", "meters[0].auth_key and the second key in the file /k"},
	} {
		if len(tt.w.Meters) == 0 {
			tt.w.Meters = []MeterConfig{{}}
		}
		if key, auth := tt.w.keySettings(0); key != tt.key || auth != tt.auth {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, key, auth, tt.key, tt.auth)
		}
	}
}
