package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// TestDoctorSetting tests that --write corrects a wrong line setting of the configuration, and that a wrong --serial gives only a remark.
func TestDoctorSetting(t *testing.T) {
	const right, wrong = "115200 8N1", "2400 8E1"
	tests := []struct {
		name          string
		serial        string   // serial in the configuration
		flag          string   // the flag --serial; "" if it is not given
		write         bool     // the flag --write
		brokerErr     error    // why the bridge cannot work with the broker
		noBroker      bool     // the configuration names no broker
		code          string   // code of the verdict
		want, notWant []string // parts that must be printed, and parts that must not
		wantFile      string   // part of the written file, besides the right line setting; "" if no file is written
	}{
		{
			name: "the configuration is wrong, --write corrects it", serial: wrong, write: true, code: "well",
			want: []string{
				"broker    mqtt://broker:1883: connected",
				"verdict   all well, after serial was changed from 2400 8E1 to 115200 8N1, with which the meter sends. Start with: " +
					"hanbridge run --config FILE        (configuration written to FILE",
			},
			notWant: []string{"set serial to"}, wantFile: "port: /dev",
		},
		{
			name: "the configuration is wrong and names no broker, --write corrects it", serial: wrong, write: true, noBroker: true, code: "well",
			want: []string{
				"verdict   the meter is well, after serial was changed from 2400 8E1 to 115200 8N1, with which the meter sends",
				"mqtt.url in FILE is only a guess: change that line to the address of your broker; then start with: hanbridge run --config FILE ",
			},
			wantFile: "port: /dev",
		},
		{
			name: "the configuration is wrong, nothing is written because the broker is unreachable", serial: wrong, write: true,
			brokerErr: errors.New("mqtt: nobody listens"), code: "broker",
			want: []string{
				"the broker is not: mqtt: nobody listens; besides, serial is set to 2400 8E1, but the meter sends with 115200 8N1: set serial to auto",
				"(nothing was written)",
			},
		},
		{
			name: "the configuration is wrong, no --write", serial: wrong, code: "setting",
			want: []string{"the meter sends with 115200 8N1: set serial to auto, or to"}, notWant: []string{"broker "},
		},
		{
			name: "the flag is wrong, the configuration is auto", serial: "auto", flag: wrong, code: "well",
			want: []string{"verdict   all well, but the meter sends with 115200 8N1, not with the 2400 8E1 of --serial: the right setting is serial: auto. " +
				"Start with: hanbridge run --config FILE\n"},
			notWant: []string{"serial: 2400"},
		},
		{
			name: "the flag is wrong, the configuration is auto, --write", serial: "auto", flag: wrong, write: true, code: "well",
			want: []string{"of --serial: the right setting is serial: 115200 8N1"}, wantFile: "port: /dev",
		},
		{
			name: "the flag is wrong, the configuration is right", serial: right, flag: wrong, code: "well",
			want: []string{"not with the 2400 8E1 of --serial: the right setting is serial: 115200 8N1.", "    serial: 115200 8N1\n"},
		},
		{
			name: "both the flag and the configuration are wrong", serial: "9600 8N1", flag: wrong, code: "setting",
			want: []string{"verdict   serial is set to 9600 8N1, but the meter sends with 115200 8N1"},
		},
		{
			name: "the flag is right, the configuration is auto", serial: "auto", flag: right, code: "well",
			want: []string{"verdict   all well. Start", "    serial: 115200 8N1\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "house.yaml")
			mach := machine{
				family: "p1-se-aidon", brokerErr: tt.brokerErr, options: Options{Config: file, Serial: tt.flag, Write: tt.write},
				config: with(onPort, withSerial(tt.serial), func(c *config.Config) {
					if tt.noBroker {
						c.MQTT.URL = ""
					}
				}),
			}
			text, r := mach.examine(t)
			text = strings.ReplaceAll(text, file, "FILE")
			if r.Verdict.Code != tt.code || r.OK != (tt.code == "well") {
				t.Errorf("verdict: got %s, ok %v, want %s", r.Verdict.Code, r.OK, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q", want)
				}
			}
			for _, notWant := range tt.notWant {
				if strings.Contains(text, notWant) {
					t.Errorf("the text contains %q", notWant)
				}
			}
			written, err := os.ReadFile(file)
			isWritten, hasSetting := err == nil, strings.Contains(string(written), "serial: 115200 8N1\n")
			if isWritten != (tt.wantFile != "") || isWritten && (!hasSetting || !strings.Contains(string(written), tt.wantFile)) {
				t.Errorf("written file: got %q, error %v, want the line setting of the meter and %q", written, err, tt.wantFile)
			}
			if t.Failed() {
				t.Logf("the text:\n%s", text)
			}
		})
	}
}

// TestDoctorCommands tests the command that starts the bridge and the command that writes the configuration. The doctor prints both.
func TestDoctorCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	existing := writeTemp(t, "mqtt:\n")
	tests := []struct {
		name               string
		options            Options
		wantRun, wantWrite string
	}{
		{"no flags", Options{}, "hanbridge run", "hanbridge doctor --write"},
		{"--config with the default file", Options{Config: "config.yaml"}, "hanbridge run", "hanbridge doctor --config config.yaml --write"},
		{"--config with another file", Options{Config: "b.yaml"}, "hanbridge run --config b.yaml", "hanbridge doctor --config b.yaml --write"},
		{"--config with a file that exists", Options{Config: existing}, "hanbridge run --config " + existing, "hanbridge doctor --config " + existing + " --write --force"},
		{"port and --key-file", Options{Port: "/dev/a", Keys: config.KeyFlags{File: "k"}}, "hanbridge run", "hanbridge doctor /dev/a --key-file k --write"},
		{"--key and --auth-key", Options{Keys: config.KeyFlags{Key: aKey, AuthKey: anotherKey}}, "hanbridge run", "hanbridge doctor --key HEX --auth-key HEX --write"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.options.runCommand(); got != tt.wantRun {
				t.Errorf("run command: got %q, want %q", got, tt.wantRun)
			}
			if got := tt.options.writeCommand(); got != tt.wantWrite {
				t.Errorf("write command: got %q, want %q", got, tt.wantWrite)
			}
		})
	}
}

// TestReportLine tests that a report line is wrapped between words if it is for a terminal, and that a long word is not cut.
func TestReportLine(t *testing.T) {
	longWord, indent := "/dev/serial/by-id/"+strings.Repeat("x", 70), strings.Repeat(" ", 10)
	// After the name, a line has 70 columns for the text. Eight words of seven letters fit into them.
	tests := []struct{ name, text, want string }{
		{"cipher", "none", "cipher    none\n"},
		{"", "a warning", "          a warning\n"},
		{"verdict", strings.Repeat("seven77 ", 8) + "seven77 end", "verdict   " + strings.Repeat("seven77 ", 7) + "seven77\n" + indent + "seven77 end\n"},
		{"port", longWord + "   readable", "port      " + longWord + "\n" + indent + "readable\n"},
	}
	for _, tt := range tests {
		if got := reportLine(tt.name, tt.text, true); got != tt.want {
			t.Errorf("line %q for a terminal:\ngot\n%swant\n%s", tt.name, got, tt.want)
		}
	}
	if got, want := reportLine("port", longWord+"   readable", false), "port      "+longWord+"   readable\n"; got != want {
		t.Errorf("line for a file: got %q, want %q", got, want)
	}
}
