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

// A port is a serial port or a network reader in memory. The test writes to the other end. Each dial makes a new connection.
type port struct {
	mu        sync.Mutex
	writer    *io.PipeWriter
	dialTimes []time.Time // also of dials that failed
	dialErr   error       // is returned by dial; nil if dial works
	greeting  []byte      // is sent after each dial
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
		go func() { _, _ = w.Write(p.greeting) }() // fails if the bridge closes the connection first
	}
	return r, nil
}

// send writes a telegram. It returns when the bridge has read it, or has closed the connection.
func (p *port) send(telegram []byte) {
	p.mu.Lock()
	end := p.writer
	p.mu.Unlock()
	_, _ = end.Write(telegram) // fails if the bridge has closed the connection, which some tests expect
	synctest.Wait()
}

// fail breaks the connection. Further dials return err, or work if it is nil.
func (p *port) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialErr = err
	if p.writer != nil {
		_ = p.writer.CloseWithError(io.ErrUnexpectedEOF) // never fails
	}
}

// dials returns the times of all dials.
func (p *port) dials() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.dialTimes...)
}

// source returns a source with an endpoint for each port.
func source(ports ...*port) probe.Source {
	var all []probe.Endpoint
	for i, p := range ports {
		all = append(all, probe.Endpoint{Port: "/dev/ttyUSB0", Line: fmt.Sprintf("setting %d", i), Dial: p.dial})
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

// A recorder is an output that records all updates.
type recorder struct {
	mu               sync.Mutex
	states           []string // "house offline"
	order            []string // the kinds of updates in their order, such as "values", "online", "telegram"
	values           map[string]string
	quantities       []string
	description      bridge.Description
	stats            bridge.Stats
	events           []string // "profile_changed aidon hdlc > aidon p1"
	telegrams        []bridge.Telegram
	telegramTimes    []time.Time // when each telegram was taken
	lost             uint64
	energyIntervals  []time.Duration // Descriptor.Every of import_energy, each time that the descriptors changed
	descriptionCount int             // how often the description was new
	statsCount       int             // how often the counts were new
	resyncRequests   chan struct{}   // has a value when Resync is to be called
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

// resync makes the output call Resync, as after a reconnect.
func (n *recorder) resync() {
	n.resyncRequests <- struct{}{}
	synctest.Wait()
}

// record takes all batches.
func (n *recorder) record(feed *bridge.Feed) {
	for b := feed.Take(); b != nil; b = feed.Take() {
		n.addBatch(b)
	}
}

func (n *recorder) addBatch(b *bridge.Batch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, update := range b.Updates {
		n.addUpdate(&update)
	}
	n.lost += b.Lost
	for _, t := range b.Telegrams {
		t.Values = append([]bridge.Value(nil), t.Values...) // the slice belongs to the feed
		n.telegrams = append(n.telegrams, t)
		n.telegramTimes = append(n.telegramTimes, time.Now())
		n.order = append(n.order, "telegram")
	}
}

func (n *recorder) addUpdate(update *bridge.MeterUpdate) {
	if n.values == nil {
		n.values = map[string]string{}
	}
	for i := range update.Values {
		n.values[update.Values[i].ID.String()] = string(update.Values[i].Append(nil))
	}
	if len(update.Values) > 0 {
		n.order = append(n.order, "values")
	}
	if update.OnlineNew {
		state := map[bool]string{true: "online", false: "offline"}[update.Online]
		n.states = append(n.states, update.Meter.ID+" "+state)
		n.order = append(n.order, state)
		if update.Online && len(update.Values) == 0 {
			n.order = append(n.order, "online without values")
		}
	}
	for _, e := range update.Events {
		n.events = append(n.events, fmt.Sprintf("%s %s > %s", e.Name, e.From, e.To))
	}
	if update.DescriptorsNew {
		n.quantities = n.quantities[:0]
		for _, k := range update.Descriptors {
			n.quantities = append(n.quantities, k.ID.String())
			if k.ID.String() == "import_energy" {
				n.energyIntervals = append(n.energyIntervals, k.Every)
			}
		}
	}
	if update.DescriptionNew {
		n.description = update.Description
		n.descriptionCount++
	}
	if update.StatsNew {
		n.stats = update.Stats
		n.statsCount++
	}
}

// inspect calls look while the recorder is locked.
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

// stateHistory returns all states of meters, such as "house offline, house online".
func (n *recorder) stateHistory() (states string) {
	n.inspect(func(n *recorder) { states = strings.Join(n.states, ", ") })
	return states
}

// A logBuffer holds a log. It is safe for concurrent use.
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

// A runningBridge is a bridge that runs.
type runningBridge struct {
	t    *testing.T
	log  *logBuffer
	stop func()
	done chan error
}

// run starts a bridge with one meter and outputs. The test calls end.
func run(t *testing.T, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runMeter(t, bridge.Meter{ID: "house"}, s, outputs...)
}

// runMeter starts a bridge with this meter.
func runMeter(t *testing.T, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithState(t, "", m, s, outputs...)
}

// runWithState starts a bridge with the state in dir; without one if dir is "".
func runWithState(t *testing.T, dir string, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithPreset(t, dir, throttle.Realtime, m, s, outputs...)
}

// runWithPreset starts a bridge with a preset of the throttle.
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

// countLines returns how many lines of the log contain the text.
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

// end stops the bridge and checks that Run returns no error.
func (h *runningBridge) end() {
	h.t.Helper()
	h.stop()
	if err := <-h.done; err != nil {
		h.t.Errorf("Run: %v", err)
	}
}

// newMeter returns a simulated meter of a family.
func newMeter(t *testing.T, name string) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(name)
	if !ok {
		t.Fatalf("no family %q", name)
	}
	return simulate.NewMeter(f, 1, time.Now())
}

// nextTelegram returns a copy of the next telegram.
func nextTelegram(m *simulate.Meter) []byte {
	_, telegram := m.Next()
	return bytes.Clone(telegram)
}

// advance waits in the fake time of synctest, until all goroutines wait.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
