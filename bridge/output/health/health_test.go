package health_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/health"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// An output is a function that is a bridge.Output.
type output func(ctx context.Context, feed *bridge.Feed) error

func (o output) Run(ctx context.Context, feed *bridge.Feed) error { return o(ctx, feed) }

// A wire is the port of a meter, which is silent until the test writes to it.
type wire struct{ end chan *io.PipeWriter }

func (w wire) dial(context.Context) (io.ReadCloser, error) {
	r, end := io.Pipe()
	w.end <- end
	return r, nil
}

// run starts a bridge that answers at one of the addresses. It stops with the test, or by stop.
func run(t *testing.T, addresses []string, others ...bridge.Output) (w wire, stop func()) {
	t.Helper()
	w = wire{make(chan *io.PipeWriter, 8)}
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: "house"}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "simulated", Dial: w.dial})})
	b.AddOutput("health", health.NewWithCheckInterval(addresses, 20*time.Millisecond))
	for _, o := range others {
		b.AddOutput("other", o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// awaitAnswer asks until the answer is as wanted.
func awaitAnswer(t *testing.T, addresses []string, after time.Duration, what string, wanted func(health.Answer, error) bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); ; <-tick.C {
		answer, err := health.Ask(t.Context(), addresses, after)
		if wanted(answer, err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer with %s in 2 minutes, the last is %q, %v", what, answer, err)
		}
	}
}

func awaitHealthy(t *testing.T, addresses []string, notes ...string) {
	t.Helper()
	awaitAnswer(t, addresses, time.Minute, strings.Join(notes, ", "), func(a health.Answer, err error) bool {
		return err == nil && len(a.Stuck) == 0 && cmp.Equal(notes, a.Notes)
	})
}

// addressesIn returns the addresses of a bridge with its own state folder.
func addressesIn(t *testing.T) []string {
	return health.SocketAddresses(t.TempDir(), t.Name()+t.TempDir())
}

func TestHealthy(t *testing.T) {
	addresses := addressesIn(t)
	w, stop := run(t, addresses)
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	f, _ := simulate.Named("aidon-se")
	_, telegram := simulate.NewMeter(f, 1, time.Now()).Next()
	_, _ = (<-w.end).Write(telegram) // a pipe's other end that is read
	awaitHealthy(t, addresses)
	stop()
	_, err := health.Ask(t.Context(), addresses, time.Minute)
	if err == nil || !strings.HasPrefix(err.Error(), "no hanbridge runs with this configuration: nobody listens at "+addresses[0]) {
		t.Errorf("when it has ended: got %v, want that none runs", err)
	}
	if _, err := os.Lstat(addresses[0]); err == nil {
		t.Error("its socket is left behind")
	}
}

func TestBlockedOutputIsReported(t *testing.T) {
	addresses, free := addressesIn(t), make(chan struct{})
	run(t, addresses, output(func(_ context.Context, feed *bridge.Feed) error {
		<-feed.Ready()
		feed.Take()
		<-free
		return nil
	}))
	t.Cleanup(func() { close(free) }) // before the bridge is stopped
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	awaitAnswer(t, addresses, 50*time.Millisecond, "a stuck output", func(a health.Answer, err error) bool {
		return err == nil && len(a.Stuck) == 1 && strings.HasPrefix(a.Stuck[0], "output other is stuck: no progress since ")
	})
}

// TestFallbackAddress tests that the bridge is found if its state folder cannot hold a socket.
func TestFallbackAddress(t *testing.T) {
	for name, dir := range map[string]string{
		"no state folder":         "",
		"folder that is missing":  filepath.Join(t.TempDir(), "missing"),
		"path longer than a name": filepath.Join(t.TempDir(), strings.Repeat("long", 40)),
	} {
		t.Run(name, func(t *testing.T) {
			if len(dir) > 100 {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			addresses := health.SocketAddresses(dir, t.Name()+t.TempDir())
			run(t, addresses)
			awaitHealthy(t, addresses, "meter house: no telegram yet")
		})
	}
}

// TestReplacesSocketAfterCrash tests that a socket file at which nobody listens is replaced.
func TestReplacesSocketAfterCrash(t *testing.T) {
	addresses := addressesIn(t)
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: addresses[0], Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	if _, err := health.Ask(t.Context(), addresses, time.Minute); err == nil {
		t.Error("after a crash: got an answer, want none")
	}
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
}

// TestTwoBridgesInOneFolder tests that a second bridge does not replace the socket of the first.
func TestTwoBridgesInOneFolder(t *testing.T) {
	addresses := addressesIn(t)
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
	_, stop := run(t, addresses)
	awaitHealthy(t, addresses[1:], "meter house: no telegram yet")
	stop()
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
}

func TestOtherFilesAreNotRemoved(t *testing.T) {
	addresses := addressesIn(t)
	if err := os.WriteFile(addresses[0], []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, addresses)
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	if text, err := os.ReadFile(addresses[0]); string(text) != "mine" || err != nil {
		t.Errorf("got %q, %v, want the file as it was", text, err)
	}
}

// TestRemovedSocket tests that a bridge whose socket is removed listens again, although no meter sends a telegram.
func TestRemovedSocket(t *testing.T) {
	addresses := addressesIn(t)
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
	if err := os.Remove(addresses[0]); err != nil {
		t.Fatal(err)
	}
	awaitAnswer(t, addresses[:1], time.Minute, "the socket put back", func(_ health.Answer, err error) bool { return err == nil })
}

// TestNoAnswer tests a bridge that is stopped or blocked as a whole: the system still accepts connections to it.
func TestNoAnswer(t *testing.T) {
	addresses := addressesIn(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: addresses[0], Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := health.Ask(ctx, addresses, time.Minute); err == nil || !strings.HasPrefix(err.Error(), "hanbridge runs, but does not answer") {
		t.Errorf("got %v, want that it does not answer", err)
	}
}

// TestNoUsableAddress tests that the other outputs continue if no address can be used, and that the error says what does not work.
func TestNoUsableAddress(t *testing.T) {
	addresses := []string{filepath.Join(t.TempDir(), "missing", "a.sock"), filepath.Join(t.TempDir(), "missing", "b.sock")}
	err := health.New(addresses).Run(t.Context(), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "hanbridge health cannot reach this bridge") || !strings.Contains(err.Error(), addresses[1]) {
		t.Errorf("got %v, want an error that names the addresses", err)
	}
}

// TestSocketAddresses tests that the first address is in the state folder, and that the second differs between configurations.
func TestSocketAddresses(t *testing.T) {
	a, b := health.SocketAddresses("/var/lib/hanbridge", "a"), health.SocketAddresses("", "b")
	if len(a) != 2 || a[0] != filepath.Join("/var/lib/hanbridge", "health.sock") || len(b) != 1 || a[1] == b[0] {
		t.Errorf("got %q and %q", a, b)
	}
	if runtime.GOOS == "linux" && !strings.HasPrefix(b[0], "@") {
		t.Errorf("got %q, want a place that needs no folder", b)
	}
	if again := health.SocketAddresses("", "b"); again[0] != b[0] {
		t.Errorf("got %q and then %q for one identity", b, again)
	}
}

// TestTakesWholeRecording tests that the bridge ends after a recording, which it does when every output has taken all telegrams.
func TestTakesWholeRecording(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	m := simulate.NewMeter(f, 1, time.Now())
	var recording bytes.Buffer
	for range 20 {
		_, telegram := m.Next()
		recording.Write(telegram)
	}
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: "house"}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
		Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&recording), nil },
	})})
	b.AddOutput("health", health.New(addressesIn(t)))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the recording does not come to its end: %v, %v", err, ctx.Err())
	}
}
