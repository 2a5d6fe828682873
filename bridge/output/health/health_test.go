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
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// An output is a function that implements bridge.Output.
type output func(ctx context.Context, s *bridge.Subscription) error

// Streams returns that the output receives everything.
func (o output) Streams() bridge.Streams {
	return bridge.Streams{Plan: new(throttle.Plan), Telegrams: true}
}

func (o output) Run(ctx context.Context, s *bridge.Subscription) error { return o(ctx, s) }

// A port simulates the port of a meter. The meter sends nothing until the test writes to a connection.
type port struct {
	writers chan *io.PipeWriter // receives the writer of each new connection
}

func (p port) dial(context.Context) (io.ReadCloser, error) {
	r, writer := io.Pipe()
	p.writers <- writer
	return r, nil
}

// run starts a bridge that answers health queries at one of the addresses. It runs until stop is called or the test ends.
func run(t *testing.T, addresses []string, others ...bridge.Output) (p port, stop func()) {
	t.Helper()
	p = port{make(chan *io.PipeWriter, 8)}
	b := bridge.New(zerolog.Nop())
	addMeter(t, b, bridge.Meter{ID: "house"}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "simulated", Dial: p.dial})})
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
	return p, stop
}

// awaitAnswer asks the bridge until wanted returns true for the answer. The text what describes this answer in the failure.
func awaitAnswer(t *testing.T, addresses []string, stuckAfter time.Duration, what string, wanted func(health.Answer, error) bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); ; <-tick.C {
		answer, err := health.Ask(t.Context(), addresses, stuckAfter)
		if wanted(answer, err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got no answer with %s in 2 minutes; the last answer is %q, error %v", what, answer, err)
		}
	}
}

// awaitHealthy waits for an answer with these notes and without a stuck part.
func awaitHealthy(t *testing.T, addresses []string, notes ...string) {
	t.Helper()
	awaitAnswer(t, addresses, time.Minute, strings.Join(notes, ", "), func(a health.Answer, err error) bool {
		return err == nil && len(a.Stuck) == 0 && cmp.Equal(notes, a.Notes)
	})
}

// newAddresses returns the addresses of a bridge with a new state folder and a new identity.
func newAddresses(t *testing.T) []string {
	return health.SocketAddresses(t.TempDir(), t.Name()+t.TempDir())
}

// TestHealthy tests the answers before and after the first telegram and after the bridge has ended.
func TestHealthy(t *testing.T) {
	addresses := newAddresses(t)
	p, stop := run(t, addresses)
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	f, _ := simulate.Named("aidon-se")
	_, telegram := simulate.NewMeter(f, 1, time.Now()).Next()
	_, _ = (<-p.writers).Write(telegram) // returns when the bridge has read the telegram
	awaitHealthy(t, addresses)
	stop()
	_, err := health.Ask(t.Context(), addresses, time.Minute)
	if err == nil || !strings.HasPrefix(err.Error(), "no hanbridge runs with this configuration: nobody listens at "+addresses[0]) {
		t.Errorf("after the bridge has ended: got %v, want an error that no bridge runs", err)
	}
	if _, err := os.Lstat(addresses[0]); err == nil {
		t.Error("after the bridge has ended: the socket file still exists, want it removed")
	}
}

// TestBlockedOutputIsReported tests that an output that makes no progress is reported as stuck.
func TestBlockedOutputIsReported(t *testing.T) {
	addresses, release := newAddresses(t), make(chan struct{})
	run(t, addresses, output(func(_ context.Context, s *bridge.Subscription) error {
		<-s.Ready()
		s.Take()
		<-release
		return nil
	}))
	t.Cleanup(func() { close(release) }) // before the bridge is stopped
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	awaitAnswer(t, addresses, 50*time.Millisecond, "a stuck output", func(a health.Answer, err error) bool {
		return err == nil && len(a.Stuck) == 1 && strings.HasPrefix(a.Stuck[0], "output other is stuck: no progress since ")
	})
}

// TestFallbackAddress tests that the bridge answers although no socket can be created in its state folder.
func TestFallbackAddress(t *testing.T) {
	for name, dir := range map[string]string{
		"no state folder":            "",
		"missing folder":             filepath.Join(t.TempDir(), "missing"),
		"path too long for a socket": filepath.Join(t.TempDir(), strings.Repeat("long", 40)),
	} {
		t.Run(name, func(t *testing.T) {
			if len(dir) > 100 { // only the folder with the long path exists
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
	addresses := newAddresses(t)
	crashed, err := net.ListenUnix("unix", &net.UnixAddr{Name: addresses[0], Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	crashed.SetUnlinkOnClose(false) // the file stays, as after a crash
	_ = crashed.Close()
	if _, err := health.Ask(t.Context(), addresses, time.Minute); err == nil {
		t.Error("after a crash: got an answer, want an error")
	}
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
}

// TestTwoBridgesInOneFolder tests that a second bridge listens at the second address and does not replace the socket of the first bridge.
func TestTwoBridgesInOneFolder(t *testing.T) {
	addresses := newAddresses(t)
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
	_, stop := run(t, addresses)
	awaitHealthy(t, addresses[1:], "meter house: no telegram yet")
	stop()
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
}

// TestOtherFilesAreNotRemoved tests that a bridge does not replace a file that is not a socket.
func TestOtherFilesAreNotRemoved(t *testing.T) {
	addresses := newAddresses(t)
	if err := os.WriteFile(addresses[0], []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, addresses)
	awaitHealthy(t, addresses, "meter house: no telegram yet")
	if text, err := os.ReadFile(addresses[0]); string(text) != "mine" || err != nil {
		t.Errorf("got content %q and error %v, want the file unchanged", text, err)
	}
}

// TestRemovedSocket tests that a bridge listens again after its socket file was removed, although no meter sends a telegram.
func TestRemovedSocket(t *testing.T) {
	addresses := newAddresses(t)
	run(t, addresses)
	awaitHealthy(t, addresses[:1], "meter house: no telegram yet")
	if err := os.Remove(addresses[0]); err != nil {
		t.Fatal(err)
	}
	awaitAnswer(t, addresses[:1], time.Minute, "a new socket", func(_ health.Answer, err error) bool { return err == nil })
}

// TestNoAnswer tests the error for a bridge whose process is stopped or blocked. The operating system still accepts connections for that
// process.
func TestNoAnswer(t *testing.T) {
	addresses := newAddresses(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: addresses[0], Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := health.Ask(ctx, addresses, time.Minute); err == nil || !strings.HasPrefix(err.Error(), "hanbridge runs, but does not answer") {
		t.Errorf("got error %v, want that hanbridge does not answer", err)
	}
}

// TestNoUsableAddress tests that the error of Run names the addresses if the Output can listen at none of them.
func TestNoUsableAddress(t *testing.T) {
	addresses := []string{filepath.Join(t.TempDir(), "missing", "a.sock"), filepath.Join(t.TempDir(), "missing", "b.sock")}
	err := health.New(addresses).Run(t.Context(), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "hanbridge health cannot reach this bridge") || !strings.Contains(err.Error(), addresses[1]) {
		t.Errorf("got %v, want an error that names the addresses", err)
	}
}

// TestSocketAddresses tests that the first address is in the state folder, and that the last address depends on the identity only.
func TestSocketAddresses(t *testing.T) {
	a, b := health.SocketAddresses("/var/lib/hanbridge", "a"), health.SocketAddresses("", "b")
	if len(a) != 2 || a[0] != filepath.Join("/var/lib/hanbridge", "health.sock") || len(b) != 1 || a[1] == b[0] {
		t.Errorf("identity a with a state folder: got %q; identity b without one: got %q; want two addresses and one other address", a, b)
	}
	if runtime.GOOS == "linux" && !strings.HasPrefix(b[0], "@") {
		t.Errorf("got address %q, want a name in the abstract namespace", b)
	}
	if again := health.SocketAddresses("", "b"); again[0] != b[0] {
		t.Errorf("same identity twice: got %q and %q, want the same address", b, again)
	}
}

// TestTakesWholeRecording tests that the health output takes all telegrams of a recording. Otherwise the bridge would not end.
func TestTakesWholeRecording(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	m := simulate.NewMeter(f, 1, time.Now())
	var recording bytes.Buffer
	for range 20 {
		_, telegram := m.Next()
		recording.Write(telegram)
	}
	b := bridge.New(zerolog.Nop())
	addMeter(t, b, bridge.Meter{ID: "house"}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
		Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&recording), nil },
	})})
	b.AddOutput("health", health.New(newAddresses(t)))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the bridge has failed (%v), or has not ended after the recording (%v)", err, ctx.Err())
	}
}

// addMeter adds a meter to a bridge.
func addMeter(t *testing.T, b *bridge.Bridge, m bridge.Meter, s probe.Source) {
	t.Helper()
	if err := b.AddMeter(m, s); err != nil {
		t.Fatal(err)
	}
}
