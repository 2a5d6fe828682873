package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// dialer finds out within half a minute that a reader does not answer any more. This is needed because a reader that loses its power does not
// close the connection.
var dialer = net.Dialer{
	Timeout:         10 * time.Second,
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
}

// TCP returns a source that reads from a network-attached reader or ser2net. The address is host:port.
func TCP(address string) probe.Source {
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://" + address, Dial: func(ctx context.Context) (io.ReadCloser, error) {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, explainNetwork(err)
		}
		return tcpWire{conn}, nil
	}})}
}

type tcpWire struct{ net.Conn }

// Read reads from the connection. If the reader does not answer any more, the error says so.
func (w tcpWire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		err = fmt.Errorf("%w: the reader does not answer any more. Was it switched off, or has it lost the network?", err)
	}
	return n, err
}

// explainNetwork returns an error that gives the most likely reason why a reader cannot be reached, and what to do.
func explainNetwork(err error) error {
	dnsErr, isDNS := errors.AsType[*net.DNSError](err)
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case isDNS && dnsErr.IsNotFound:
		return fmt.Errorf("%w: no name server knows this name (a container does not know names that end with .local). Write the reader's address in "+
			"digits, as the router shows it: tcp://192.168.1.20:8088", err)
	case isDNS:
		return fmt.Errorf("%w: the name server gives no answer. Write the reader's address in digits, as the router shows it: "+
			"tcp://192.168.1.20:8088", err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%w: each meter in the network needs one. Raise the limit of open files for hanbridge: LimitNOFILE= in its systemd unit, or ulimit -n", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: the machine answers, but nothing listens on this port. Switch on the reader's TCP server (ser2net: is it running?), "+
			"and compare the port with its settings", err)
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("%w: is the reader on, and in a network that this machine reaches? Try: ping ADDRESS", err)
	case isNet && netErr.Timeout():
		return fmt.Errorf("%w: nothing answers. Is the reader on, is this its address, and is no firewall in between? Try: ping ADDRESS", err)
	}
	return fmt.Errorf("%w (is the reader on, and is this its address and port?)", err)
}
