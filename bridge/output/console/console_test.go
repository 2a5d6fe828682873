package console

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/outputtest"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A screen stores what a Console prints. The test can read the screen while the Console prints.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// values returns the last printed value of each quantity.
func (s *screen) values() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for line := range strings.Lines(s.text.String()) {
		line = strings.TrimPrefix(line, "\r")
		for strings.HasPrefix(line, "\x1b[") { // removes the sequences "cursor up", which ends with A, and "erase", which ends with J
			line = line[strings.IndexAny(line, "AJ")+1:]
		}
		for value := range strings.SplitSeq(line, ", ") {
			if f := strings.Fields(value); len(f) > 1 {
				all[f[0]] = f[1]
			}
		}
	}
	return all
}

// size returns a function that returns this size of a terminal, in characters.
func size(width, height int) func() (int, int) {
	return func() (int, int) { return width, height }
}

// TestConsole runs the tests that every output must pass.
func TestConsole(t *testing.T) {
	for name, size := range map[string]func() (int, int){"lines": nil, "table with one column": size(41, 100)} {
		t.Run(name, func(t *testing.T) {
			outputtest.Run(t, func(*testing.T) (bridge.Output, outputtest.Delivered) {
				s := &screen{}
				return New(s, size), outputtest.Delivered{Values: s.values}
			})
		})
	}
}

// TestConsolePrints tests the output of two updates, as lines and as a table.
func TestConsolePrints(t *testing.T) {
	tests := []struct {
		name string
		size func() (int, int)
		want string
	}{
		{"not a terminal", nil, "" +
			"import_power 1 W, voltage_l1 230.0 V\n" +
			"import_power 2 W\n"},
		{"table with one column", size(70, 24), "" +
			"\rimport_power             1 W\nvoltage_l1               230.0 V\n" +
			"\r\x1b[2A\x1b[J" +
			"import_power             2 W\nvoltage_l1               230.0 V\n"},
		{"table with two columns", size(100, 10), "" +
			"\rimport_power             1 W            voltage_l1               230.0 V\n" +
			"\r\x1b[1A\x1b[J" +
			"import_power             2 W            voltage_l1               230.0 V\n"},
		{"table cut to a small terminal", size(20, 10), "" +
			"\rimport_power       \n" +
			"\r\x1b[1A\x1b[J" +
			"import_power       \n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			console := New(&out, tt.size)
			for _, watts := range []int64{1, 2} {
				if err := console.show([]bridge.Value{valueOf(quantity.ImportPower, watts, 0, 0), valueOf(quantity.VoltageL1, 2300, -1, 1)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := out.String(); got != tt.want {
				t.Errorf("printed\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

// TestLineWidth tests that values that do not fit into a line are not printed, except the first value.
func TestLineWidth(t *testing.T) {
	for width, want := range map[int]string{
		0:  "import_power 1 W, voltage_l1 230.0 V\n",
		38: "import_power 1 W, voltage_l1 230.0 V\n", // 36 characters, and 2 for the ellipsis
		37: "import_power 1 W …\n",
		5:  "import_power 1 W …\n",
	} {
		var out bytes.Buffer
		console := New(&out, nil)
		console.Width = width
		if err := console.show([]bridge.Value{valueOf(quantity.ImportPower, 1, 0, 0), valueOf(quantity.VoltageL1, 2300, -1, 1)}); err != nil || out.String() != want {
			t.Errorf("width %d: printed %q, error %v, want %q", width, out.String(), err, want)
		}
	}
}

// TestLogLinesAboveTable tests that a log line replaces the table, and that the next values print the table below the line.
func TestLogLinesAboveTable(t *testing.T) {
	var out bytes.Buffer
	console := New(&out, size(80, 24))
	show := func(watts int64) {
		t.Helper()
		if err := console.show([]bridge.Value{valueOf(quantity.ImportPower, watts, 0, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	show(1)
	if _, err := console.Write([]byte("the broker is down\n")); err != nil { // an example of a log line
		t.Fatal(err)
	}
	show(2)
	want := "\rimport_power             1 W\n" + "\r\x1b[1A\x1b[Jthe broker is down\n" + "\rimport_power             2 W\n"
	if got := out.String(); got != want {
		t.Errorf("printed\n%q, want\n%q", got, want)
	}
}

func valueOf(id quantity.ID, coef int64, exp int8, decimals uint8) bridge.Value {
	return bridge.Value{ID: id, Number: obis.Decimal{Coef: coef, Exp: exp}, Decimals: decimals}
}
