// Package localbroker is the MQTT broker inside the program, for people who have none yet. It keeps nothing over a
// restart.
package localbroker

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// A Broker runs until Stop.
type Broker struct {
	server  *mqtt.Server
	address string
}

// Start listens on c.Listen; port 0 is any free one. Where c has a user, only that user is let in.
func Start(c config.MQTT) (*Broker, error) {
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(&authentication{username: c.Username, password: string(c.Password)}, nil); err != nil {
		return nil, fmt.Errorf("broker inside: %w", err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: c.Listen})
	if err := s.AddListener(l); err != nil {
		return nil, cli.UsageError(fmt.Errorf("mqtt.listen: the broker inside cannot listen on %s: %w (is another broker there? Then set "+
			"mqtt.url to it; else choose another port)", c.Listen, err))
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("broker inside: %w", err)
	}
	return &Broker{server: s, address: l.Address()}, nil
}

// URL returns the address that clients connect to.
func (b *Broker) URL() string { return "mqtt://" + b.address }

// Stop closes the broker. It does not wait for long: mochi's Close waits for ever when a client leaves in the same moment.
func (b *Broker) Stop() {
	closed := make(chan struct{})
	go func() { defer close(closed); _ = b.server.Close() }()
	select {
	case <-closed:
	case <-time.After(time.Second):
	}
}

// authentication lets in who has the configured user name and password; everybody where none is configured.
type authentication struct {
	mqtt.HookBase
	username, password string
}

// Provides names the decisions that authentication makes.
func (d *authentication) Provides(b byte) bool {
	return bytes.Contains([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck}, []byte{b})
}

// OnConnectAuthenticate tells if a client is let in.
func (d *authentication) OnConnectAuthenticate(_ *mqtt.Client, p packets.Packet) bool {
	if d.username == "" {
		return true
	}
	name := subtle.ConstantTimeCompare(p.Connect.Username, []byte(d.username))
	return name&subtle.ConstantTimeCompare(p.Connect.Password, []byte(d.password)) == 1
}

// OnACLCheck allows every topic to who is in.
func (d *authentication) OnACLCheck(*mqtt.Client, string, bool) bool { return true }
