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

// startGateway starts a network-attached reader, and returns the environment variable that makes a bridge connect to this reader. The reader
// accepts one connection at a time. serve gets the connection and its number, which starts at 1. serve must close the connection.
func startGateway(t *testing.T, serve func(number int, c *net.TCPConn)) (variable string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for number := 1; ; number++ {
			c, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			serve(number, c.(*net.TCPConn))
		}
	}()
	return "HANBRIDGE_METER_PORT=tcp://" + l.Addr().String()
}

// telegrams returns a function whose result is the next telegram of a simulated meter.
func telegrams(t *testing.T, family string) func() []byte {
	t.Helper()
	m := testbed.NewMeter(t, family, 1)
	return func() []byte {
		_, b := m.Next()
		return slices.Clone(b)
	}
}

// testClosingGateway tests a reader that closes each connection after one telegram. The first connection ends with a reset, the second with a close,
// the third with a half-close, and so on. The bridge must publish every telegram and log one line about the reader. The meter must stay online.
func testClosingGateway(t *testing.T) {
	const total = 30
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	published := func() int { return messages.Count("hanbridge/house/telegram", "{") }
	next := telegrams(t, "aidon-se")
	variable := startGateway(t, func(number int, c *net.TCPConn) {
		defer c.Close()
		if number > total {
			<-t.Context().Done() // the meter sends no more telegrams
			return
		}
		<-time.After(100 * time.Millisecond) // the meter's interval
		_, _ = c.Write(next())
		switch number % 3 {
		case 0:
			_ = c.CloseWrite()
		case 1:
			// A reset discards bytes that the bridge has not read. The reader therefore waits until the telegram is published.
			for published() < number && t.Context().Err() == nil {
				<-time.After(time.Millisecond)
			}
			_ = c.SetLinger(0) // Close now sends a reset
		default: // Close ends the connection as usual
		}
	})
	run := testbed.StartBridge(t, broker.URLVariable(), variable)
	testbed.Until(t, "all telegrams", func() bool { return published() == total })
	messages.AwaitMessage("hanbridge/house/status", "online")
	if got := messages.Count("hanbridge/house/status", "offline"); got > 1 { // once before the first telegram
		t.Errorf("status offline: published %d times, want once at most", got)
	}
	run.RequireOutputOnce("the reader closes the connection after a telegram")
	if output := run.Output(); strings.Contains(output, "WRN") || strings.Contains(output, `"warn"`) || strings.Count(output, "port opened") != 1 {
		t.Errorf("want no warning and one line \"port opened\" in the log:\n%s", output)
	}
	run.Stop(syscall.SIGTERM)
}

// testTelnetGateway tests a reader that sends HDLC telegrams by telnet. The bridge must publish the values, send nothing to the reader, and log
// once that the reader must use raw mode.
func testTelnetGateway(t *testing.T) {
	next := telegrams(t, "aidon-se")
	bytesFromBridge := make(chan int, 1)
	variable := startGateway(t, func(_ int, c *net.TCPConn) {
		defer c.Close()
		// RFC 854, 856 to 858: WILL SUPPRESS-GO-AHEAD, WILL ECHO, DO SUPPRESS-GO-AHEAD, WILL BINARY, DO BINARY.
		_, _ = c.Write([]byte("\xFF\xFB\x03\xFF\xFB\x01\xFF\xFD\x03\xFF\xFB\x00\xFF\xFD\x00"))
		for range 3 {
			_, _ = c.Write(bytes.ReplaceAll(next(), []byte{0xFF}, []byte{0xFF, 0xFF})) // telnet doubles FF in data
		}
		n, _ := c.Read(make([]byte, 1)) // returns when the bridge ends
		bytesFromBridge <- n
	})
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), variable)
	testbed.Until(t, "three telegrams", func() bool { return messages.Count("hanbridge/house/telegram", "{") == 3 })
	run.RequireOutputOnce("Set the gateway to raw mode")
	run.Stop(syscall.SIGTERM)
	if n := <-bytesFromBridge; n != 0 {
		t.Error("the bridge has sent a byte to the reader")
	}
}

// TestGateways tests network-attached readers that do more than forward the meter's bytes.
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
