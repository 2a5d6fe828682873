//go:build linux

package testbed

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A Mosquitto is a real broker on loopback.
type Mosquitto struct {
	Port    string
	Process *Process
	t       testing.TB
	config  string // its file
}

// StartMosquitto starts a broker that keeps nothing over a restart. more are lines of its configuration; without any it lets
// everybody in.
func StartMosquitto(t testing.TB, more ...string) *Mosquitto {
	t.Helper()
	if len(more) == 0 {
		more = []string{"allow_anonymous true"}
	}
	port := FreePort(t)
	// Started by root it would turn into a user who may not read the test's files.
	lines := append([]string{"user root", "listener " + port + " 127.0.0.1", "persistence false", "set_tcp_nodelay true"}, more...)
	return ConfigureMosquitto(t, port, strings.Join(lines, "\n")+"\n")
}

// ConfigureMosquitto starts a broker with a configuration that has it listen on a port, to everybody.
func ConfigureMosquitto(t testing.TB, port, config string) *Mosquitto {
	t.Helper()
	NeedPeer(t, "mosquitto")
	m := &Mosquitto{Port: port, t: t, config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(m.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Start()
	return m
}

// Start starts the broker again after it was killed, and returns when it lets clients in.
func (m *Mosquitto) Start() {
	m.t.Helper()
	m.Process = Launch(m.t, nil, "mosquitto", "-c", m.config)
	AwaitListener(m.t, m.Address())
}

// Address is its host and port.
func (m *Mosquitto) Address() string { return "127.0.0.1:" + m.Port }

// URL is the variable of a bridge that goes there.
func (m *Mosquitto) URL() string { return "HANBRIDGE_MQTT_URL=mqtt://" + m.Address() }

// Publish sends messages as nobody in particular, and returns when the broker has taken them all.
func (m *Mosquitto) Publish(messages ...Message) {
	m.t.Helper()
	Connect(m.t, m.Address(), "", "").Publish(messages...)
}

// Kept returns what the broker retains, by topic.
func (m *Mosquitto) Kept() map[string]string {
	m.t.Helper()
	return Connect(m.t, m.Address(), "", "").Kept("#")
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

// FreePort returns a port of 127.0.0.1 for a server that has to be told one. The kernel gives it, and it stays the test's until
// its end: a socket is bound to it that does not listen. Linux lets a server listen beside such a socket, where both have
// SO_REUSEADDR (Mosquitto, Node.js and Go set it), gives the port to nobody who asks for any, and refuses who dials it.
func FreePort(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	address, e := syscall.Getsockname(fd)
	if err != nil || e != nil {
		t.Fatalf("no free port: %v, %v", err, e)
	}
	return strconv.Itoa(address.(*syscall.SockaddrInet4).Port)
}

// AwaitListener waits until somebody accepts connections at an address, a host and a port.
func AwaitListener(t testing.TB, address string) {
	t.Helper()
	Until(t, "somebody listens on "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
}
