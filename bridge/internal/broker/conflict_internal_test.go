package broker

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A connectionCase is a connection, or, if its lifetime is zero, an attempt that was refused.
type connectionCase struct {
	lived       time.Duration
	cause       error
	onlyThisOne bool // the broker has closed only this connection
	want        bool // it is reported as a conflict
	delayed     bool // the next attempt must wait
}

func TestConflictDetector(t *testing.T) {
	closed := (&Conn{target: target{host: "h:1883"}}).explainLoss(io.EOF)
	silent := errors.New("has not answered")
	const day, short = 24 * time.Hour, 3 * time.Second
	told, slow := connectionCase{short, closed, true, true, false}, connectionCase{short, closed, true, true, true}
	untold, day1, crash := connectionCase{lived: short, cause: closed}, connectionCase{lived: day, cause: closed}, connectionCase{}
	for name, lives := range map[string][]connectionCase{
		"thrown out by another":       {day1, untold, told, slow, slow, {day, closed, true, false, false}, untold, told},
		"came as the second":          {untold, told, slow},
		"restarted every day":         {day1, day1, day1},
		"restarted every minute":      {day1, untold, untold, untold, untold},
		"a broker that crashes":       {day1, untold, crash, untold, crash, untold},
		"a bad network":               {untold, {short, silent, true, false, false}, untold, {short, silent, true, false, false}, untold},
		"stopped by us":               {untold, {lived: short}, untold},
		"restarted during a conflict": {untold, told, slow, untold, told, slow},
	} {
		t.Run(name, func(t *testing.T) { runConnections(t, lives) })
	}
}

func runConnections(t *testing.T, lives []connectionCase) {
	c, p := new(ConflictDetector), &target{Config: Config{ClientID: "me"}, host: "h:1883"}
	for i, l := range lives {
		if l.lived == 0 {
			c.dialFailed()
			continue
		}
		err := c.connectionLost(p, l.cause, l.lived, c.suspected && l.onlyThisOne)
		told, ok := errors.AsType[*ConflictError](err)
		if ok != l.want || !ok && !errors.Is(err, l.cause) {
			t.Errorf("life %d: got %v, want a conflict: %v", i, err, l.want)
		}
		if ok && (told.Wait() > 0) != l.delayed {
			t.Errorf("life %d: the next attempt waits %v, want any: %v", i, told.Wait(), l.delayed)
		}
	}
}

// TestMaxConflictWait tests that a client that waits because of a conflict comes back before the other client's connection counts as long.
func TestMaxConflictWait(t *testing.T) {
	c, p := new(ConflictDetector), &target{}
	for range 100 {
		err := c.connectionLost(p, closedByPeer{io.EOF}, maxConflictWait, true)
		if e, ok := errors.AsType[*ConflictError](err); !ok || e.Wait() > shortConnection/2 || e.Wait() != 0 && e.Wait() < maxConflictWait/2 {
			t.Fatalf("got %v, which waits %v, want %v to %v", err, e.Wait(), maxConflictWait/2, maxConflictWait)
		}
	}
}
