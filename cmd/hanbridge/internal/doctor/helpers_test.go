package doctor

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/discovery"
)

var updateGolden = flag.Bool("update-golden", false, "write testdata/doctor.json")

func defaultMeter() config.Meter {
	return config.Meter{
		ID: "meter", Name: "Electricity meter", Port: config.Port{Kind: config.AutoPort}, Serial: config.Serial{Auto: true},
		Checksum: "check", FrameCounter: "any",
	}
}

// checkErr checks that the text of err contains want, or that err is nil if want is "".
func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error: got %v, want none", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error: got %v, want one that contains %q", err, want)
	}
}

func writeTemp(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	aKey       = "00112233445566778899aabbccddeeff"
	anotherKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
)

// writePrivate writes a file that only its owner can read, as key_file requires.
func writePrivate(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "meter.key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func defaultConfig() config.Config {
	return config.Config{
		MQTT:          config.MQTT{Config: mqtt.Config{BaseTopic: "hanbridge", QoS: 1, Retain: true}, Listen: "127.0.0.1:1883"},
		HomeAssistant: config.HomeAssistant{Prefix: "homeassistant", StatusTopic: discovery.StatusTopic},
		StateDir:      "/var/lib/hanbridge",
		Publish:       throttle.Balanced,
		Meters:        []config.Meter{defaultMeter()},
		Log:           config.Log{Level: "info", Format: "auto"},
	}
}
