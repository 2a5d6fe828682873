package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func TestWriteConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte("# long: the old one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (Options{Write: true, Config: name}).checkWritable(); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("an existing file: got %v, want a refusal that names --force", err)
	}
	if err := (Options{Write: true, Force: true, Config: name}).checkWritable(); err != nil {
		t.Errorf("with --force: got %v", err)
	}
	if err := writeConfig(name, "mqtt:\n"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 || readText(t, name) != "mqtt:\n" {
		t.Errorf("got mode %v, %v, %q, want 0600 and the new text", info.Mode(), err, readText(t, name))
	}
	if err := writeConfig(filepath.Join(t.TempDir(), "none", "config.yaml"), ""); err == nil {
		t.Error("a missing folder: got no error, want one")
	}
}

// TestDoctorKeepsKeysApart tests that a key of the command line is not written to the configuration if there is a file of keys.
func TestDoctorKeepsKeysApart(t *testing.T) {
	tests := []struct {
		name          string
		keys          config.KeyFlags
		keyFile       string // key_file of the configuration
		want, notWant string
	}{
		{"only a key", config.KeyFlags{Key: aKey}, "", `key: "` + aKey + `"`, "key_file"},
		{"key and file", config.KeyFlags{Key: aKey, File: writePrivate(t, anotherKey)}, "", "key_file: /", aKey},
		{"key, and a file in the configuration", config.KeyFlags{Key: aKey}, writePrivate(t, anotherKey), `key: "` + aKey + `"`, "key_file"},
		{"only a file", config.KeyFlags{File: writePrivate(t, anotherKey)}, "", "key_file: /", `key: "`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &examination{cfg: defaultConfig()}
			d.meter().KeyFile = tt.keyFile
			if err := d.selectMeter(Options{Keys: tt.keys}); err != nil {
				t.Fatal(err)
			}
			got := config.Text(d.proposal(), config.ShowSecrets)
			if !strings.Contains(got, tt.want) || strings.Contains(got, tt.notWant) {
				t.Errorf("want %q and no %q in\n%s", tt.want, tt.notWant, got)
			}
			if omitted := strings.Contains(d.secretsNote(d.proposal()), "is not in it"); omitted != (tt.notWant == aKey) {
				t.Errorf("says that a key is left out: got %v, want %v", omitted, !omitted)
			}
		})
	}
}

// TestDoctorChoosesAMeter tests which meter of the configuration a port on the command line means.
func TestDoctorChoosesAMeter(t *testing.T) {
	two := defaultConfig()
	house, barn := defaultMeter(), defaultMeter()
	house.ID, house.Port, barn.ID, barn.Port = "house", config.Port{Kind: config.SerialPort, Address: "/dev/a"}, "barn", config.Port{Kind: config.TCPPort, Address: "b:1"}
	two.Meters = []config.Meter{house, barn}
	tests := []struct {
		name, port string
		cfg        config.Config
		want       string // the port of the chosen meter
		wantErr    string
	}{
		{"one meter", "", defaultConfig(), "auto", ""},
		{"one meter, now on another port", "/dev/b", defaultConfig(), "/dev/b", ""},
		{"the port of one of two meters", "tcp://b:1", two, "tcp://b:1", ""},
		{"two meters, and no port given", "", two, "", "the configuration has 2 meters: name the port of one, as hanbridge doctor /dev/a"},
		{"a port of neither meter", "/dev/c", two, "", "/dev/c is not the port of a meter in config.yaml"},
		{"not a port", "c", defaultConfig(), "", `"c" is not a port`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Meters = append([]config.Meter(nil), tt.cfg.Meters...)
			d := &examination{cfg: tt.cfg, file: "config.yaml"}
			err := d.selectMeter(Options{Port: tt.port})
			checkErr(t, err, tt.wantErr)
			if err == nil && d.meter().Port.String() != tt.want {
				t.Errorf("got %s, want %s", d.meter().Port, tt.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ names, want string }{
		{"", ""},
		{"import_power", "power"},
		{"import_power export_power net_power import_energy export_energy", "power, energy ×2"},
		{"import_power voltage_l1 current_l1", "power; voltage, current ×1 phase"},
		{"voltage_l1 voltage_l2 voltage_l3 import_power_l2", "power, voltage ×3 phases"},
		{"import_energy_t1 import_energy_t2 gas water tariff breaker", "energy ×2, gas, water"},
		{"frequency power_factor import_reactive_power", "reactive, power factor, frequency"},
	} {
		var ids []quantity.ID
		for id := range quantity.Count() {
			if strings.Contains(" "+tt.names+" ", " "+quantity.ID(id).String()+" ") {
				ids = append(ids, quantity.ID(id))
			}
		}
		if got := summary(ids); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.names, got, tt.want)
		}
	}
}

func TestClockOffset(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 15, 20, 0, time.UTC)
	for _, tt := range []struct {
		name string
		t    obis.Time
		want time.Duration
		ok   bool
	}{
		{"no clock", obis.Time{}, 0, false},
		{"right", obis.FromTime(now.In(time.FixedZone("", 3600))), 0, true},
		{"behind", obis.FromTime(now.Add(-75 * time.Second)), -75 * time.Second, true},
		{"ahead by 2 s, without a time zone, in Finland", obis.FromTime(now.Add(2*time.Hour + 2*time.Second)), 2 * time.Second, true},
		{"a year behind", obis.FromTime(now.AddDate(-1, 0, 0)), 0, false},
		{"five hours behind, as in America", obis.FromTime(now.Add(-5 * time.Hour)), 0, false},
	} {
		if got, ok := clockOffset(tt.t, now); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
