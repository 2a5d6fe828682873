// Package health lets the command "hanbridge health" ask a running bridge which of its parts are stuck. The bridge listens on a Unix
// socket. The command connects and reads one JSON document.
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

// An Output answers every connection to its socket. It is a bridge.Output that delivers no values.
type Output struct {
	addresses     []string
	checkInterval time.Duration // how often the Output checks whether its socket still exists
}

var _ bridge.Output = (*Output)(nil)

// New returns an Output that listens at the first address where listening is possible. SocketAddresses returns suitable addresses.
func New(addresses []string) *Output { return &Output{addresses, 10 * time.Second} }

// Streams returns that the Output receives nothing.
func (o *Output) Streams() bridge.Streams { return bridge.Streams{} }

// Run answers connections until ctx ends. It returns an error if it cannot listen at any of the addresses, or if the file of the socket was
// removed.
func (o *Output) Run(ctx context.Context, s *bridge.Subscription) error {
	l, err := listen(ctx, o.addresses)
	if err != nil {
		return err
	}
	var serveErr error
	done := make(chan struct{})
	go func() { defer close(done); serveErr = serve(l, s) }()
	defer func() { _ = l.Close(); <-done }()
	check := time.NewTicker(o.checkInterval)
	defer check.Stop()
	for {
		_ = s.Ready() // reports that the Output waits
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			return serveErr
		case <-check.C:
			if address := l.Addr().String(); removed(address) {
				return fmt.Errorf("%s was removed: hanbridge health needs this file", address)
			}
		}
	}
}

// serve writes the status of all parts of the bridge to each connection, until the listener is closed.
func serve(l net.Listener, s *bridge.Subscription) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // a client that does not read must not block others
		_ = json.NewEncoder(conn).Encode(s.Health())      // an error means that the client has closed the connection
		_ = conn.Close()
	}
}

// listen returns a listener at the first address where listening is possible. It removes the socket file of a bridge that has crashed.
func listen(ctx context.Context, addresses []string) (net.Listener, error) {
	errs := []error{errors.New("hanbridge health cannot reach this bridge")}
	for _, address := range addresses {
		if isFileAddress(address) {
			if conn, err := new(net.Dialer).DialContext(ctx, "unix", address); err == nil {
				_ = conn.Close()
				errs = append(errs, fmt.Errorf("another hanbridge listens at %s", address))
				continue
			}
			// Nobody listens. So a socket file was left there by a bridge that has crashed.
			if info, err := os.Lstat(address); err == nil && info.Mode()&fs.ModeSocket != 0 {
				_ = os.Remove(address) // if this fails, Listen fails too
			}
		}
		l, err := new(net.ListenConfig).Listen(ctx, "unix", address)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// isFileAddress reports whether an address is the path of a file. Otherwise it is a name in Linux's abstract namespace.
func isFileAddress(address string) bool { return !strings.HasPrefix(address, "@") }

// removed reports whether the socket file of an address no longer exists.
func removed(address string) bool {
	_, err := os.Lstat(address)
	return isFileAddress(address) && errors.Is(err, fs.ErrNotExist)
}
