package bridge_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A uart is a serial port in memory with a meter at its other end. Which bytes the bridge receives depends on the line settings of both ends.
type uart struct {
	waitsForIdle bool // as in simulate.LineSetting
	network      bool // the port is a network reader, which forwards the bytes of the meter as they are

	mu             sync.Mutex
	writer         *io.PipeWriter       // to the bridge; nil before the first dial
	bridgeSetting  simulate.LineSetting // the line setting with which the bridge has opened the port
	openedSettings []string             // the line settings with which the port was opened, in order
}

const uartPort = "/dev/ttyUSB0"

// source returns a source with an endpoint for each of the usual line settings. For a network reader, there is only one endpoint.
func (u *uart) source() probe.Source {
	var endpoints []probe.Endpoint
	for _, l := range source.UsualLines {
		setting := simulate.LineSetting{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits, WaitsForIdle: u.waitsForIdle}
		endpoints = append(endpoints, probe.Endpoint{Port: uartPort, Line: l.String(), Baud: l.Baud, Dial: u.dialer(l.String(), setting)})
	}
	if u.network {
		endpoints = []probe.Endpoint{{Port: "tcp://192.0.2.1:23", Dial: u.dialer("", simulate.LineSetting{})}}
	}
	return probe.Source{Endpoints: probe.Fixed(endpoints...)}
}

func (u *uart) dialer(name string, setting simulate.LineSetting) probe.Dialer {
	return func(context.Context) (io.ReadCloser, error) {
		u.mu.Lock()
		defer u.mu.Unlock()
		r, w := io.Pipe()
		u.writer, u.bridgeSetting, u.openedSettings = w, setting, append(u.openedSettings, name)
		return r, nil
	}
}

// send sends a telegram in parts, which takes as long as on a real line. If the bridge opens the port during the telegram, it receives only the
// remaining parts.
func (u *uart) send(from simulate.LineSetting, telegram []byte) {
	const parts = 8
	received := map[simulate.LineSetting][]byte{} // the whole telegram as the bridge receives it, by the line setting of the bridge
	for i := range parts {
		u.mu.Lock()
		writer, setting, network := u.writer, u.bridgeSetting, u.network
		u.mu.Unlock()
		all, ok := received[setting]
		switch {
		case network:
			all = telegram
		case !ok:
			all = from.ReceivedBy(nil, telegram, setting)
			received[setting] = all
		}
		_, _ = writer.Write(all[len(all)*i/parts : len(all)*(i+1)/parts]) // fails if the bridge is opening the port with another setting
		if !network {
			advance(transmissionTime(from, len(telegram)) / parts)
		}
	}
}

// transmissionTime returns how long n bytes take on the line.
func transmissionTime(l simulate.LineSetting, n int) time.Duration {
	bits := 1 + l.DataBits + l.StopBits
	if l.Parity != 'N' {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(l.Baud)
}

// openings returns the line settings with which the port was opened, in order.
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

// A sentTelegram is a telegram, the time at which its first byte was sent, and the state of the household that the telegram describes.
type sentTelegram struct {
	family   simulate.Family
	at       time.Time
	telegram []byte
	state    simulate.State
}

// evening is when the simulation of every household begins. In the evening, people are
// at home; and the next full hour, when some meters send their hourly list, is only some minutes later.
var evening = time.Date(2026, 1, 31, 17, 56, 37, 0, time.UTC)

// newHousehold returns a household with a meter of a family. It sets the fake clock to the evening.
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
	state := h.meter.State()
	h.sent = append(h.sent, sentTelegram{h.family, time.Now(), telegram, state.Multiply(h.family.Households)})
	h.port.send(h.family.LineSetting(), telegram)
}

// changeFamily replaces the meter by one of another family. The new meter has the values that the household
// has at this time. The list of sent telegrams is cleared.
func (h *household) changeFamily(f simulate.Family) {
	h.family, h.meter, h.sent = f, simulate.NewMeter(f, 7, evening), nil
	for range time.Since(evening) / f.Interval {
		h.meter.Next()
	}
}
