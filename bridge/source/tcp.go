package source

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// dialer finds a peer that has gone without a goodbye within half a minute: a reader that lost its power sends none.
var dialer = net.Dialer{
	Timeout:         10 * time.Second,
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
}

// TCP returns a source that reads from host:port: a network-attached reader, or ser2net.
func TCP(address string) bridge.Source {
	return bridge.Source{Candidates: bridge.Fixed(bridge.Candidate{Port: "tcp://" + address, Dial: func(ctx context.Context) (io.ReadCloser, error) {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("%w (is the reader on, and is this its address and port?)", err)
		}
		return conn, nil
	}})}
}
