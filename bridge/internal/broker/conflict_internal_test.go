package broker

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A connectionCase is a connection, or, if its lifetime is zero, an attempt that the broker refused.
type connectionCase struct {
	lifetime        time.Duration
	cause           error // why the connection ended
	onlyFirstClosed bool  // the broker closed this connection, and no second connection
	wantConflict    bool  // the end must be reported as a conflict
	wantWait        bool  // the next attempt must wait
}

// TestConflictDetector tests which of several successive connections end with a conflict.
func TestConflictDetector(t *testing.T) {
	closed := (&Conn{target: target{host: "h:1883"}}).explainLoss(io.EOF)
	silent := errors.New("has not answered")
	const day, short = 24 * time.Hour, 3 * time.Second
	firstConflict := connectionCase{lifetime: short, cause: closed, onlyFirstClosed: true, wantConflict: true}
	nextConflict := connectionCase{lifetime: short, cause: closed, onlyFirstClosed: true, wantConflict: true, wantWait: true}
	shortLived, longLived, refused := connectionCase{lifetime: short, cause: closed}, connectionCase{lifetime: day, cause: closed}, connectionCase{}
	onlyFirstClosedAfterDay := connectionCase{lifetime: day, cause: closed, onlyFirstClosed: true}
	unanswered := connectionCase{lifetime: short, cause: silent, onlyFirstClosed: true}
	for name, connections := range map[string][]connectionCase{
		"another client logs in later":       {longLived, shortLived, firstConflict, nextConflict, nextConflict, onlyFirstClosedAfterDay, shortLived, firstConflict},
		"another client was connected first": {shortLived, firstConflict, nextConflict},
		"broker restarts every day":          {longLived, longLived, longLived},
		"broker restarts every minute":       {longLived, shortLived, shortLived, shortLived, shortLived},
		"broker crashes":                     {longLived, shortLived, refused, shortLived, refused, shortLived},
		"bad network":                        {shortLived, unanswered, shortLived, unanswered, shortLived},
		"this client closes a connection":    {shortLived, {lifetime: short}, shortLived},
		"broker restarts during a conflict":  {shortLived, firstConflict, nextConflict, shortLived, firstConflict, nextConflict},
	} {
		t.Run(name, func(t *testing.T) { runConnections(t, connections) })
	}
}

// runConnections passes the connections to a ConflictDetector and checks its errors.
func runConnections(t *testing.T, connections []connectionCase) {
	detector, p := new(ConflictDetector), &target{Config: Config{ClientID: "me"}, host: "h:1883"}
	for i, connection := range connections {
		if connection.lifetime == 0 {
			detector.dialFailed()
			continue
		}
		err := detector.connectionLost(p, connection.cause, connection.lifetime, detector.suspected && connection.onlyFirstClosed)
		e, ok := errors.AsType[*ConflictError](err)
		if ok != connection.wantConflict || !ok && !errors.Is(err, connection.cause) {
			t.Errorf("connection %d: got %v, want a conflict: %v", i, err, connection.wantConflict)
		}
		if ok && (e.Wait() > 0) != connection.wantWait {
			t.Errorf("connection %d: the next attempt waits %v, want a wait: %v", i, e.Wait(), connection.wantWait)
		}
	}
}

// TestMaxConflictWait tests that the wait after a conflict is at most half of shortConnection, so that the next conflict is detected too.
func TestMaxConflictWait(t *testing.T) {
	c, p := new(ConflictDetector), &target{}
	for range 100 {
		err := c.connectionLost(p, closedByPeer{io.EOF}, maxConflictWait, true)
		e, ok := errors.AsType[*ConflictError](err)
		if !ok {
			t.Fatalf("got %v, want a conflict", err)
		}
		wait := e.Wait()
		tooShort := wait != 0 && wait < maxConflictWait/2 // after the first conflict there is no wait
		if tooShort || wait > shortConnection/2 {
			t.Fatalf("the wait is %v, want %v to %v", wait, maxConflictWait/2, shortConnection/2)
		}
	}
}
