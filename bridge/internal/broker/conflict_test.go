package broker_test

import (
	"errors"
	"strings"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// closeConnections closes all connections, like a broker that restarts. If all is false, it closes only the connection of the client
// "hanbridge", like a broker at a client-id conflict.
func (s *server) closeConnections(all bool) {
	for id, client := range s.Clients.GetAll() {
		if all || id == "hanbridge" {
			client.Stop(errors.New("closed by the test"))
		}
	}
}

// TestConflictNeedsSecondConnection tests that a closed connection is reported as a conflict only if the second connection remains open.
func TestConflictNeedsSecondConnection(t *testing.T) {
	t.Parallel()
	for qos := range byte(2) {
		closeSixConnections(t, qos)
	}
}

// closeSixConnections publishes on six successive connections and makes the broker close each connection.
func closeSixConnections(t *testing.T, qos byte) {
	t.Helper()
	s := start(t)
	c := config(s.url)
	c.Conflict = new(broker.ConflictDetector)
	for i, step := range []struct{ onlyFirstClosed, wantConflict bool }{
		{true, false}, // there is no second connection yet
		{true, true}, {false, false}, {false, false}, {true, true}, {true, true},
	} {
		conn := dial(t, c)
		for range 3 {
			if err := conn.Publish(broker.Message{Topic: "a", Payload: []byte("b"), QoS: qos}); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.closeConnections(!step.onlyFirstClosed)
		err := awaitLoss(t, conn, testTimeout)
		if _, ok := errors.AsType[*broker.ConflictError](err); ok != step.wantConflict {
			t.Errorf("QoS %d, connection %d: got %v, want a conflict: %v", qos, i, err, step.wantConflict)
		}
		if c.Conflict.Detected() != step.wantConflict {
			t.Errorf("QoS %d, connection %d: Detected: got %v, want %v", qos, i, !step.wantConflict, step.wantConflict)
		}
		if step.wantConflict && !strings.Contains(err.Error(), `as "hanbridge"`) {
			t.Errorf("QoS %d, connection %d: got %v, want the client id in it", qos, i, err)
		}
		waitFor(t, "a client is still connected", func() bool { return s.Clients.Len() == 0 })
	}
}

// TestConflictWhilePublishing tests that a conflict is detected although messages are published during the test of the second connection.
func TestConflictWhilePublishing(t *testing.T) {
	t.Parallel()
	// The broker answers the UNSUBSCRIBE on the second connection only after a message was published on the first connection.
	queried, answer := make(chan struct{}), make(chan struct{})
	s := start(t, func(d *serverHook) { d.onUnsubscribe = func() { queried <- struct{}{}; <-answer } })
	c := config(s.url)
	c.Conflict, c.Capabilities = new(broker.ConflictDetector), new(broker.Capabilities)
	conn := dial(t, c)
	s.closeConnections(false)
	_ = awaitLoss(t, conn, testTimeout)
	for i := range 3 {
		waitFor(t, "a client is still connected", func() bool { return s.Clients.Len() == 0 })
		conn := dial(t, c)
		s.closeConnections(false)
		<-queried
		err := conn.Publish(broker.Message{Topic: "a", Payload: []byte("b"), QoS: 1})
		conn.Send()
		answer <- struct{}{}
		if err == nil {
			err = awaitLoss(t, conn, testTimeout)
		}
		if _, ok := errors.AsType[*broker.ConflictError](err); !ok {
			t.Errorf("connection %d: got %v, want a conflict", i, err)
		}
	}
}

// TestSecondConnectionCloses tests that no second connection remains after Close.
func TestSecondConnectionCloses(t *testing.T) {
	s := start(t)
	c := config(s.url)
	c.Conflict = new(broker.ConflictDetector)
	closed := dial(t, c)
	s.closeConnections(false)
	_ = awaitLoss(t, closed, testTimeout)
	waitFor(t, "the closed connection still exists", func() bool { return s.Clients.Len() == 0 })
	conn := dial(t, c)
	waitFor(t, "there is no second connection", func() bool { return len(liveClients(s)) == 2 })
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	waitFor(t, "a connection remains after Close", func() bool { return len(liveClients(s)) == 0 })
}

func liveClients(s *server) map[string]*mochi.Client { return s.Clients.GetAll() }
