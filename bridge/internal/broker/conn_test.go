package broker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
)

const (
	recordedWill = "hanbridge/status offline" // the will of config, as server.record notes it
	testTimeout  = 2 * time.Minute            // long enough for a loaded machine
)

// config returns the configuration of a client with a will.
func config(url string) broker.Config {
	return broker.Config{
		URL: url, ClientID: "hanbridge",
		Will: broker.Message{Topic: "hanbridge/status", Payload: []byte("offline"), QoS: 1, Retain: true},
	}
}

func dial(t testing.TB, c broker.Config) *broker.Conn {
	t.Helper()
	conn, err := broker.Dial(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

// numbered returns a message whose payload is i.
func numbered(i int) broker.Message {
	return broker.Message{Topic: "n", Payload: fmt.Append(nil, i), QoS: 1}
}

// publishAll publishes the messages numbered(from) to numbered(to-1).
func publishAll(t testing.TB, c *broker.Conn, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := c.Publish(numbered(i)); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

// awaitLoss waits for the end of the connection and returns its cause.
func awaitLoss(t testing.TB, c *broker.Conn, within time.Duration) error {
	t.Helper()
	select {
	case <-c.Lost():
	case <-time.After(within):
		t.Fatalf("the connection is not lost after %v", within)
	}
	return c.Err()
}

// TestPublishKeepsOrderAndCopies tests that messages arrive in order, and that the caller can overwrite a payload after Publish.
func TestPublishKeepsOrderAndCopies(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	const n = 10_000
	want := make([]string, n)
	payload := make([]byte, 0, 8)
	for i := range n {
		want[i] = fmt.Sprintf("n %d", i)
		payload = fmt.Append(payload[:0], i) // overwrites the payload of the previous message, which is still in flight
		if err := c.Publish(broker.Message{Topic: "n", Payload: payload, QoS: byte(i & 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.await(t, n)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// TestFlushWaitsForDelivery tests that Flush returns only when the broker has all messages, or when its context ends.
func TestFlushWaitsForDelivery(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	c := dial(t, config("mqtt://"+p.Addr()))
	p.Block()
	publishAll(t, c, 0, 3)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush while the proxy blocks: got %v, want %v", err, context.DeadlineExceeded)
	}
	p.Unblock()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(s.messages()); got != 3 {
		t.Errorf("the broker has %d messages after Flush, want 3", got)
	}
}

// TestFullWindowWaits tests that Publish waits while MaxInFlight messages are not acknowledged.
func TestFullWindowWaits(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	cfg := config("mqtt://" + p.Addr())
	cfg.MaxInFlight = 4
	c := dial(t, cfg)
	p.Block()
	publishAll(t, c, 0, 4)
	fifth := make(chan error, 1)
	go func() { fifth <- c.Publish(numbered(4)) }()
	select {
	case err := <-fifth:
		t.Fatalf("Publish of the fifth message returned %v, want it to wait", err)
	case <-time.After(50 * time.Millisecond):
	}
	p.Unblock()
	if err := <-fifth; err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestAckTimeoutEndsConnection tests that a connection without acknowledgements ends after AckTimeout.
func TestAckTimeoutEndsConnection(t *testing.T) {
	for name, publish := range map[string]func(*broker.Conn) error{
		"Publish with a full window": func(c *broker.Conn) (err error) {
			for i := 0; err == nil; i++ {
				err = c.Publish(numbered(i))
			}
			return err
		},
		"Flush": func(c *broker.Conn) error {
			if err := c.Publish(numbered(0)); err != nil {
				return err
			}
			return c.Flush(context.Background())
		},
		"wait for the loss": func(c *broker.Conn) error {
			if err := c.Publish(numbered(0)); err != nil {
				return err
			}
			c.Send()
			<-c.Lost()
			return c.Err()
		},
		"wait for acknowledgements": func(c *broker.Conn) error {
			if err := c.Publish(numbered(0)); err != nil {
				return err
			}
			<-c.AllAcknowledged() // the message has failed
			return c.Flush(context.Background())
		},
		"Publish every 30 ms": func(c *broker.Conn) (err error) {
			tick := time.NewTicker(30 * time.Millisecond)
			defer tick.Stop()
			for i := 0; i < 12 && err == nil; i++ { // fewer messages than MaxInFlight, for longer than AckTimeout
				err = c.Publish(numbered(i))
				<-tick.C
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p := faultnet.New(t, s.addr)
			cfg := config("mqtt://" + p.Addr())
			cfg.MaxInFlight, cfg.AckTimeout = 16, 100*time.Millisecond
			c := dial(t, cfg)
			p.Block()
			begin := time.Now()
			err := publish(c)
			if err == nil || !strings.Contains(err.Error(), "acknowledged nothing") {
				t.Errorf("got %v, want an error about missing acknowledgements", err)
			}
			if took := time.Since(begin); took < cfg.AckTimeout || took > testTimeout {
				t.Errorf("the call failed after %v, want about %v", took, cfg.AckTimeout)
			}
			if got := awaitLoss(t, c, testTimeout); !errors.Is(got, err) {
				t.Errorf("Err: got %v, want %v", got, err)
			}
		})
	}
}

// TestSlowBrokerKeepsConnection tests that the connection to a broker that acknowledges slowly remains, and that OnAcknowledged is called
// once for each message.
func TestSlowBrokerKeepsConnection(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := faultnet.New(t, s.addr)
	cfg := config("mqtt://" + p.Addr())
	cfg.AckTimeout = 2 * time.Second // long enough for a loaded machine
	acknowledged := 0
	cfg.OnAcknowledged = func() { acknowledged++ }
	c := dial(t, cfg)
	p.Delay(60 * time.Millisecond)
	for i := range 20 { // 20 round trips of 120 ms together take longer than AckTimeout
		publishAll(t, c, i, i+1)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if acknowledged != i+1 {
			t.Fatalf("message %d: OnAcknowledged was called %d times, want once for each message", i, acknowledged)
		}
	}
}

// TestWillOnlyAfterALoss tests that the broker publishes the will after a lost connection, and not after Close.
func TestWillOnlyAfterALoss(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(*testing.T, *faultnet.Proxy, *broker.Conn)
		want []string
	}{
		"connection is reset": {
			func(_ *testing.T, p *faultnet.Proxy, _ *broker.Conn) { p.ResetConnections() },
			[]string{"n 0", recordedWill},
		},
		"client calls Close": {
			func(t *testing.T, _ *faultnet.Proxy, c *broker.Conn) {
				if err := c.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if err := c.Err(); err != nil {
					t.Errorf("Err after Close: %v", err)
				}
			},
			[]string{"n 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p := faultnet.New(t, s.addr)
			c := dial(t, config("mqtt://"+p.Addr()))
			publishAll(t, c, 0, 1)
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			tc.end(t, p, c)
			_ = awaitLoss(t, c, testTimeout)
			waitFor(t, "the broker still has the client", func() bool { return s.Clients.Len() == 0 })
			if diff := cmp.Diff(tc.want, s.await(t, len(tc.want))); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLossIsDetected tests the error for each kind of loss, and that every later call returns the same error.
func TestLossIsDetected(t *testing.T) {
	for name, tc := range map[string]struct {
		fault func(*server, *faultnet.Proxy)
		want  string // part of the error
	}{
		"connection is reset":                           {func(_ *server, p *faultnet.Proxy) { p.ResetConnections() }, `another client with the id "hanbridge"`},
		"broker closes its direction of the connection": {func(_ *server, p *faultnet.Proxy) { p.HalfClose() }, "closed the connection"},
		"broker is stopped":                             {func(s *server, _ *faultnet.Proxy) { s.stop() }, "closed the connection"},
		"network is blocked":                            {func(_ *server, p *faultnet.Proxy) { p.Block() }, "has not answered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			p := faultnet.New(t, s.addr)
			cfg := config("mqtt://" + p.Addr())
			if name == "network is blocked" { // the loss is noticed by the missing answer to a PINGREQ
				cfg.KeepAlive = time.Second
			}
			c := dial(t, cfg)
			tc.fault(s, p)
			err := awaitLoss(t, c, testTimeout)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Err: got %v, want %q in it", err, tc.want)
			}
			for method, got := range map[string]error{
				"Publish":   c.Publish(numbered(0)),
				"Flush":     c.Flush(t.Context()),
				"Subscribe": c.Subscribe(t.Context(), "n", 1, func(broker.Message) {}),
				"Close":     c.Close(t.Context()),
			} {
				if !errors.Is(got, err) {
					t.Errorf("%s after the loss: got %v, want %v", method, got, err)
				}
			}
		})
	}
}

// TestFlushFailsWithoutAcknowledgement tests that Flush returns an error if the connection is lost before the broker has any message.
func TestFlushFailsWithoutAcknowledgement(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	c := dial(t, config("mqtt://"+p.Addr()))
	p.Block()
	publishAll(t, c, 0, 100)
	p.ResetConnections()
	if err := c.Flush(t.Context()); err == nil {
		t.Error("Flush: got no error, want an error because nothing arrived")
	}
	if got := s.messages(); len(got) > 0 && got[0] != recordedWill {
		t.Errorf("the broker has %q, want nothing but the will", got)
	}
}

// TestSameClientIDEndsConnection tests that a second client with the same id ends the connection of the first client.
func TestSameClientIDEndsConnection(t *testing.T) {
	s := start(t)
	first := dial(t, config(s.url))
	second := dial(t, config(s.url))
	if err := awaitLoss(t, first, testTimeout); err == nil || !strings.Contains(err.Error(), "another client") {
		t.Errorf("first connection: got %v, want an error about another client", err)
	}
	publishAll(t, second, 0, 1)
	if err := second.Flush(t.Context()); err != nil {
		t.Errorf("Flush on the second connection: %v", err)
	}
}

// TestCloseIsBounded tests that Close returns when its context ends, and that the connection is then closed.
func TestCloseIsBounded(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	c := dial(t, config("mqtt://"+p.Addr()))
	p.Block()
	publishAll(t, c, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := c.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: got %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(begin); took > testTimeout {
		t.Errorf("Close took %v, want less than %v", took, testTimeout)
	}
	if err := c.Publish(numbered(1)); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("Publish after Close: got %v, want %v", err, broker.ErrClosed)
	}
}

// TestNoGoroutineRemains tests that no goroutine remains after a connection was closed, lost or ended by AckTimeout.
func TestNoGoroutineRemains(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	cycle := func(i int) { // dials and ends a connection, in one of three ways
		cfg := config("mqtt://" + p.Addr())
		if i%3 == 2 {
			cfg.AckTimeout = 5 * time.Millisecond
		}
		c, err := broker.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			publishAll(t, c, 0, 3)
			if err := c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 1:
			publishAll(t, c, 0, 3)
			p.ResetConnections()
			_ = awaitLoss(t, c, testTimeout)
		default: // AckTimeout ends the connection
			p.Block()
			publishAll(t, c, 0, 1)
			if err := c.Flush(t.Context()); err == nil {
				t.Fatal("Flush: got no error, want an error because nothing was acknowledged")
			}
			p.Unblock()
		}
	}
	cycle(0)
	idle := func() bool { return s.Clients.Len() == 0 && p.Connections() == 0 }
	waitFor(t, "the first connection did not end", idle)
	goroutines := runtime.NumGoroutine()
	for i := range 50 {
		cycle(i)
	}
	waitFor(t, "more goroutines run than after the first connection", func() bool { return idle() && runtime.NumGoroutine() <= goroutines })
}

// TestInvalidMessagesKeepConnection tests that Publish refuses invalid messages with a MessageError and that the connection remains usable.
func TestInvalidMessagesKeepConnection(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	for name, m := range map[string]broker.Message{
		"no topic": {}, "wildcard": {Topic: "a/+"}, "multi-level wildcard": {Topic: "#"}, "nul": {Topic: "a\x00"},
		"too long": {Topic: strings.Repeat("a", 65536)}, "QoS 2": {Topic: "a", QoS: 2},
	} {
		var invalid *broker.MessageError
		if err := c.Publish(m); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want a MessageError", name, err)
		}
	}
	publishAll(t, c, 0, 1)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// waitFor polls until done returns true. After testTimeout it fails with the text failure and the stacks of all goroutines.
func waitFor(t *testing.T, failure string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testTimeout); !done(); <-tick.C {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%s; %s", failure, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestLossWhilePublishing tests that Publish returns an error if the connection is lost during continuous publishing.
func TestLossWhilePublishing(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := faultnet.New(t, s.addr)
	c := config("mqtt://" + p.Addr())
	c.Will = broker.Message{} // so that await counts only the messages of Publish
	for i := range 30 {
		conn := dial(t, c)
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			for conn.Publish(numbered(0)) == nil {
			}
		}()
		s.await(t, len(s.messages())+20) // until messages arrive continuously
		p.ResetConnections()
		select {
		case <-returned:
		case <-time.After(testTimeout):
			t.Fatalf("loss %d: Publish has not returned after %v", i, testTimeout)
		}
	}
}
