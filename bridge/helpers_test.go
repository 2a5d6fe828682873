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

// A port is a serial port or a network reader in memory. The bridge dials the port, and each dial makes a new connection. The test sends the
// bytes of the meter.
type port struct {
	mu        sync.Mutex
	writer    *io.PipeWriter
	dialTimes []time.Time // also of dials that failed
	dialErr   error       // is returned by dial; nil if dials succeed
	greeting  []byte      // is sent at once on each new connection
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

// send writes a telegram. It returns when the bridge has read the telegram, or has closed the connection.
func (p *port) send(telegram []byte) {
	p.mu.Lock()
	w := p.writer
	p.mu.Unlock()
	_, _ = w.Write(telegram) // fails if the bridge has closed the connection, which some tests expect
	synctest.Wait()
}

// fail ends the connection with io.ErrUnexpectedEOF. If err is nil, further dials succeed; otherwise they return err.
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

// sourceOf returns a source with an endpoint for each port.
func sourceOf(ports ...*port) probe.Source {
	var all []probe.Endpoint
	for i, p := range ports {
		all = append(all, probe.Endpoint{Port: "/dev/ttyUSB0", Line: fmt.Sprintf("setting %d", i), Dial: p.dial})
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

// A recorder is an output that records all updates.
type recorder struct {
	preset           throttle.Preset // says how often values are published; Realtime unless the test sets it
	mu               sync.Mutex
	states           []string // such as "house offline"
	order            []string // the contents of the batches in their order, such as "values", "online", "telegram"
	values           map[string]string
	quantities       []string
	description      bridge.Description
	stats            bridge.Stats
	events           []string // such as "profile_changed aidon hdlc > aidon p1"
	telegrams        []*bridge.Telegram
	telegramTimes    []time.Time // when each telegram was taken
	lost             uint64
	energyIntervals  []time.Duration // Descriptor.Every of import_energy, for each time that the descriptors were new
	descriptionCount int             // how often the description was new
	statsCount       int             // how often the counts were new
	resyncRequests   chan struct{}   // see resync
}

// Streams returns what the recorder receives: values as often as its plan says, and telegrams.
func (r *recorder) Streams() bridge.Streams {
	return bridge.Streams{Plan: throttle.NewPlan(r.preset), Telegrams: true}
}

// Run takes all updates. It calls Resync when the test asks for that.
func (r *recorder) Run(ctx context.Context, s *bridge.Subscription) error {
	r.mu.Lock()
	r.resyncRequests = make(chan struct{})
	r.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			r.record(s)
			return nil
		case <-s.Ready():
			r.record(s)
		case <-r.resyncRequests:
			s.Resync()
		}
	}
}

// resync makes the output call Resync, as after a reconnect.
func (r *recorder) resync() {
	r.resyncRequests <- struct{}{}
	synctest.Wait()
}

// record takes all batches.
func (r *recorder) record(s *bridge.Subscription) {
	for b := s.Take(); b != nil; b = s.Take() {
		r.addBatch(b)
		s.Delivered(b.Number)
	}
}

func (r *recorder) addBatch(b *bridge.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b.Changes {
		r.addUpdate(&b.Changes[i])
	}
	for _, e := range b.Events {
		r.events = append(r.events, fmt.Sprintf("%s %s > %s", e.Name, e.From, e.To))
	}
	r.lost += b.Lost
	for _, t := range b.Telegrams {
		r.telegrams = append(r.telegrams, t)
		r.telegramTimes = append(r.telegramTimes, time.Now())
		r.order = append(r.order, "telegram")
	}
}

func (r *recorder) addUpdate(update *bridge.MeterUpdate) {
	if r.values == nil {
		r.values = map[string]string{}
	}
	for i := range update.Values {
		r.values[update.Values[i].ID.String()] = string(update.Values[i].Append(nil))
	}
	if len(update.Values) > 0 {
		r.order = append(r.order, "values")
	}
	if update.OnlineNew {
		state := map[bool]string{true: "online", false: "offline"}[update.Online]
		r.states = append(r.states, update.Meter.ID+" "+state)
		r.order = append(r.order, state)
		if update.Online && len(update.Values) == 0 {
			r.order = append(r.order, "online without values")
		}
	}
	if update.DescriptorsNew {
		r.quantities = r.quantities[:0]
		for _, d := range update.Descriptors {
			r.quantities = append(r.quantities, d.ID.String())
			if d.ID.String() == "import_energy" {
				r.energyIntervals = append(r.energyIntervals, d.Every)
			}
		}
	}
	if update.DescriptionNew {
		r.description = update.Description
		r.descriptionCount++
	}
	if update.StatsNew {
		r.stats = update.Stats
		r.statsCount++
	}
}

// inspect waits until all goroutines wait, and calls look while the recorder is locked.
func (r *recorder) inspect(look func(*recorder)) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	look(r)
}

// telegramCount returns how many telegrams were recorded.
func (r *recorder) telegramCount() (telegrams int) {
	r.inspect(func(r *recorder) { telegrams = len(r.telegrams) })
	return telegrams
}

// stateHistory returns the recorded states of meters in their order, such as "house offline, house online".
func (r *recorder) stateHistory() (states string) {
	r.inspect(func(r *recorder) { states = strings.Join(r.states, ", ") })
	return states
}

// A logBuffer holds a log. It is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A runningBridge is a bridge whose Run was called, and its log.
type runningBridge struct {
	t    *testing.T
	log  *logBuffer
	stop func()
	done chan error // has the result of Run
}

// run starts a bridge with a meter and outputs, and without a state. The test must call end.
func run(t *testing.T, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runMeter(t, bridge.Meter{ID: "house"}, s, outputs...)
}

// runMeter does the same as run with another configuration of the meter.
func runMeter(t *testing.T, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithState(t, "", m, s, outputs...)
}

// runWithState does the same as runMeter with the state in dir; without a state if dir is "".
func runWithState(t *testing.T, dir string, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	return runWithPreset(t, dir, throttle.Realtime, m, s, outputs...)
}

// runWithPreset does the same as runWithState with another preset of the throttle than Realtime, which publishes everything.
func runWithPreset(t *testing.T, dir string, preset throttle.Preset, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *runningBridge {
	t.Helper()
	running := &runningBridge{t: t, log: &logBuffer{}, done: make(chan error, 1)}
	b := bridge.New(zerolog.New(running.log).Level(zerolog.InfoLevel))
	addMeter(t, b, m, s)
	if dir != "" {
		b.KeepState(dir)
	}
	for i, o := range outputs {
		if rec, ok := o.(*recorder); ok {
			rec.preset = preset
		}
		b.AddOutput(fmt.Sprint("output", i), o)
	}
	ctx, stop := context.WithCancel(t.Context())
	running.stop = stop
	go func() { running.done <- b.Run(ctx) }()
	synctest.Wait()
	return running
}

// addMeter adds a meter to a bridge.
func addMeter(t *testing.T, b *bridge.Bridge, m bridge.Meter, s probe.Source) {
	t.Helper()
	if err := b.AddMeter(m, s); err != nil {
		t.Fatal(err)
	}
}

// takeAll takes all batches and confirms them.
func takeAll(s *bridge.Subscription) {
	for b := s.Take(); b != nil; b = s.Take() {
		s.Delivered(b.Number)
	}
}

// countLines returns how many lines of the log contain the text.
func (b *runningBridge) countLines(text string) int {
	synctest.Wait()
	n := 0
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// end stops the bridge and checks that Run returns no error.
func (b *runningBridge) end() {
	b.t.Helper()
	b.stop()
	if err := <-b.done; err != nil {
		b.t.Errorf("Run: %v", err)
	}
}

// newMeter returns a simulated meter of the family with this name.
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

// advance lets the fake time of synctest pass, and waits until all goroutines wait.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
