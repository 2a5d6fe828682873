package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigMeterLikeBridge tests that a single meter may not have the bridge's id.
func TestConfigMeterLikeBridge(t *testing.T) {
	_, err := Load("", []string{"HANBRIDGE_METER_ID=hanbridge-"})
	checkErr(t, err, `HANBRIDGE_METER_ID: "hanbridge-" gives binary_sensor.hanbridge_connection, which is the bridge's own`)
}

// TestConfigMetersAlike tests that two meters with conflicting ids or ports are refused.
func TestConfigMetersAlike(t *testing.T) {
	dir := t.TempDir()
	device, link := filepath.Join(dir, "ttyUSB0"), filepath.Join(dir, "by-id")
	if err := os.Symlink("/dev/null", device); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	const here = "port: /dev/a"
	tests := []struct{ name, one, two, want string }{
		{"unlike", "id: house, " + here, "id: houses, port: /dev/b", ""},
		{"one device and the network", "id: house", "id: barn, port: \"tcp://a:1\"", ""},
		{"one quantity", "id: house, " + here, "id: house_long, port: /dev/b",
			`config.yaml:3: meters[1].id: "house_long" and "house", the id of meters[0], both give hanbridge_house_long_power_failures, ` +
				`and a hub would mix them up: choose another for one of them (the other: config.yaml:2)`},
		{"the longer first", "id: house_long, " + here, "id: house, port: /dev/b",
			`config.yaml:3: meters[1].id: "house" and "house_long", the id of meters[0], both give hanbridge_house_long_power_failures`},
		{"a hyphen", "id: a-b, " + here, "id: a_b, port: /dev/b", `config.yaml:3: meters[1].id: "a_b" and "a-b", the id of meters[0], both give sensor.a_b_import_power`},
		{"one quantity with a hyphen", "id: house, " + here, "id: house-long, port: /dev/b", `both give sensor.house_long_power_failures`},
		{"diagnostics", "id: house, " + here, "id: house_last, port: /dev/b", ""},
		{"the bridge", "id: house, " + here, "id: hanbridge, port: /dev/b",
			`config.yaml:3: meters[1].id: "hanbridge" gives binary_sensor.hanbridge_connection, which is the bridge's own`},
		{"one device of two names", "id: a, port: " + device, "id: b, port: " + link,
			`config.yaml:3: meters[1].port: ` + link + ` is the device of meters[0] too, there named ` + device + `: it can be read once only`},
		{"auto beside a device", "id: a, " + here, "id: b", `config.yaml:3: meters[1].port: auto, and meters[0] has /dev/a: auto may take the other's device`},
		{"a device beside auto", "id: a", "id: b, port: /dev/b", `config.yaml:3: meters[1].port: /dev/b, and meters[0] has auto: auto may take the other's device`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := written(t, fmt.Sprintf("meters:\n  - {%s}\n  - {%s}\n", tt.one, tt.two))
			_, err := Load(file, nil)
			if tt.want == "" {
				checkErr(t, err, "")
				return
			}
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			got := strings.ReplaceAll(err.Error(), filepath.Dir(file)+"/", "")
			if !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("error:\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
