package main

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

// paper is what a screen prints on, for a test that reads at the same time.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// values are the last that each line shows.
func (p *paper) values() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]string{}
	for line := range strings.Lines(p.text.String()) {
		for strings.HasPrefix(line, "\x1b[") { // cursor up, erase
			line = line[strings.IndexAny(line, "AK")+1:]
		}
		if f := strings.Fields(line); len(f) > 1 {
			all[f[0]] = f[1]
		}
	}
	return all
}

func TestScreen(t *testing.T) {
	for name, terminal := range map[string]bool{"lines": false, "table": true} {
		t.Run(name, func(t *testing.T) {
			outputtest.Run(t, func(*testing.T) (bridge.Output, func() map[string]string) {
				p := &paper{}
				return &screen{w: p, terminal: terminal}, p.values
			})
		})
	}
}

func TestScreenPrintsOnlyWhatHasChanged(t *testing.T) {
	tests := []struct {
		name     string
		terminal bool
		want     string
	}{
		{"lines", false, "" +
			"import_power               1 W\n" +
			"voltage_l1                 230.0 V\n" +
			"import_power               2 W\n"},
		{"table", true, "" +
			"\x1b[2Kimport_power               1 W\n" +
			"\x1b[2Kvoltage_l1                 230.0 V\n" +
			"\x1b[2A" +
			"\x1b[2Kimport_power               2 W\n" +
			"\x1b[2Kvoltage_l1                 230.0 V\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			s := &screen{w: &out, terminal: tt.terminal}
			for _, watts := range []int64{1, 2} {
				if err := s.show([]bridge.Value{valueOf(t, "import_power", watts, 0, 0), valueOf(t, "voltage_l1", 2300, -1, 1)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := out.String(); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func valueOf(t *testing.T, name string, coef int64, exp int8, decimals uint8) bridge.Value {
	t.Helper()
	id, ok := quantity.Named(name)
	if !ok {
		t.Fatalf("no quantity %q", name)
	}
	return bridge.Value{ID: id, Number: obis.Decimal{Coef: coef, Exp: exp}, Decimals: decimals}
}
