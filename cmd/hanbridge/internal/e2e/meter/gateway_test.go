//go:build linux

package meter_test

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// startGateway starts a reader in the network that serves one connection after another, and returns the variable of a bridge that reads
// it. serve is called for each connection, with its number from 1 on, and closes it.
func startGateway(t *testing.T, serve func(n int, c *net.TCPConn)) (variable string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(n, c.(*net.TCPConn))
		}
	}()
	return "HANBRIDGE_METER_PORT=tcp://" + l.Addr().String()
}

// meterBytes returns a function that returns the telegrams of a meter, one after another.
func meterBytes(t *testing.T, family string) func() []byte {
	t.Helper()
	m := testbed.NewMeter(t, family, 1)
	return func() []byte {
		_, b := m.Next()
		return slices.Clone(b)
	}
}

// testClosingGateway has a reader that closes each connection behind a telegram, by turns in the three ways of TCP: every telegram is
// published, the meter stays online, and the log has one line.
func testClosingGateway(t *testing.T) {
	const telegrams = 30
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	published := func() int { return messages.Count("hanbridge/house/telegram", "{") }
	next := meterBytes(t, "aidon-se")
	variable := startGateway(t, func(n int, c *net.TCPConn) {
		defer c.Close()
		if n > telegrams {
			<-t.Context().Done() // the meter has nothing more to say
			return
		}
		<-time.After(100 * time.Millisecond) // the pace of the meter
		_, _ = c.Write(next())
		switch n % 3 {
		case 0:
			_ = c.CloseWrite()
		case 1: // a reset takes with it what has not been read yet
			for published() < n && t.Context().Err() == nil {
				<-time.After(time.Millisecond)
			}
			_ = c.SetLinger(0)
		}
	})
	run := testbed.StartBridge(t, broker.URLVariable(), variable)
	testbed.Until(t, "all telegrams", func() bool { return published() == telegrams })
	messages.AwaitMessage("hanbridge/house/status", "online")
	if got := messages.Count("hanbridge/house/status", "offline"); got > 1 { // before the first telegram
		t.Errorf("the meter was offline %d times", got)
	}
	run.RequireOutputOnce("the reader closes the connection behind a telegram")
	if said := run.Output(); strings.Contains(said, "WRN") || strings.Contains(said, `"warn"`) || strings.Count(said, "port opened") != 1 {
		t.Errorf("want no warning, and that the port is opened once:\n%s", said)
	}
	run.Stop(syscall.SIGTERM)
}

// testTelnetGateway tests a gateway in telnet mode with a binary protocol. Values must be published, and one log line says how to set it.
func testTelnetGateway(t *testing.T) {
	next := meterBytes(t, "aidon-se")
	written := make(chan int, 1)
	variable := startGateway(t, func(_ int, c *net.TCPConn) {
		defer c.Close()
		_, _ = c.Write([]byte("\xFF\xFB\x03\xFF\xFB\x01\xFF\xFD\x03\xFF\xFB\x00\xFF\xFD\x00"))
		for range 3 {
			_, _ = c.Write(bytes.ReplaceAll(next(), []byte{0xFF}, []byte{0xFF, 0xFF}))
		}
		n, _ := c.Read(make([]byte, 1)) // it ends when the bridge does
		written <- n
	})
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), variable)
	testbed.Until(t, "three telegrams", func() bool { return messages.Count("hanbridge/house/telegram", "{") == 3 })
	run.RequireOutputOnce("Set it to raw mode")
	run.Stop(syscall.SIGTERM)
	if n := <-written; n != 0 {
		t.Error("a byte was written to the gateway")
	}
}

// TestGateways tests network-attached readers that do more than pass on bytes.
func TestGateways(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"closes each connection": testClosingGateway, "telnet mode": testTelnetGateway,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}
