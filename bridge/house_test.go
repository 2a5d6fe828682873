package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A port is a wire in memory, whose other end the test holds. Each time it is opened it is another one.
type port struct {
	mu        sync.Mutex
	writer    *io.PipeWriter
	dialTimes []time.Time // and tried to be opened
	dialErr   error
	greeting  []byte // what is sent each time that it is opened
}

func (p *port) dial(context.Context) (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialTimes = append(p.dialTimes, time.Now())
	if p.dialErr != nil {
		return nil, p.dialErr
	}
	r, w := io.Pipe()
	p.writer = w
	if len(p.greeting) > 0 {
		go func() { _, _ = w.Write(p.greeting) }() // fails when the bridge closes the wire first
	}
	return r, nil
}

// send returns when the bridge has read it all, or has closed the wire.
func (p *port) send(telegram []byte) {
	p.mu.Lock()
	end := p.writer
	p.mu.Unlock()
	_, _ = end.Write(telegram) // fails when the bridge has closed the wire, which is what some tests want to see
	synctest.Wait()
}

func (p *port) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialErr = err
	if p.writer != nil {
		_ = p.writer.CloseWithError(io.ErrUnexpectedEOF) // never fails
	}
}

func (p *port) dials() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.dialTimes...)
}

// source has an endpoint for each port.
func source(ports ...*port) probe.Source {
	var all []probe.Endpoint
	for i, p := range ports {
		all = append(all, probe.Endpoint{Port: "/dev/ttyUSB0", Line: fmt.Sprintf("setting %d", i), Dial: p.dial})
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

// A notebook is an output that notes what it hears.
type recorder struct {
	mu               sync.Mutex
	states           []string // "house offline"
	order            []string // "value", "online", "telegram": what came first
	values           map[string]string
	quantities       []string
	description      bridge.Description
	stats            bridge.Stats
	events           []string // "profile_changed aidon hdlc > aidon p1"
	telegrams        []bridge.Telegram
	telegramTimes    []time.Time // of the telegrams
	lost             uint64
	energyIntervals  []time.Duration // of import_energy, each time that it was announced
	descriptionCount int             // how often the meter was described
	statsCount       int             // how often its counts were told
	resyncRequests   chan struct{}   // what is to be had is wanted again
}

func (n *recorder) Run(ctx context.Context, feed *bridge.Feed) error {
	n.mu.Lock()
	n.resyncRequests = make(chan struct{})
	n.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			n.record(feed)
			return nil
		case <-feed.Ready():
			n.record(feed)
		case <-n.resyncRequests:
			feed.Resync()
		}
	}
}

// resync has everything told again, as after a reconnect.
func (n *recorder) resync() {
	n.resyncRequests <- struct{}{}
	synctest.Wait()
}

func (n *recorder) record(feed *bridge.Feed) {
	for b := feed.Take(); b != nil; b = feed.Take() {
		n.addBatch(b)
	}
}

func (n *recorder) addBatch(b *bridge.Batch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, news := range b.Updates {
		n.addUpdate(&news)
	}
	n.lost += b.Lost
	for _, t := range b.Telegrams {
		t.Values = append([]bridge.Value(nil), t.Values...) // they belong to the feed
		n.telegrams = append(n.telegrams, t)
		n.telegramTimes = append(n.telegramTimes, time.Now())
		n.order = append(n.order, "telegram")
	}
}

func (n *recorder) addUpdate(addUpdate *bridge.MeterUpdate) {
	if n.values == nil {
		n.values = map[string]string{}
	}
	for i := range addUpdate.Values {
		n.values[addUpdate.Values[i].ID.String()] = string(addUpdate.Values[i].Append(nil))
	}
	if len(addUpdate.Values) > 0 {
		n.order = append(n.order, "values")
	}
	if addUpdate.OnlineNew {
		state := map[bool]string{true: "online", false: "offline"}[addUpdate.Online]
		n.states = append(n.states, addUpdate.Meter.ID+" "+state)
		n.order = append(n.order, state)
		if addUpdate.Online && len(addUpdate.Values) == 0 {
			n.order = append(n.order, "online without values")
		}
	}
	for _, e := range addUpdate.Events {
		n.events = append(n.events, fmt.Sprintf("%s %s > %s", e.Name, e.From, e.To))
	}
	if addUpdate.DescriptorsNew {
		n.quantities = n.quantities[:0]
		for _, k := range addUpdate.Descriptors {
			n.quantities = append(n.quantities, k.ID.String())
			if k.ID.String() == "import_energy" {
				n.energyIntervals = append(n.energyIntervals, k.Every)
			}
		}
	}
	if addUpdate.DescriptionNew {
		n.description = addUpdate.Description
		n.descriptionCount++
	}
	if addUpdate.StatsNew {
		n.stats = addUpdate.Stats
		n.statsCount++
	}
}

// read gives the notes while nobody writes.
func (n *recorder) inspect(look func(*recorder)) {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	look(n)
}

func (n *recorder) telegramCount() (telegrams int) {
	n.inspect(func(n *recorder) { telegrams = len(n.telegrams) })
	return telegrams
}

func (n *recorder) stateHistory() (states string) {
	n.inspect(func(n *recorder) { states = strings.Join(n.states, ", ") })
	return states
}

// A paper is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *logBuffer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *logBuffer) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// A house is a bridge that runs.
type runningBridge struct {
	t    *testing.T
	log  *logBuffer
	stop func()
	done chan error
}

// run starts a bridge for a meter with outputs; the test stops it.
func run(t *testing.T, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runMeter(t, bridge.Meter{ID: "house"}, s, outputs...)
}

func runMeter(t *testing.T, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithState(t, "", m, s, outputs...)
}

// runIn starts one that remembers in a folder, where there is one.
func runWithState(t *testing.T, dir string, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithPreset(t, dir, throttle.Realtime, m, s, outputs...)
}

// runPlanned starts one that publishes as a preset says.
func runWithPreset(t *testing.T, dir string, preset throttle.Preset, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	h := &runningBridge{t: t, log: &logBuffer{}, done: make(chan error, 1)}
	b := bridge.New(zerolog.New(h.log).Level(zerolog.InfoLevel))
	b.SetPlan(throttle.NewPlan(preset))
	b.AddMeter(m, s)
	if dir != "" {
		b.KeepState(dir)
	}
	for i, o := range outputs {
		b.AddOutput(fmt.Sprint("output", i), o)
	}
	ctx, stop := context.WithCancel(t.Context())
	h.stop = stop
	go func() { h.done <- b.Run(ctx) }()
	synctest.Wait()
	return h
}

// said counts the lines of the log that hold text.
func (h *runningBridge) countLines(text string) int {
	synctest.Wait()
	n := 0
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// end stops the bridge.
func (h *runningBridge) end() {
	h.t.Helper()
	h.stop()
	if err := <-h.done; err != nil {
		h.t.Errorf("Run: %v", err)
	}
}

// meterOf simulates a meter of a family.
func newMeter(t *testing.T, name string) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(name)
	if !ok {
		t.Fatalf("no family %q", name)
	}
	return simulate.NewMeter(f, 1, time.Now())
}

func nextTelegram(m *simulate.Meter) []byte {
	_, telegram := m.Next()
	return bytes.Clone(telegram)
}

func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
