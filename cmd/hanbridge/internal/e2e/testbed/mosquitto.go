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

// A Mosquitto is a running Mosquitto broker on 127.0.0.1.
type Mosquitto struct {
	Port    string
	Process *Process
	t       testing.TB
	config  string // path of the configuration file
}

// StartMosquitto starts a broker that does not persist messages. extraLines are added to its configuration. Without extraLines,
// the broker accepts every client.
func StartMosquitto(t testing.TB, extraLines ...string) *Mosquitto {
	t.Helper()
	if len(extraLines) == 0 {
		extraLines = []string{"allow_anonymous true"}
	}
	port := FreePort(t)
	// If root runs the tests, Mosquitto switches to another user, who cannot read the files of the test. "user root" prevents this.
	lines := append([]string{"user root", "listener " + port + " 127.0.0.1", "persistence false", "set_tcp_nodelay true"}, extraLines...)
	return ConfigureMosquitto(t, port, strings.Join(lines, "\n")+"\n")
}

// ConfigureMosquitto starts a broker with the text of a configuration file. The configuration must have a listener without TLS on port.
func ConfigureMosquitto(t testing.TB, port, config string) *Mosquitto {
	t.Helper()
	RequireProgram(t, "mosquitto")
	m := &Mosquitto{Port: port, t: t, config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(m.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Start()
	return m
}

// Start starts the broker, or starts it again after it was killed. It returns when the broker accepts connections.
func (m *Mosquitto) Start() {
	m.t.Helper()
	m.Process = Launch(m.t, nil, "mosquitto", "-c", m.config)
	AwaitPort(m.t, m.Address())
}

// Address returns the broker's address as host:port.
func (m *Mosquitto) Address() string { return "127.0.0.1:" + m.Port }

// URLVariable returns the environment variable that makes a bridge connect to this broker.
func (m *Mosquitto) URLVariable() string { return "HANBRIDGE_MQTT_URL=mqtt://" + m.Address() }

// Publish sends messages without a user name, and returns when the broker has processed them all.
func (m *Mosquitto) Publish(messages ...Message) {
	m.t.Helper()
	Connect(m.t, m.Address(), "", "").Publish(messages...)
}

// Retained returns the payloads of all messages that the broker retains, by topic.
func (m *Mosquitto) Retained() map[string]string {
	m.t.Helper()
	return Connect(m.t, m.Address(), "", "").Retained("#")
}

// Passwords makes a password file with mosquitto_passwd. All users in it have the same password.
func Passwords(t testing.TB, password string, users ...string) (file string) {
	t.Helper()
	RequireProgram(t, "mosquitto_passwd")
	file = filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		Launch(t, nil, "mosquitto_passwd", "-b", file, user, password).RequireSuccess()
	}
	return file
}

// FreePort returns a port of 127.0.0.1 for a server that cannot choose a port itself. Until a server listens, connections to the port are
// refused. A socket is bound to the port until the test ends, so that Linux gives the port to no other program that asks for a free port.
// The socket does not listen. A server that sets SO_REUSEADDR, such as Mosquitto, Node.js and Go, can therefore listen on the port.
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
	address, nameErr := syscall.Getsockname(fd)
	if err != nil || nameErr != nil {
		t.Fatalf("no free port: %v, %v", err, nameErr)
	}
	return strconv.Itoa(address.(*syscall.SockaddrInet4).Port)
}

// AwaitPort waits until a server accepts connections at address (host:port).
func AwaitPort(t testing.TB, address string) {
	t.Helper()
	Until(t, "a server listens on "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
}
