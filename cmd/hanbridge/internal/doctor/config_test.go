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

// TestWriteConfig tests that writeConfig replaces a file and makes it private, and that checkWritable refuses to replace one without --force.
func TestWriteConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte("# the old configuration, longer than the new one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (Options{Write: true, Config: name}).checkWritable(); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("checkWritable of an existing file: got error %v, want one that names --force", err)
	}
	if err := (Options{Write: true, Force: true, Config: name}).checkWritable(); err != nil {
		t.Errorf("checkWritable with --force: got error %v, want none", err)
	}
	if err := writeConfig(name, "mqtt:\n"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 || readText(t, name) != "mqtt:\n" {
		t.Errorf("written file: got mode %v, error %v, text %q, want mode 0600 and the new text", info.Mode(), err, readText(t, name))
	}
	if err := writeConfig(filepath.Join(t.TempDir(), "none", "config.yaml"), ""); err == nil {
		t.Error("writeConfig in a missing folder: got no error, want one")
	}
}

// TestDoctorOmitsKey tests that the proposed configuration contains either the key of --key or a key_file, but not both.
func TestDoctorOmitsKey(t *testing.T) {
	tests := []struct {
		name     string
		keys     config.KeyFlags
		keyFile  string // key_file of the configuration
		want     string // part of the proposed configuration
		notWant  string // must not be in the proposed configuration
		wantNote bool   // a note says that the file does not contain the key of --key
	}{
		{"only --key", config.KeyFlags{Key: aKey}, "", `key: "` + aKey + `"`, "key_file", false},
		{"--key and --key-file", config.KeyFlags{Key: aKey, File: writePrivate(t, anotherKey)}, "", "key_file: /", aKey, true},
		{"--key replaces key_file of the configuration", config.KeyFlags{Key: aKey}, writePrivate(t, anotherKey), `key: "` + aKey + `"`, "key_file", false},
		{"only --key-file", config.KeyFlags{File: writePrivate(t, anotherKey)}, "", "key_file: /", `key: "`, false},
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
				t.Errorf("proposed configuration: want %q and no %q in\n%s", tt.want, tt.notWant, got)
			}
			if got := strings.Contains(d.secretsNote(d.proposal()), "does not contain the key of --key"); got != tt.wantNote {
				t.Errorf("a note says that the file does not contain the key of --key: got %v, want %v", got, tt.wantNote)
			}
		})
	}
}

// TestSelectMeter tests which configured meter the doctor examines, given a port on the command line.
func TestSelectMeter(t *testing.T) {
	twoMeters := defaultConfig()
	house, barn := defaultMeter(), defaultMeter()
	house.ID, house.Port = "house", config.Port{Kind: config.SerialPort, Address: "/dev/a"}
	barn.ID, barn.Port = "barn", config.Port{Kind: config.TCPPort, Address: "b:1"}
	twoMeters.Meters = []config.Meter{house, barn}
	tests := []struct {
		name, port string
		cfg        config.Config
		want       string // port of the selected meter
		wantErr    string
	}{
		{"one meter, no port given", "", defaultConfig(), "auto", ""},
		{"one meter, another port given", "/dev/b", defaultConfig(), "/dev/b", ""},
		{"two meters, the port of one given", "tcp://b:1", twoMeters, "tcp://b:1", ""},
		{"two meters, no port given", "", twoMeters, "", "the configuration has 2 meters: name the port of one of them, for example hanbridge doctor /dev/a"},
		{"two meters, the port of neither given", "/dev/c", twoMeters, "", "/dev/c is not the port of a meter in config.yaml"},
		{"the argument is not a port", "c", defaultConfig(), "", `"c" is not a port`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Meters = append([]config.Meter(nil), tt.cfg.Meters...) // a copy, because selectMeter changes the meter
			d := &examination{cfg: tt.cfg, file: "config.yaml"}
			err := d.selectMeter(Options{Port: tt.port})
			checkErr(t, err, tt.wantErr)
			if err == nil && d.meter().Port.String() != tt.want {
				t.Errorf("port of the selected meter: got %s, want %s", d.meter().Port, tt.want)
			}
		})
	}
}

// TestSummary tests the summary of the quantities that a meter sends.
func TestSummary(t *testing.T) {
	for _, tt := range []struct {
		names string // of quantities, separated by spaces
		want  string
	}{
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
			t.Errorf("summary of %q: got %q, want %q", tt.names, got, tt.want)
		}
	}
}

// TestClockOffset tests that an unknown European time zone does not count as an error of the clock, and that larger errors give no offset.
func TestClockOffset(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 15, 20, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		clock  obis.Time
		want   time.Duration
		wantOK bool
	}{
		{"no clock", obis.Time{}, 0, false},
		{"right, with a time zone", obis.FromTime(now.In(time.FixedZone("", 3600))), 0, true},
		{"75 s behind, in UTC", obis.FromTime(now.Add(-75 * time.Second)), -75 * time.Second, true},
		{"ahead by 2 s, without a time zone, in Finland", obis.FromTime(now.Add(2*time.Hour + 2*time.Second)), 2 * time.Second, true},
		{"a year behind", obis.FromTime(now.AddDate(-1, 0, 0)), 0, false},
		{"five hours behind, as in America", obis.FromTime(now.Add(-5 * time.Hour)), 0, false},
	} {
		if got, ok := clockOffset(tt.clock, now); got != tt.want || ok != tt.wantOK {
			t.Errorf("%s: got offset %v, ok %v, want %v, %v", tt.name, got, ok, tt.want, tt.wantOK)
		}
	}
}
