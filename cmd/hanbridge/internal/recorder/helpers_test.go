package recorder

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error: got %v, want none", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error: got %v, want one with %q", err, want)
	}
}

// A ward is what a doctor examines in a test: the ports of a machine, and what is heard on them.
type ward struct {
	family   string              // of the meter, "" for a silent wire
	line     string              // how it sends, "" as its family does
	inverted bool                // how it is connected
	damage   func([]byte) []byte // what the way does to each telegram; nil for nothing
	ports    []string            // of the machine
	speaking string              // the port that the meter is on, the first where it is not named
	ends     error               // how the wire ends after its first bytes, if it does; io.EOF is the other side
	begins   string              // these bytes
}

const aPort = "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"

// wires are those of a port at the settings that meters use, or at the one that is configured.
func (w ward) wires(m config.Meter) (all []probe.Endpoint, err error) {
	lines := m.Serial.Lines()
	if m.Port.Kind != config.SerialPort {
		lines = lines[:1]
	}
	for _, l := range lines {
		c := probe.Endpoint{Port: m.Port.String(), Line: l.String(), Dial: func(context.Context) (io.ReadCloser, error) {
			return w.wire(m.Port.String(), l), nil
		}}
		if m.Port.Kind != config.SerialPort {
			c.Line = ""
		}
		all = append(all, c)
	}
	return all, nil
}

// wire gives what a receiver that is set as l hears of the meter.
func (w ward) wire(port string, l source.Line) io.ReadCloser {
	speaks := w.speaking
	if speaks == "" && len(w.ports) > 0 {
		speaks = w.ports[0]
	}
	if w.ends != nil {
		return io.NopCloser(io.MultiReader(strings.NewReader(w.begins), iotest.ErrReader(w.ends)))
	}
	if w.family == "" || speaks != "" && port != speaks {
		return silence()
	}
	f, ok := simulate.Named(w.family)
	if !ok {
		panic("no family " + w.family)
	}
	text := f.Line
	if w.line != "" {
		text = w.line
	}
	sender, err := source.ParseLine(text)
	if err != nil {
		panic(err)
	}
	from := simulate.Wire{Baud: sender.Baud, DataBits: sender.DataBits, Parity: sender.Parity, StopBits: sender.StopBits, Inverted: w.inverted}
	by := simulate.Wire{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits}
	meter := simulate.NewMeter(f, 1, time.Now().Add(3*time.Second))
	begun := false
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		if !begun {
			begun = true
			return time.Now(), nil, nil // the pace begins when somebody listens
		}
		at, telegram := meter.Next()
		if w.damage != nil {
			telegram = w.damage(telegram)
		}
		return at, from.Heard(nil, telegram, by), nil
	})
}

// every is a wire on which the same comes again and again.
func every(interval time.Duration, bytes string) io.ReadCloser {
	at, text := time.Now(), "" // the pace begins when somebody listens
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		due, now := at, []byte(text)
		at, text = at.Add(interval), bytes
		return due, now, nil
	})
}

// silence is a wire on which nothing comes.
func silence() io.ReadCloser { return every(24*time.Hour, "") }
