package broker

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A life is a connection that was let in, or, when it has not lived at all, an attempt that was not.
type life struct {
	lived time.Duration
	cause error
	alone bool // the broker has closed this connection alone
	want  bool // it is told as a conflict
	slow  bool // the next attempt is put off
}

func TestConflict(t *testing.T) {
	closed := (&Conn{target: target{host: "h:1883"}}).explainLoss(io.EOF)
	silent := errors.New("has not answered")
	const day, short = 24 * time.Hour, 3 * time.Second
	told, slow := life{short, closed, true, true, false}, life{short, closed, true, true, true}
	untold, day1, crash := life{lived: short, cause: closed}, life{lived: day, cause: closed}, life{}
	for name, lives := range map[string][]life{
		"thrown out by another":       {day1, untold, told, slow, slow, {day, closed, true, false, false}, untold, told},
		"came as the second":          {untold, told, slow},
		"restarted every day":         {day1, day1, day1},
		"restarted every minute":      {day1, untold, untold, untold, untold},
		"a broker that crashes":       {day1, untold, crash, untold, crash, untold},
		"a bad network":               {untold, {short, silent, true, false, false}, untold, {short, silent, true, false, false}, untold},
		"stopped by us":               {untold, {lived: short}, untold},
		"restarted during a conflict": {untold, told, slow, untold, told, slow},
	} {
		t.Run(name, func(t *testing.T) { live(t, lives) })
	}
}

func live(t *testing.T, lives []life) {
	c, p := new(ConflictDetector), &target{Config: Config{ClientID: "me"}, host: "h:1883"}
	for i, l := range lives {
		if l.lived == 0 {
			c.dialFailed()
			continue
		}
		err := c.connectionLost(p, l.cause, l.lived, c.suspected && l.alone)
		told, ok := errors.AsType[*ConflictError](err)
		if ok != l.want || !ok && !errors.Is(err, l.cause) {
			t.Errorf("life %d: got %v, want a conflict: %v", i, err, l.want)
		}
		if ok && (told.Wait() > 0) != l.slow {
			t.Errorf("life %d: the next attempt waits %v, want any: %v", i, told.Wait(), l.slow)
		}
	}
}

// The one that waits must come back before the other one's connection counts as long.
func TestConflictGoesOn(t *testing.T) {
	c, p := new(ConflictDetector), &target{}
	for range 100 {
		err := c.connectionLost(p, closedByPeer{io.EOF}, maxConflictWait, true)
		if e, ok := errors.AsType[*ConflictError](err); !ok || e.Wait() > shortConnection/2 || e.Wait() != 0 && e.Wait() < maxConflictWait/2 {
			t.Fatalf("got %v, which waits %v, want %v to %v", err, e.Wait(), maxConflictWait/2, maxConflictWait)
		}
	}
}
