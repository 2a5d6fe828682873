// Package health tells the command "hanbridge health" which parts of a running bridge are stuck. The bridge listens on a socket of this
// machine; the command connects and reads one JSON document.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// An Output answers whoever connects to its socket. It is a bridge.Output that delivers no values.
type Output struct {
	places    []string
	lookEvery time.Duration // how often it looks if its socket is still there
}

var _ bridge.Output = (*Output)(nil)

// New returns an Output that listens at the first of the places where that is possible: see SocketAddresses.
func New(places []string) *Output { return &Output{places, 10 * time.Second} }

// Run answers until ctx ends. It returns an error if it can listen nowhere, or if somebody removes the socket.
func (o *Output) Run(ctx context.Context, feed *bridge.Feed) error {
	l, err := listen(ctx, o.places)
	if err != nil {
		return err
	}
	var failed error
	done := make(chan struct{})
	go func() { defer close(done); failed = answer(l, feed) }()
	defer func() { _ = l.Close(); <-done }()
	look := time.NewTicker(o.lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			return failed
		case <-feed.Ready():
			for feed.Take() != nil { // nothing of it is needed, but recordings wait until every output has taken all
			}
		case <-look.C:
			if place := l.Addr().String(); removed(place) {
				return fmt.Errorf("%s was removed: hanbridge health needs it", place)
			}
		}
	}
}

// answer tells how the bridge is to whoever connects, until the listener is closed.
func answer(l net.Listener, feed *bridge.Feed) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // who asks and does not listen must not keep others from asking
		_ = json.NewEncoder(conn).Encode(feed.Health())   // nor must who has gone
		_ = conn.Close()
	}
}

// listen returns a listener at the first place where it is possible.
func listen(ctx context.Context, places []string) (net.Listener, error) {
	errs := []error{errors.New("hanbridge health cannot reach this bridge")}
	for _, place := range places {
		if isFile(place) {
			if conn, err := new(net.Dialer).DialContext(ctx, "unix", place); err == nil {
				_ = conn.Close()
				errs = append(errs, fmt.Errorf("another hanbridge listens at %s", place))
				continue
			}
			if info, err := os.Lstat(place); err == nil && info.Mode()&fs.ModeSocket != 0 { // a crash has left it behind
				_ = os.Remove(place) // if it stays, to listen there fails
			}
		}
		l, err := new(net.ListenConfig).Listen(ctx, "unix", place)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// isFile tells a place in a folder from one in Linux's abstract namespace.
func isFile(place string) bool { return !strings.HasPrefix(place, "@") }

// removed tells if somebody has removed a socket that was made.
func removed(place string) bool {
	_, err := os.Lstat(place)
	return isFile(place) && errors.Is(err, fs.ErrNotExist)
}
