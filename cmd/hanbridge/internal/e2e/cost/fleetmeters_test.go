//go:build linux

package cost_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A fleet is a set of meters with network readers on 127.0.0.1. Each meter accepts connections at a port of its own, and sends a telegram every
// second while it has a connection. All meters send the same telegrams.
type fleet struct {
	b       *testing.B
	begin   time.Time // the meters' time in the first telegram, a whole second
	meters  []*fleetMeter
	stopped chan struct{}
	done    sync.WaitGroup // of the meters

	mu        sync.Mutex
	simulated *simulate.Meter
	telegrams [][]byte // by second, counted from begin
}

// A fleetMeter is one meter of a fleet.
type fleetMeter struct {
	*fleet
	listener net.Listener
	delay    time.Duration // after the beginning of a second, when the meter sends
	sent     map[int]bool  // by second: whether the telegram was written to the connection
}

// newFleet starts n meters, whose telegrams are spread evenly over the given time. The benchmark ends them.
func newFleet(b *testing.B, n int, spread time.Duration) *fleet {
	b.Helper()
	family, ok := simulate.Named("p1-se-aidon")
	if !ok {
		b.Fatal("the simulator has no family p1-se-aidon")
	}
	family.Interval = time.Second
	f := &fleet{b: b, begin: time.Now().Truncate(time.Second), stopped: make(chan struct{})}
	f.simulated = simulate.NewMeter(family, 1, f.begin)
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = l.Close() })
		m := &fleetMeter{f, l, spread * time.Duration(i) / time.Duration(n), map[int]bool{}}
		f.meters = append(f.meters, m)
		f.done.Go(m.serve)
	}
	return f
}

// writeConfig writes a configuration file with all meters, and returns its path. Meter i has the id "m" and i.
func (f *fleet) writeConfig() (name string) {
	var text strings.Builder
	text.WriteString("meters:\n")
	for i, m := range f.meters {
		fmt.Fprintf(&text, "- {id: m%d, port: tcp://%v}\n", i, m.listener.Addr())
	}
	name = filepath.Join(f.b.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		f.b.Fatal(err)
	}
	return name
}

// stop ends the sending of all meters. The connections stay open, because the bridge would report their end.
func (f *fleet) stop() {
	close(f.stopped)
	for _, m := range f.meters {
		_ = m.listener.(*net.TCPListener).SetDeadline(time.Now()) // ends an Accept that waits for the bridge
	}
	f.done.Wait()
}

// sentTotal returns the number of sent telegrams. Call it after stop.
func (f *fleet) sentTotal() (n int) {
	for _, m := range f.meters {
		n += len(m.sent)
	}
	return n
}

// telegram returns the telegram of a second.
func (f *fleet) telegram(second int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.telegrams) <= second {
		_, telegram := f.simulated.Next()
		f.telegrams = append(f.telegrams, bytes.Clone(telegram))
	}
	return f.telegrams[second]
}

// serve sends telegrams on one connection after another until the fleet stops.
func (m *fleetMeter) serve() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return // the fleet stops, or the benchmark has failed
		}
		m.b.Cleanup(func() { _ = conn.Close() })
		if err := m.send(conn); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// send sends telegrams until the fleet stops or the connection ends.
func (m *fleetMeter) send(conn net.Conn) error {
	for second := m.secondAt(time.Now()) + 1; ; second++ {
		select {
		case <-m.stopped:
			return net.ErrClosed
		case <-time.After(time.Until(m.begin.Add(time.Duration(second)*time.Second + m.delay))):
		}
		if _, err := conn.Write(m.telegram(second)); err != nil {
			return err
		}
		m.sent[second] = true
	}
}

// secondAt returns the second whose telegram the meter sent last at a time.
func (m *fleetMeter) secondAt(t time.Time) int { return int(t.Sub(m.begin.Add(m.delay)) / time.Second) }
