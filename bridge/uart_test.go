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

// A uart is a serial port in memory with a meter at its other end. What is heard follows from how both ends are set.
type uart struct {
	patient bool // see simulate.LineSetting
	network bool // a reader that hands on what the meter sent

	mu             sync.Mutex
	writer         *io.PipeWriter       // of who reads, nil before
	readerSetting  simulate.LineSetting // how who reads has set the port
	openedSettings []string             // each setting with which it was opened
}

const uartPort = "/dev/ttyUSB0"

// source has the settings of usual.UsualLines, in their order; for a network-attached reader the one that there is.
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

// speak sends a telegram in the time that it takes. Who opens the port meanwhile hears the rest.
func (u *uart) send(from simulate.LineSetting, telegram []byte) {
	const parts = 8
	heard := map[simulate.LineSetting][]byte{} // by how the reader is set
	for i := range parts {
		u.mu.Lock()
		end, set, network := u.writer, u.readerSetting, u.network
		u.mu.Unlock()
		all, ok := heard[set]
		switch {
		case network:
			all = telegram
		case !ok:
			all = from.ReceivedBy(nil, telegram, set)
			heard[set] = all
		}
		_, _ = end.Write(all[len(all)*i/parts : len(all)*(i+1)/parts]) // fails when the bridge tries another setting meanwhile
		if !network {
			advance(transmissionTime(from, len(telegram)) / parts)
		}
	}
}

// took is how long bytes are on their way.
func transmissionTime(w simulate.LineSetting, n int) time.Duration {
	bits := 1 + w.DataBits + w.StopBits
	if w.Parity != 'N' {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(w.Baud)
}

// tries are the settings with which the port was opened.
func (u *uart) openings() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.openedSettings)
}

// A household is what meters of families send that stand in it, and what it sent.
type household struct {
	t      *testing.T
	port   *uart
	family simulate.Family
	meter  *simulate.Meter
	sent   []sentTelegram
}

// sent is a telegram with the time at which it begins, and the state that it tells.
type sentTelegram struct {
	family   simulate.Family
	at       time.Time
	telegram []byte
	state    simulate.State
}

// evening is when every household begins: people are at home, and some minutes later it is a whole hour.
var evening = time.Date(2026, 1, 31, 17, 56, 37, 0, time.UTC)

func newHousehold(t *testing.T, f simulate.Family, port *uart) *household {
	advance(time.Until(evening))
	return &household{t: t, port: port, family: f, meter: simulate.NewMeter(f, 7, evening)}
}

// speak waits until the next telegram is due, and sends it.
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

// becomes makes the meter one of another family: the household goes on. What was sent before is forgotten.
func (h *household) changeFamily(f simulate.Family) {
	h.family, h.meter, h.sent = f, simulate.NewMeter(f, 7, evening), nil
	for range time.Since(evening) / f.Interval {
		h.meter.Next()
	}
}
