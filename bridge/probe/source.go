// Package probe finds on which port and line setting a meter sends, and reads it there. The bridge, doctor and capture use this
// one search.
package probe

import (
	"context"
	"io"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A Dialer opens a wire. Whoever calls it closes what it returns, also to end a blocked Read, and never writes to it.
type Dialer func(ctx context.Context) (io.ReadCloser, error)

// An Endpoint is one way in which a meter may be reached: a port with a line setting.
type Endpoint struct {
	// Port and Line describe it to people: /dev/ttyUSB0 and 115200 8N1. No two endpoints of a source have both alike.
	Port, Line string
	// Baud is the speed of a serial line in bits a second; 0 where there is none.
	Baud int
	Dial Dialer
}

// Same reports whether both are the same port with the same line setting.
func (e Endpoint) Same(f Endpoint) bool { return e.Port == f.Port && e.Line == f.Line }

// A Source is where a meter's bytes come from.
type Source struct {
	// Endpoints returns the ways to the meter in the order in which they are tried; the meter stays with the first that gave a
	// telegram whose checksum is right. It is called each time that all have had their turn. An error says what a person can do.
	Endpoints func() ([]Endpoint, error)
	// EndpointsChange tells that Endpoints may return others the next time: even one that is alone is then given up when it is silent.
	EndpointsChange bool
	// Recorded marks bytes that can wait for the outputs, and that come to an end: a file, not a meter.
	Recorded bool
	// Options are what its telegrams are read with, keys among them.
	Options meter.Options
}

// Fixed returns a function that always returns all: the Endpoints of a Source.
func Fixed(all ...Endpoint) func() ([]Endpoint, error) {
	return func() ([]Endpoint, error) { return all, nil }
}
