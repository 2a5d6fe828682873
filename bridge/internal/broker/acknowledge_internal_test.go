package broker

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A fakeToken is the token of a message that is acknowledged when done is closed.
type fakeToken struct {
	mqtt.Token
	done chan struct{}
}

func (t fakeToken) Done() <-chan struct{} { return t.done }

func (fakeToken) Error() error { return nil }

// TestAckTimeoutWhileWaiting tests when the connection ends if the caller only waits.
func TestAckTimeoutWhileWaiting(t *testing.T) {
	const timeout = 10 * time.Second
	for name, tc := range map[string]struct {
		run  func(publish func() fakeToken, c *Conn)
		want time.Duration // when the connection ends; 0 if it remains
	}{
		"no acknowledgement":           {func(publish func() fakeToken, _ *Conn) { publish() }, timeout},
		"acknowledged and not counted": {func(publish func() fakeToken, _ *Conn) { close(publish().done) }, 0},
		"acknowledged and counted": {func(publish func() fakeToken, c *Conn) {
			close(publish().done)
			c.Acknowledged()
		}, 0},
		"the oldest of two is acknowledged after 6 s": {func(publish func() fakeToken, c *Conn) {
			first := publish()
			publish()
			<-time.After(6 * time.Second)
			close(first.done)
			c.packets.noteProgress()
		}, 6*time.Second + timeout},
		"a telegram each second, until one is not acknowledged": {func(publish func() fakeToken, c *Conn) {
			for range 95 {
				close(publish().done)
				c.packets.noteProgress()
				c.Acknowledged()
				<-time.After(time.Second)
			}
			publish()
		}, 95*time.Second + timeout},
		"the message is still in the buffer after 10 s": {func(publish func() fakeToken, c *Conn) {
			publish()
			c.packets.out.sent.Store(0)
			_ = c.packets.out.write(c.packets.Conn, []byte{0x30, 0})
		}, 2 * timeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &Conn{packets: newPacketConn(new(recordingConn), nil, nil), ended: make(chan struct{})}
				c.target.AckTimeout = timeout
				c.target.Conflict, c.target.Capabilities = new(ConflictDetector), new(Capabilities)
				publish := func() fakeToken {
					token := fakeToken{done: make(chan struct{})}
					c.window.push(inFlightMessage{topic: "n"})
					c.window.setToken(token)
					c.packets.out.sent.Add(1)
					c.startAckTimer()
					return token
				}
				began := time.Now()
				tc.run(publish, c)
				var took time.Duration
				select {
				case <-c.Lost():
					took = time.Since(began)
					if got := c.Err().Error(); !strings.Contains(got, "acknowledged nothing for 10s") {
						t.Errorf("Err: got %q, want an error about missing acknowledgements", got)
					}
				case <-time.After(time.Hour):
				}
				if took != tc.want {
					t.Errorf("the connection ended after %v, want %v (0 means never)", took, tc.want)
				}
			})
		})
	}
}

// TestWindowReusesMemory tests that the window keeps the order of its messages, and that its array does not grow without end.
func TestWindowReusesMemory(t *testing.T) {
	var w window
	published, removed := 0, 0
	for range 1000 {
		for range 31 {
			w.push(inFlightMessage{size: published})
			w.setToken(new(mqtt.DummyToken))
			published++
		}
		for len(w.inFlight()) > 40 {
			if got := w.oldest().size; got != removed {
				t.Fatalf("the oldest message is number %d, want %d", got, removed)
			}
			w.pop()
			removed++
		}
	}
	if got := len(w.inFlight()); uint64(published) != w.accepted || uint64(removed) != w.removed || got != 40 {
		t.Errorf("got %d accepted, %d removed and %d messages in the window, want %d, %d and 40", w.accepted, w.removed, got, published, removed)
	}
	if got := cap(w.queue); got > 256 {
		t.Errorf("the array has room for %d messages, want at most 256", got)
	}
}

// TestAcknowledgedEndsStopAndWait tests that messages are sent together again when the suspected message, and all others, are acknowledged.
func TestAcknowledgedEndsStopAndWait(t *testing.T) {
	c := &Conn{packets: newPacketConn(new(recordingConn), nil, nil), ended: make(chan struct{}), stopAndWait: true, suspectTopic: "suspect"}
	c.target.Capabilities = new(Capabilities)
	for _, m := range []struct {
		topic           string
		wantStopAndWait bool
	}{{"other", true}, {"suspect", false}} {
		c.window.push(inFlightMessage{topic: m.topic})
		c.window.setToken(new(mqtt.DummyToken))
		c.Acknowledged()
		if c.stopAndWait != m.wantStopAndWait {
			t.Errorf("after the acknowledgement of %q: got stopAndWait %v, want %v", m.topic, c.stopAndWait, m.wantStopAndWait)
		}
	}
}
