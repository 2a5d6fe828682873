package broker_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// fakeServer starts a server that sends reply to each client and then closes the connection. If keepOpen is true, the connection remains open.
// fakeServer returns the address of the server.
func fakeServer(t *testing.T, reply string, keepOpen bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024)) // reads all bytes of the login, because closing a connection with unread bytes would reset it
			_, _ = c.Write([]byte(reply))
			if keepOpen {
				t.Cleanup(func() { _ = c.Close() })
				continue
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// unusedAddress is an address at which nobody listens.
const unusedAddress = "127.0.0.1:1"

// TestDialErrors tests the error for each server that is no usable broker. A reply that begins with 0x20 is a CONNACK. Its last
// byte is the return code.
func TestDialErrors(t *testing.T) {
	protected := start(t, func(d *serverHook) {
		d.login = func(user, password string) bool { return user == "me" && password == "s3cret" }
	})
	wrongLogin := func(c *broker.Config) { c.Username, c.Password = "me", "wr0ng" }
	for name, tc := range map[string]struct {
		url       string
		change    func(*broker.Config)
		want      string // part of the error
		permanent bool
	}{
		"no server":     {"mqtt://" + unusedAddress, nil, "nobody listens on 127.0.0.1:", false},
		"no server, ws": {"ws://" + unusedAddress, nil, "nobody listens on 127.0.0.1:", false},
		"web server":    {"mqtt://" + fakeServer(t, "HTTP/1.1 400 Bad Request\r\n\r\n", false), nil, "does not speak MQTT", true},
		"SSH server":    {"mqtt://" + fakeServer(t, "SSH-2.0-x", true), nil, "does not speak MQTT", true},
		"text with the packet type of a CONNACK (0x2d)": {"mqtt://" + fakeServer(t, "-ERR unknown command\r\n", true), nil, "does not speak MQTT", true},
		"not a WebSocket":          {"ws://" + fakeServer(t, "HTTP/1.1 404 Not Found\r\n\r\n", false), nil, "offers no MQTT at /mqtt", true},
		"closes without an answer": {"mqtt://" + fakeServer(t, "", false), nil, "is there an MQTT broker, and does it allow this machine to connect?", false},
		"no password":              {protected.url, nil, "wants a user name and password", true},
		"wrong password":           {protected.url, wrongLogin, `refuses user "me"`, true},
		"no MQTT 3.1.1":            {"mqtt://" + fakeServer(t, "\x20\x02\x00\x01", true), nil, "does not speak MQTT 3.1.1", true},
		"bad client id":            {"mqtt://" + fakeServer(t, "\x20\x02\x00\x02", true), nil, `client id "hanbridge"`, true},
		"unavailable":              {"mqtt://" + fakeServer(t, "\x20\x02\x00\x03", true), nil, "not available", false},
		"bad user":                 {"mqtt://" + fakeServer(t, "\x20\x02\x00\x04", true), wrongLogin, `refuses user "me"`, true},
		"forbidden":                {"mqtt://" + fakeServer(t, "\x20\x02\x00\x05", true), wrongLogin, `refuses user "me"`, true},
		"unknown code":             {"mqtt://" + fakeServer(t, "\x20\x02\x00\x9a", true), nil, "code 154", true},
		"no TLS server":            {"mqtts://" + fakeServer(t, "", false), nil, "closed the connection during the handshake", false},
		"TLS at a web server":      {"mqtts://" + fakeServer(t, "HTTP/1.1 400 Bad Request\r\n\r\n", false), nil, "does not speak TLS", true},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(tc.url)
			if tc.change != nil {
				tc.change(&c)
			}
			_, err := broker.Dial(t.Context(), c)
			checkRefusal(t, err, tc.want)
			if got := broker.Permanent(err); got != tc.permanent {
				t.Errorf("Permanent(%v): got %v, want %v", err, got, tc.permanent)
			}
		})
	}
}

// TestRefusalIsNotTriedAgain tests that a refused login is not repeated with MQTT 3.1, because some brokers lock out clients after several
// attempts.
func TestRefusalIsNotTriedAgain(t *testing.T) {
	var logins atomic.Int32
	s := start(t, func(d *serverHook) {
		d.login = func(string, string) bool { logins.Add(1); return false }
	})
	if _, err := broker.Dial(t.Context(), config(s.url)); !broker.Permanent(err) {
		t.Errorf("got %v, want a refusal", err)
	}
	if got := logins.Load(); got != 1 {
		t.Errorf("%d logins, want one", got)
	}
}

// checkRefusal tests that err contains want and no password.
func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
		return
	}
	for _, secret := range []string{"s3cret", "wr0ng"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the password is in %q", err)
		}
	}
}

// TestDialEndsWithItsContext tests that Dial returns when its context ends while the server does not answer.
func TestDialEndsWithItsContext(t *testing.T) {
	for name, url := range map[string]string{
		"mqtt": "mqtt://" + fakeServer(t, "", true), "mqtts": "mqtts://" + fakeServer(t, "", true), "ws": "ws://" + fakeServer(t, "", true),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			begin := time.Now()
			_, err := broker.Dial(ctx, config(url))
			if !errors.Is(err, context.DeadlineExceeded) || broker.Permanent(err) {
				t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
			if took := time.Since(begin); took > testTimeout {
				t.Errorf("Dial took %v, want less than %v", took, testTimeout)
			}
		})
	}
}

// TestDialOutlivesItsContext tests that a connection remains open after the context of Dial has ended.
func TestDialOutlivesItsContext(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := broker.Dial(ctx, config(s.url))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	publishAll(t, c, 0, 1)
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
