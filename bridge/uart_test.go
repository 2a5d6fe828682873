package bridge_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	usual "github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A uart is a serial port in memory with a meter at its other end. The received bytes follow from the line settings of both ends.
type uart struct {
	patient bool // see simulate.LineSetting
	network bool // a network reader that forwards the bytes of the meter

	mu             sync.Mutex
	writer         *io.PipeWriter       // to the bridge; nil before the first dial
	readerSetting  simulate.LineSetting // the line setting with which the bridge has opened the port
	openedSettings []string             // each line setting with which the port was opened
}

const uartPort = "/dev/ttyUSB0"

// source returns a source with the usual line settings in their order; for a network reader, with its one endpoint.
func (u *uart) source() probe.Source {
	var all []probe.Endpoint
	for _, l := range usual.UsualLines {
		set := simulate.LineSetting{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits, WaitsForIdle: u.patient}
		all = append(all, probe.Endpoint{Port: uartPort, Line: l.String(), Baud: l.Baud, Dial: u.dialer(l.String(), set)})
	}
	if u.network {
		all = []probe.Endpoint{{Port: "tcp://192.0.2.1:23", Dial: u.dialer("", simulate.LineSetting{})}}
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

func (u *uart) dialer(name string, set simulate.LineSetting) probe.Dialer {
	return func(context.Context) (io.ReadCloser, error) {
		u.mu.Lock()
		defer u.mu.Unlock()
		r, w := io.Pipe()
		u.writer, u.readerSetting, u.openedSettings = w, set, append(u.openedSettings, name)
		return r, nil
	}
}

// send sends a telegram in the time that it takes on the line. If the bridge opens the port meanwhile, it receives the rest.
func (u *uart) send(from simulate.LineSetting, telegram []byte) {
	const parts = 8
	received := map[simulate.LineSetting][]byte{} // by the line setting of the bridge
	for i := range parts {
		u.mu.Lock()
		writer, set, network := u.writer, u.readerSetting, u.network
		u.mu.Unlock()
		all, ok := received[set]
		switch {
		case network:
			all = telegram
		case !ok:
			all = from.ReceivedBy(nil, telegram, set)
			received[set] = all
		}
		_, _ = writer.Write(all[len(all)*i/parts : len(all)*(i+1)/parts]) // fails if the bridge tries another setting meanwhile
		if !network {
			advance(transmissionTime(from, len(telegram)) / parts)
		}
	}
}

// transmissionTime returns how long n bytes take on the line.
func transmissionTime(w simulate.LineSetting, n int) time.Duration {
	bits := 1 + w.DataBits + w.StopBits
	if w.Parity != 'N' {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(w.Baud)
}

// openings returns the line settings with which the port was opened.
func (u *uart) openings() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.openedSettings)
}

// A household is a simulated household with a meter at a port, and the telegrams that the meter has sent.
type household struct {
	t      *testing.T
	port   *uart
	family simulate.Family
	meter  *simulate.Meter
	sent   []sentTelegram
}

// A sentTelegram is a telegram with the time at which it began, and the state of the household that it describes.
type sentTelegram struct {
	family   simulate.Family
	at       time.Time
	telegram []byte
	state    simulate.State
}

// evening is when the simulation of every household begins. People are at home, and the next hour begins some minutes later.
var evening = time.Date(2026, 1, 31, 17, 56, 37, 0, time.UTC)

func newHousehold(t *testing.T, f simulate.Family, port *uart) *household {
	advance(time.Until(evening))
	return &household{t: t, port: port, family: f, meter: simulate.NewMeter(f, 7, evening)}
}

// sendNext waits until the next telegram is due, and sends it.
func (h *household) sendNext() {
	at, telegram := h.meter.Next()
	telegram = slices.Clone(telegram)
	if wait := time.Until(at); wait > 0 {
		advance(wait)
	}
	one := h.meter.State()
	h.sent = append(h.sent, sentTelegram{h.family, time.Now(), telegram, one.Multiply(h.family.Households)})
	h.port.send(h.family.LineSetting(), telegram)
}

// changeFamily replaces the meter by one of another family. The household continues. The sent telegrams are removed.
func (h *household) changeFamily(f simulate.Family) {
	h.family, h.meter, h.sent = f, simulate.NewMeter(f, 7, evening), nil
	for range time.Since(evening) / f.Interval {
		h.meter.Next()
	}
}
