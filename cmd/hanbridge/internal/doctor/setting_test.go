package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// TestDoctorSetting tests that --write corrects a wrong line setting of the configuration, and that a wrong --serial alone is no error.
func TestDoctorSetting(t *testing.T) {
	const meter, wrong = "115200 8N1", "2400 8E1"
	unreachable := errors.New("mqtt: nobody listens")
	noBroker := func(c *config.Config) { c.MQTT.URL = "" }
	tests := []struct {
		name, serial, flag string
		write              bool
		broker             error
		config             func(*config.Config)
		code               string
		want, notWant      []string // parts that must be printed, and parts that must not
		wantFile           string   // part of the written file, "" if none is written
	}{
		{"with --write", wrong, "", true, nil, onPort, "well", []string{
			"broker    mqtt://broker:1883: connected", "verdict   all well, now that serial was changed from 2400 8E1 to 115200 8N1, which the meter sends. Start with: " +
				"hanbridge run --config FILE        (configuration written to FILE",
		}, []string{"set serial to"}, "port: /dev"},
		{"with --write, without a broker", wrong, "", true, nil, with(onPort, noBroker), "well", []string{
			"verdict   the meter is well, now that serial was changed from 2400 8E1 to 115200 8N1, which the meter sends", "mqtt.url in FILE is only a guess: change that line to the address of yours; " +
				"then start with: hanbridge run --config FILE ",
		}, nil, "port: /dev"},
		{"not written, since the broker is unreachable", wrong, "", true, unreachable, onPort, "broker", []string{
			"the broker is not: mqtt: nobody listens; besides, serial is set to 2400 8E1, and the meter speaks 115200 8N1: set serial to auto", "(nothing was written)",
		}, nil, ""},
		{"without --write", wrong, "", false, nil, onPort, "setting", []string{"the meter speaks 115200 8N1: set serial to auto, or to"}, []string{"broker "}, ""},
		{"only the flag is wrong", "auto", wrong, false, nil, onPort, "well", []string{
			"verdict   all well, but the meter speaks 115200 8N1, not the 2400 8E1 of --serial: the right setting is serial: auto. Start with: hanbridge run --config FILE\n",
		}, []string{"serial: 2400"}, ""},
		{"only the flag is wrong, with --write", "auto", wrong, true, nil, onPort, "well", []string{"of --serial: the right setting is serial: 115200 8N1"}, nil, "port: /dev"},
		{"the flag is wrong, the configuration right", meter, wrong, false, nil, onPort, "well", []string{
			"not the 2400 8E1 of --serial: the right setting is serial: 115200 8N1.", "    serial: 115200 8N1\n",
		}, nil, ""},
		{"flag and configuration are wrong", "9600 8N1", wrong, false, nil, onPort, "setting",
			[]string{"verdict   serial is set to 9600 8N1, and the meter speaks 115200 8N1"}, nil, ""},
		{"the flag is right", "auto", meter, false, nil, onPort, "well", []string{"verdict   all well. Start", "    serial: 115200 8N1\n"}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "house.yaml")
			mach := machine{family: "p1-se-aidon", broker: tt.broker, config: with(tt.config, withSerial(tt.serial)),
				options: Options{Config: file, Serial: tt.flag, Write: tt.write}}
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
			got, err := os.ReadFile(file)
			if (err == nil) != (tt.wantFile != "") || !strings.Contains(string(got), tt.wantFile) || err == nil && !strings.Contains(string(got), "serial: 115200 8N1\n") {
				t.Errorf("file: got %q, %v, want one that contains %q and the line setting found", got, err, tt.wantFile)
			}
			if t.Failed() {
				t.Logf("the text:\n%s", text)
			}
		})
	}
}

// TestDoctorCommands tests the commands that the doctor advises: to start the bridge, and to write the configuration.
func TestDoctorCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	existing := writeTemp(t, "mqtt:\n")
	tests := []struct {
		name               string
		options            Options
		wantRun, wantWrite string
	}{
		{"no flags", Options{}, "hanbridge run", "hanbridge doctor --write"},
		{"the default file", Options{Config: "config.yaml"}, "hanbridge run", "hanbridge doctor --config config.yaml --write"},
		{"another file", Options{Config: "b.yaml"}, "hanbridge run --config b.yaml", "hanbridge doctor --config b.yaml --write"},
		{"an existing file", Options{Config: existing}, "hanbridge run --config " + existing, "hanbridge doctor --config " + existing + " --write --force"},
		{"port and file of keys", Options{Port: "/dev/a", Keys: config.KeyFlags{File: "k"}}, "hanbridge run", "hanbridge doctor /dev/a --key-file k --write"},
		{"keys", Options{Keys: config.KeyFlags{Key: aKey, AuthKey: anotherKey}}, "hanbridge run", "hanbridge doctor --key HEX --auth-key HEX --write"},
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

// TestReportLine tests that a report line for a terminal is wrapped between words, and that a word longer than a line is not cut.
func TestReportLine(t *testing.T) {
	long, blank := "/dev/serial/by-id/"+strings.Repeat("x", 70), strings.Repeat(" ", 10)
	tests := []struct{ name, text, want string }{
		{"cipher", "none", "cipher    none\n"},
		{"", "a warning", "          a warning\n"},
		{"verdict", strings.Repeat("seven77 ", 8) + "seven77 ninth", "verdict   " + strings.Repeat("seven77 ", 7) + "seven77\n" + blank + "seven77 ninth\n"},
		{"port", long + "   readable", "port      " + long + "\n" + blank + "readable\n"},
	}
	for _, tt := range tests {
		if got := reportLine(tt.name, tt.text, true); got != tt.want {
			t.Errorf("%s:\ngot\n%swant\n%s", tt.name, got, tt.want)
		}
	}
	if got, want := reportLine("port", long+"   readable", false), "port      "+long+"   readable\n"; got != want {
		t.Errorf("not for a terminal: got %q, want %q", got, want)
	}
}
