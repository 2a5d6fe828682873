package config

import (
	"fmt"
	"strings"
	"testing"
)

// linesOfMeter is the number of lines of each meter in the text that fleetText returns.
const linesOfMeter = 10

// fleetText returns a configuration with n meters. The text has a line for the broker and a line for the key meters. The settings of meter i
// follow in linesOfMeter lines, which contain every key of a meter that does not need a file.
func fleetText(n int) string {
	var b strings.Builder
	b.WriteString("mqtt: {url: mqtt://localhost}\nmeters:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - id: house_%d
    name: House %[1]d
    port: tcp://10.0.%d.%d:8088
    serial: 115200 8N1
    key: "%032[1]x"
    auth_key: "%032[1]x"
    scale: {import_energy: 60, export_energy: 60}
    fuse: 25
    checksum: ignore
    frame_counter: rising
`, i, i/250, i%250)
	}
	return b.String()
}

// TestLoadFleet tests that a file with many meters is read completely. The file of 5000 meters has 1.5 MB.
func TestLoadFleet(t *testing.T) {
	const n, last = 5000, 4999
	got, err := Load(writeTemp(t, fleetText(n)), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := got.Meters[len(got.Meters)-1]
	if len(got.Meters) != n || m.ID != fmt.Sprint("house_", last) || m.Port != (Port{TCPPort, "10.0.19.249:8088"}) || m.Fuse != 25 || len(m.Scale) != 2 {
		t.Errorf("got %d meters, the last of them %+v", len(got.Meters), m)
	}
}

// TestLoadFleetProblems tests that problems of meters in a long list have the line and the key, and that at most maxProblems are printed.
func TestLoadFleetProblems(t *testing.T) {
	const n, last = 1000, 999
	const lastLine = 2 + last*linesOfMeter + 1 // the first line of the last meter
	tests := []struct {
		name, old, replacement string // each old in the text is replaced
		want                   string // a part of the error
	}{
		{"an unknown key in the last meter", "    name: House 999\n", "    titel: House 999\n", fmt.Sprintf(`config.yaml:%d: meters[%d].titel: no such key`, lastLine+1, last)},
		{"the last meter has the id of another", "id: house_999\n", "id: house_5\n", fmt.Sprintf(`config.yaml:%d: meters[%d].id: "house_5" is the id of meters[5] too`, lastLine, last)},
		{"the last meter has the port of another", "tcp://10.0.3.249:", "tcp://10.0.0.5:", fmt.Sprintf(`config.yaml:%d: meters[%d].port: tcp://10.0.0.5:8088 is the port of meters[5] too`, lastLine+2, last)},
		{"an open quote in the last meter", "name: House 999\n", "name: \"House 999\n", fmt.Sprintf(`config.yaml:%d: not valid YAML`, lastLine+1)},
		{"each meter has a wrong fuse", "fuse: 25\n", "fuse: 1\n", fmt.Sprintf("and %d problems more: correct the problems above first", n-maxProblems)},
		{"too many meters", "meters:\n", "meters:\n" + strings.Repeat("  - {}\n", maxMeters), fmt.Sprintf("config.yaml:2: meters: has %d meters, and a bridge can have %d", n+maxMeters, maxMeters)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(fleetText(n), tt.old, tt.replacement)
			_, err := Load(writeTemp(t, text), nil)
			checkErr(t, err, tt.want)
			if lines := strings.Count(fmt.Sprint(err), "\n") + 1; lines != 1 && lines != maxProblems+1 {
				t.Errorf("lines of the error: got %d, want 1 or %d", lines, maxProblems+1)
			}
		})
	}
}

// BenchmarkLoad1000 measures the time to read and validate the configuration of 1,000 meters.
func BenchmarkLoad1000(b *testing.B) {
	file := writeTemp(b, fleetText(1000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(file, nil); err != nil {
			b.Fatal(err)
		}
	}
}
