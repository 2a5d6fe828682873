package mqtt_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// config publishes to the broker at addr.
func config(addr string) mqtt.Config {
	return mqtt.Config{
		URL: "mqtt://" + addr, ClientID: "hanbridge-test", BaseTopic: "hanbridge", QoS: 1, Retain: true,
		Prefix: "homeassistant", Version: "1.2.3", StatusTopic: "homeassistant/status",
	}
}

// A house is a bridge with one meter that publishes.
type house struct {
	t     *testing.T
	wires chan *io.PipeWriter
	wire  *io.PipeWriter
	stop  func()
	// interrupted has a value when the output has lost its connection.
	interrupted chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// Write hears the log.
func (h *house) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log.Write(line)
	if bytes.Contains(line, []byte("output interrupted")) {
		select {
		case h.interrupted <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// run starts the bridge; it ends with the test, if not before.
func run(t *testing.T, c mqtt.Config) *house {
	t.Helper()
	return runWith(t, c, "house", "")
}

// runWith starts a bridge with another meter, or with a memory.
func runWith(t *testing.T, c mqtt.Config, meter, stateDir string) *house {
	t.Helper()
	return runMade(t, func(log zerolog.Logger) bridge.Output { return mqtt.New(c, log) }, meter, stateDir)
}

// runOutput starts a bridge with an output.
func runOutput(t *testing.T, o bridge.Output, meter, stateDir string) *house {
	t.Helper()
	return runMade(t, func(zerolog.Logger) bridge.Output { return o }, meter, stateDir)
}

// runMade starts a bridge with an output that is given the bridge's log.
func runMade(t *testing.T, made func(zerolog.Logger) bridge.Output, meter, stateDir string) *house {
	t.Helper()
	h := &house{t: t, wires: make(chan *io.PipeWriter, 1), interrupted: make(chan struct{}, 1)}
	b := bridge.New(zerolog.New(h))
	if stateDir != "" {
		b.KeepState(stateDir)
	}
	b.AddMeter(bridge.Meter{ID: meter, Name: "House"}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{
		Port: "/dev/ttyUSB0", Line: "115200 8N1", Dial: h.dial,
	})})
	b.AddOutput("mqtt", made(zerolog.New(h).Level(zerolog.InfoLevel)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("the bridge has not ended 2 minutes after its context")
		}
	})
	t.Cleanup(h.stop)
	return h
}

// said counts the lines of the log that hold a text.
func (h *house) said(text string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// awaitSaid waits until the log has a line that holds a text.
func (h *house) awaitSaid(text string) {
	h.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(2 * time.Minute); h.said(text) == 0; <-again.C {
		if time.Now().After(deadline) {
			h.t.Fatalf("the log does not say within 2 minutes: %s", text)
		}
	}
}

func (h *house) dial(context.Context) (io.ReadCloser, error) {
	r, w := io.Pipe()
	h.wires <- w
	return r, nil
}

func (h *house) send(telegram []byte) {
	h.t.Helper()
	if h.wire == nil {
		h.wire = <-h.wires
	}
	if _, err := h.wire.Write(telegram); err != nil {
		h.t.Fatal(err)
	}
}

// awaitLoss waits until the output has lost its connection.
func (h *house) awaitLoss() {
	h.t.Helper()
	select {
	case <-h.interrupted:
	case <-time.After(2 * time.Minute):
		h.t.Fatal("the output does not notice that the broker is gone")
	}
}

// meterOf simulates a meter of a family from a time on.
func meterOf(t *testing.T, name string, from time.Time) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(name)
	if !ok {
		t.Fatalf("no family %q", name)
	}
	return simulate.NewMeter(f, 1, from)
}

func next(m *simulate.Meter) []byte {
	_, telegram := m.Next()
	return bytes.Clone(telegram)
}

// decoded is what a telegram says, as texts by quantity.
func decoded(t *testing.T, telegram []byte) map[string]string {
	t.Helper()
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range r.Samples {
		all[s.ID.String()] = string(s.Value.AppendFixed(nil, s.Decimals()))
		if !s.ID.Row().Numeric() {
			all[s.ID.String()] = string(s.Text)
		}
	}
	return all
}

// announcements are those of the messages.
func announcements(all []message) (found []message) {
	for _, m := range all {
		if strings.HasPrefix(m.topic, "homeassistant/") && strings.HasSuffix(m.topic, "/config") {
			found = append(found, m)
		}
	}
	return found
}
