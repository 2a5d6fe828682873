//go:build linux

package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Mosquitto is a real broker on loopback.
type Mosquitto struct {
	Port    string
	Process *Process // nil before Start
	t       testing.TB
	config  string // its file
}

// NewMosquitto makes a broker ready that keeps nothing over a restart. more are lines of its configuration; without any it lets
// everybody in.
func NewMosquitto(t testing.TB, more ...string) *Mosquitto {
	t.Helper()
	if len(more) == 0 {
		more = []string{"allow_anonymous true"}
	}
	port := FreePort(t)
	// Started by root it would turn into a user who may not read the test's files.
	lines := append([]string{"user root", "listener " + port + " 127.0.0.1", "persistence false", "set_tcp_nodelay true"}, more...)
	return ConfigureMosquitto(t, port, strings.Join(lines, "\n")+"\n")
}

// ConfigureMosquitto makes a broker ready with a configuration that has it listen on a port, to everybody.
func ConfigureMosquitto(t testing.TB, port, config string) *Mosquitto {
	t.Helper()
	NeedPeer(t, "mosquitto")
	m := &Mosquitto{Port: port, t: t, config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(m.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

// StartMosquitto is NewMosquitto, and Start.
func StartMosquitto(t testing.TB, more ...string) *Mosquitto {
	t.Helper()
	m := NewMosquitto(t, more...)
	m.Start()
	return m
}

// BrokerAt stands for a broker that another program is, on a port of 127.0.0.1. It waits for it.
func BrokerAt(t testing.TB, port string) *Mosquitto {
	t.Helper()
	m := &Mosquitto{Port: port, t: t}
	AwaitListener(t, m.Address())
	return m
}

// Start starts the broker, again after it was killed, and returns when it lets clients in.
func (m *Mosquitto) Start() {
	m.t.Helper()
	m.Process = Launch(m.t, nil, "mosquitto", "-c", m.config)
	AwaitListener(m.t, m.Address())
}

// Address is its host and port.
func (m *Mosquitto) Address() string { return "127.0.0.1:" + m.Port }

// URL is the variable of a bridge that goes there.
func (m *Mosquitto) URL() string { return "HANBRIDGE_MQTT_URL=mqtt://" + m.Address() }

// connect logs in. The connection ends with the test.
func (m *Mosquitto) connect(user, password string) *Client {
	m.t.Helper()
	return connect(m.t, m.Address(), user, password)
}

func connect(t testing.TB, address, user, password string) *Client {
	t.Helper()
	c, err := Connect(address, user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Say publishes messages under a topic.
func (m *Mosquitto) Say(topic string, payloads ...string) {
	m.t.Helper()
	c := m.connect("", "")
	defer c.Close()
	if err := c.Publish(topic, payloads...); err != nil {
		m.t.Fatal(err)
	}
}

// Retain has the broker retain a payload under each of some topics.
func (m *Mosquitto) Retain(payload string, topics ...string) {
	m.t.Helper()
	c := m.connect("", "")
	defer c.Close()
	if err := c.Retain(payload, topics...); err != nil {
		m.t.Fatal(err)
	}
}

// Numbered returns n topics. topics has a verb for their number.
func Numbered(topics string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(topics, i))
	}
	return all
}

// Kept returns what the broker retains, by topic.
func (m *Mosquitto) Kept() map[string]string { m.t.Helper(); return m.KeptBelow("#") }

// KeptBelow is Kept of what fits a filter.
func (m *Mosquitto) KeptBelow(filter string) map[string]string {
	m.t.Helper()
	c := m.connect("", "")
	defer c.Close()
	return c.Kept(m.t, filter)
}

// Kept returns what the broker retains and the client may read, by topic.
func (c *Client) Kept(t testing.TB, filter string) map[string]string {
	t.Helper()
	messages, err := c.Subscribe(filter)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for _, message := range messages {
		if message.Retained {
			kept[message.Topic] = message.Payload
		}
	}
	return kept
}

// Passwords makes a file of mosquitto_passwd that lets in users with a password.
func Passwords(t testing.TB, password string, users ...string) (file string) {
	t.Helper()
	NeedPeer(t, "mosquitto_passwd")
	file = filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		Launch(t, nil, "mosquitto_passwd", "-b", file, user, password).EndsWell()
	}
	return file
}
