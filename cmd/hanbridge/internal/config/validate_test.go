package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigMeterIDOfBridge tests that a meter id is refused if it gives an entity id that the bridge has.
func TestConfigMeterIDOfBridge(t *testing.T) {
	_, err := Load("", []string{"HANBRIDGE_METER_ID=hanbridge-"})
	checkErr(t, err, `HANBRIDGE_METER_ID: "hanbridge-" gives binary_sensor.hanbridge_connection, which is an entity of the bridge`)
}

// TestConfigConflictingMeters tests that two meters with conflicting ids or ports are refused.
func TestConfigConflictingMeters(t *testing.T) {
	dir := t.TempDir()
	device, link := filepath.Join(dir, "ttyUSB0"), filepath.Join(dir, "by-id") // device stands for a device, link is a symbolic link to device
	if err := os.Symlink("/dev/null", device); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	const portA = "port: /dev/a"
	// first and second are the settings of the two meters in the list. want is a part of the error; "" for no error.
	tests := []struct{ name, first, second, want string }{
		{"no conflict", "id: house, " + portA, "id: houses, port: /dev/b", ""},
		{"auto and a network address", "id: house", "id: barn, port: \"tcp://a:1\"", ""},
		{"an id that extends another", "id: house, " + portA, "id: house_long, port: /dev/b",
			`config.yaml:3: meters[1].id: "house_long" and "house", the id of meters[0], both give hanbridge_house_long_power_failures, ` +
				`so a hub would mix up the two meters: choose another id for one of them (see also config.yaml:2)`},
		{"an id that extends another, the longer first", "id: house_long, " + portA, "id: house, port: /dev/b",
			`config.yaml:3: meters[1].id: "house" and "house_long", the id of meters[0], both give hanbridge_house_long_power_failures`},
		{"ids that differ in a hyphen", "id: a-b, " + portA, "id: a_b, port: /dev/b", `config.yaml:3: meters[1].id: "a_b" and "a-b", the id of meters[0], both give sensor.a_b_import_power`},
		{"an id that extends another, with a hyphen", "id: house, " + portA, "id: house-long, port: /dev/b", `both give sensor.house_long_power_failures`},
		{"an id that extends another by a word with which no name of a quantity begins", "id: house, " + portA, "id: house_last, port: /dev/b", ""},
		{"an id that gives an entity id of the bridge", "id: house, " + portA, "id: hanbridge, port: /dev/b",
			`config.yaml:3: meters[1].id: "hanbridge" gives binary_sensor.hanbridge_connection, which is an entity of the bridge`},
		{"one device with two names", "id: a, port: " + device, "id: b, port: " + link,
			`config.yaml:3: meters[1].port: ` + link + ` is the same device as ` + device + `, the port of meters[0]: two meters cannot have the same port`},
		{"a device, then auto", "id: a, " + portA, "id: b", `config.yaml:3: meters[1].port: auto, and meters[0] has /dev/a: auto can find the device of the other meter`},
		{"auto, then a device", "id: a", "id: b, port: /dev/b", `config.yaml:3: meters[1].port: /dev/b, and meters[0] has auto: auto can find the device of the other meter`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeTemp(t, fmt.Sprintf("meters:\n  - {%s}\n  - {%s}\n", tt.first, tt.second))
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
