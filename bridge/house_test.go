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
	mu     sync.Mutex
	end    *io.PipeWriter
	opened []time.Time // and tried to be opened
	broken error
	always []byte // what is sent each time that it is opened
}

func (p *port) dial(context.Context) (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = append(p.opened, time.Now())
	if p.broken != nil {
		return nil, p.broken
	}
	r, w := io.Pipe()
	p.end = w
	if len(p.always) > 0 {
		go func() { _, _ = w.Write(p.always) }() // fails when the bridge closes the wire first
	}
	return r, nil
}

// send returns when the bridge has read it all, or has closed the wire.
func (p *port) send(telegram []byte) {
	p.mu.Lock()
	end := p.end
	p.mu.Unlock()
	_, _ = end.Write(telegram) // fails when the bridge has closed the wire, which is what some tests want to see
	synctest.Wait()
}

func (p *port) breaks(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = err
	if p.end != nil {
		_ = p.end.CloseWithError(io.ErrUnexpectedEOF) // never fails
	}
}

func (p *port) tries() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.opened...)
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
type notebook struct {
	mu        sync.Mutex
	states    []string // "house offline"
	order     []string // "value", "online", "telegram": what came first
	values    map[string]string
	known     []string
	about     bridge.Description
	stats     bridge.Stats
	events    []string // "profile_changed aidon hdlc > aidon p1"
	telegrams []bridge.Telegram
	at        []time.Time // of the telegrams
	lost      uint64
	everies   []time.Duration // of import_energy, each time that it was announced
	described int             // how often the meter was described
	counted   int             // how often its counts were told
	again     chan struct{}   // what is to be had is wanted again
}

func (n *notebook) Run(ctx context.Context, feed *bridge.Feed) error {
	n.mu.Lock()
	n.again = make(chan struct{})
	n.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			n.take(feed)
			return nil
		case <-feed.Ready():
			n.take(feed)
		case <-n.again:
			feed.Resync()
		}
	}
}

// resync has everything told again, as after a reconnect.
func (n *notebook) resync() {
	n.again <- struct{}{}
	synctest.Wait()
}

func (n *notebook) take(feed *bridge.Feed) {
	for b := feed.Take(); b != nil; b = feed.Take() {
		n.note(b)
	}
}

func (n *notebook) note(b *bridge.Batch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, news := range b.Updates {
		n.news(&news)
	}
	n.lost += b.Lost
	for _, t := range b.Telegrams {
		t.Values = append([]bridge.Value(nil), t.Values...) // they belong to the feed
		n.telegrams = append(n.telegrams, t)
		n.at = append(n.at, time.Now())
		n.order = append(n.order, "telegram")
	}
}

func (n *notebook) news(news *bridge.MeterUpdate) {
	if n.values == nil {
		n.values = map[string]string{}
	}
	for i := range news.Values {
		n.values[news.Values[i].ID.String()] = string(news.Values[i].Append(nil))
	}
	if len(news.Values) > 0 {
		n.order = append(n.order, "values")
	}
	if news.OnlineNew {
		state := map[bool]string{true: "online", false: "offline"}[news.Online]
		n.states = append(n.states, news.Meter.ID+" "+state)
		n.order = append(n.order, state)
		if news.Online && len(news.Values) == 0 {
			n.order = append(n.order, "online without values")
		}
	}
	for _, e := range news.Events {
		n.events = append(n.events, fmt.Sprintf("%s %s > %s", e.Name, e.From, e.To))
	}
	if news.DescriptorsNew {
		n.known = n.known[:0]
		for _, k := range news.Descriptors {
			n.known = append(n.known, k.ID.String())
			if k.ID.String() == "import_energy" {
				n.everies = append(n.everies, k.Every)
			}
		}
	}
	if news.DescriptionNew {
		n.about = news.Description
		n.described++
	}
	if news.StatsNew {
		n.stats = news.Stats
		n.counted++
	}
}

// read gives the notes while nobody writes.
func (n *notebook) read(look func(*notebook)) {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	look(n)
}

func (n *notebook) count() (telegrams int) {
	n.read(func(n *notebook) { telegrams = len(n.telegrams) })
	return telegrams
}

func (n *notebook) said() (states string) {
	n.read(func(n *notebook) { states = strings.Join(n.states, ", ") })
	return states
}

// A paper is a log that may be read while it is written.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// A house is a bridge that runs.
type house struct {
	t    *testing.T
	log  *paper
	stop func()
	done chan error
}

// run starts a bridge for a meter with outputs; the test stops it.
func run(t *testing.T, s probe.Source, outputs ...bridge.Output) *house {
	t.Helper()
	return runMeter(t, bridge.Meter{ID: "house"}, s, outputs...)
}

func runMeter(t *testing.T, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *house {
	t.Helper()
	return runIn(t, "", m, s, outputs...)
}

// runIn starts one that remembers in a folder, where there is one.
func runIn(t *testing.T, dir string, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *house {
	t.Helper()
	return runPlanned(t, dir, throttle.Realtime, m, s, outputs...)
}

// runPlanned starts one that publishes as a preset says.
func runPlanned(t *testing.T, dir string, preset throttle.Preset, m bridge.Meter, s probe.Source, outputs ...bridge.Output) *house {
	t.Helper()
	h := &house{t: t, log: &paper{}, done: make(chan error, 1)}
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
func (h *house) said(text string) int {
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
func (h *house) end() {
	h.t.Helper()
	h.stop()
	if err := <-h.done; err != nil {
		h.t.Errorf("Run: %v", err)
	}
}

// meterOf simulates a meter of a family.
func meterOf(t *testing.T, name string) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(name)
	if !ok {
		t.Fatalf("no family %q", name)
	}
	return simulate.NewMeter(f, 1, time.Now())
}

func next(m *simulate.Meter) []byte {
	_, telegram := m.Next()
	return bytes.Clone(telegram)
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
