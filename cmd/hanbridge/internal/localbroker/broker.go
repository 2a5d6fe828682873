// Package localbroker implements the embedded MQTT broker, for users without a broker. Its retained messages are lost when the program ends.
package localbroker

import (
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

// A Broker is a running broker. Stop ends it.
type Broker struct {
	server  *mqtt.Server
	address string
}

// Start starts a broker that listens on c.Listen. If the port of c.Listen is 0, the system chooses a free port. If c has a user name, the
// broker accepts only this user, with the password of c.
func Start(c config.MQTT) (*Broker, error) {
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(&authentication{username: c.Username, password: string(c.Password)}, nil); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: c.Listen})
	if err := s.AddListener(l); err != nil {
		return nil, cli.UsageError(fmt.Errorf("mqtt.listen: the embedded broker cannot listen on %s: %w (if another broker listens there, "+
			"set mqtt.url to its address; otherwise choose another port)", c.Listen, err))
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	return &Broker{server: s, address: l.Address()}, nil
}

// URL returns the address that clients connect to.
func (b *Broker) URL() string { return "mqtt://" + b.address }

// Stop closes the broker. It waits for at most a second, because Close of the mochi-mqtt library never returns if a client disconnects at the
// same moment.
func (b *Broker) Stop() {
	closed := make(chan struct{})
	go func() { defer close(closed); _ = b.server.Close() }()
	select {
	case <-closed:
	case <-time.After(time.Second):
	}
}

// authentication is the hook that accepts clients with the configured user name and password, or all clients if no user name is configured.
type authentication struct {
	mqtt.HookBase
	username, password string
}

// Provides reports whether the hook handles an event of the broker.
func (a *authentication) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck
}

// OnConnectAuthenticate reports whether a client is accepted. The comparison takes constant time.
func (a *authentication) OnConnectAuthenticate(_ *mqtt.Client, p packets.Packet) bool {
	if a.username == "" {
		return true
	}
	equalNames := subtle.ConstantTimeCompare(p.Connect.Username, []byte(a.username))
	equalPasswords := subtle.ConstantTimeCompare(p.Connect.Password, []byte(a.password))
	return equalNames&equalPasswords == 1
}

// OnACLCheck permits every accepted client to use every topic.
func (a *authentication) OnACLCheck(*mqtt.Client, string, bool) bool { return true }
