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

// config returns the configuration for a broker at addr, in style discovery.Device.
func config(addr string) mqtt.Config {
	return mqtt.Config{
		URL: "mqtt://" + addr, ClientID: "hanbridge-test", BaseTopic: "hanbridge", QoS: 1, Retain: true,
		Prefix: "homeassistant", Version: "1.2.3", StatusTopic: "homeassistant/status",
	}
}

// A testBridge is a bridge with one meter and one output. It is also the writer of the bridge's log.
type testBridge struct {
	t      *testing.T
	bridge *bridge.Bridge
	dialed chan *io.PipeWriter // receives the pipe to which the test writes telegrams, for each connection of the bridge to the meter
	pipe   *io.PipeWriter      // the newest pipe from dialed; nil before the first telegram
	stop   func()
	// interrupted has a value when the output has lost its connection.
	interrupted chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// Write records a log line.
func (h *testBridge) Write(line []byte) (int, error) {
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

// run starts a bridge with the meter "house" and without a state folder. The bridge runs until stop is called or the test ends.
func run(t *testing.T, c mqtt.Config) *testBridge {
	t.Helper()
	return runWith(t, c, "house", "")
}

// runWith starts a bridge with a meter and a state folder. stateDir is "" for no folder.
func runWith(t *testing.T, c mqtt.Config, meter, stateDir string) *testBridge {
	t.Helper()
	return runWithLog(t, func(log zerolog.Logger) bridge.Output { return mqtt.New(c, log) }, meter, stateDir)
}

// runOutput starts a bridge with an output that has its own log.
func runOutput(t *testing.T, o bridge.Output, meter, stateDir string) *testBridge {
	t.Helper()
	return runWithLog(t, func(zerolog.Logger) bridge.Output { return o }, meter, stateDir)
}

// runWithLog starts a bridge with the output that newOutput returns. The argument of newOutput is the bridge's log, which the output can use.
func runWithLog(t *testing.T, newOutput func(zerolog.Logger) bridge.Output, meter, stateDir string) *testBridge {
	t.Helper()
	h := &testBridge{t: t, dialed: make(chan *io.PipeWriter, 1), interrupted: make(chan struct{}, 1)}
	b := bridge.New(zerolog.New(h))
	h.bridge = b
	if stateDir != "" {
		b.KeepState(stateDir)
	}
	addMeter(t, b, bridge.Meter{ID: meter, Name: "House"}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{
		Port: "/dev/ttyUSB0", Line: "115200 8N1", Dial: h.dial,
	})})
	b.AddOutput("mqtt", newOutput(zerolog.New(h).Level(zerolog.InfoLevel)))
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
			t.Error("the bridge still runs 2 minutes after its context has ended")
		}
	})
	t.Cleanup(h.stop)
	return h
}

// logCount returns the number of log lines that contain a text.
func (h *testBridge) logCount(text string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// awaitLog waits until a log line contains a text.
func (h *testBridge) awaitLog(text string) {
	h.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); h.logCount(text) == 0; <-tick.C {
		if time.Now().After(deadline) {
			h.t.Fatalf("no log line within 2 minutes contains: %s", text)
		}
	}
}

// dial connects the bridge to the meter.
func (h *testBridge) dial(context.Context) (io.ReadCloser, error) {
	r, w := io.Pipe()
	h.dialed <- w
	return r, nil
}

// send sends a telegram of the meter and returns when the bridge has read it.
func (h *testBridge) send(telegram []byte) {
	h.t.Helper()
	if h.pipe == nil {
		h.pipe = <-h.dialed
	}
	if _, err := h.pipe.Write(telegram); err != nil {
		h.t.Fatal(err)
	}
}

// awaitLoss waits until the output has lost its connection.
func (h *testBridge) awaitLoss() {
	h.t.Helper()
	select {
	case <-h.interrupted:
	case <-time.After(2 * time.Minute):
		h.t.Fatal("the output has not lost its connection after 2 minutes")
	}
}

// newMeter returns a simulated meter of a family, whose clock begins at start.
func newMeter(t *testing.T, family string, start time.Time) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %q", family)
	}
	return simulate.NewMeter(f, 1, start)
}

// nextTelegram returns a copy of the next telegram of a meter.
func nextTelegram(m *simulate.Meter) []byte {
	_, telegram := m.Next()
	return bytes.Clone(telegram)
}

// decoded returns the text of each value of a telegram, by the name of its quantity.
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

// announcements returns the announcements among the messages.
func announcements(all []message) (found []message) {
	for _, m := range all {
		if strings.HasPrefix(m.topic, "homeassistant/") && strings.HasSuffix(m.topic, "/config") {
			found = append(found, m)
		}
	}
	return found
}

// addMeter adds a meter to a bridge.
func addMeter(t *testing.T, b *bridge.Bridge, m bridge.Meter, s probe.Source) {
	t.Helper()
	if err := b.AddMeter(m, s); err != nil {
		t.Fatal(err)
	}
}
