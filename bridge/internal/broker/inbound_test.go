package broker_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// packet returns an MQTT packet, or the beginning of one of size bytes.
func packet(kind byte, size int, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(size)), body...)
}

// publication returns a PUBLISH, with a packet identifier if its QoS is 1.
func publication(topic string, qos byte, payload []byte) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	if qos > 0 {
		body = append(body, 0x12, 0x34)
	}
	body = append(body, payload...)
	return packet(0x30|qos<<1, len(body), body)
}

// startScripted starts a broker that accepts a login and a subscription and then sends the bytes says.
func startScripted(t *testing.T, says []byte) (url string, heard <-chan []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	answers := make(chan []byte, 16)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		for {
			b := make([]byte, 4096)
			n, err := c.Read(b)
			if err != nil {
				return
			}
			switch b[0] >> 4 {
			case 1:
				_, _ = c.Write([]byte{0x20, 2, 0, 0})
			case 8:
				_, _ = c.Write([]byte{0x90, 3, b[2], b[3], 1})
				_, _ = c.Write(says)
			default:
				answers <- b[:n]
			}
		}
	}()
	return "mqtt://" + l.Addr().String(), answers
}

// TestOversizedPacketsAreDiscarded tests that packets above the limit are discarded, and that a small message behind them arrives on the
// same connection.
func TestOversizedPacketsAreDiscarded(t *testing.T) {
	huge := make([]byte, 3<<20)
	for name, tc := range map[string]struct {
		says     []byte
		complain string // the text of the error
		answer   []byte // what the broker receives
	}{
		"quality 0":               {publication("n", 0, huge), "3145731 bytes came under \"n\" and was not read", nil},
		"quality 1 is answered":   {publication("n", 1, huge), "was not read", []byte{0x40, 2, 0x12, 0x34}},
		"as much as is read":      {publication("m", 0, make([]byte, 1<<20-3)), "", nil},
		"a byte more":             {publication("n", 0, make([]byte, 1<<20-2)), "1048577 bytes came under \"n\"", nil},
		"an answer that is large": {packet(0xb0, len(huge), huge), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, answers := startScripted(t, append(bytes.Clone(tc.says), publication("n", 0, []byte("small"))...))
			told := make(chan string, 4)
			c := config(url)
			c.Capabilities, c.OnOversized = new(broker.Capabilities), func(err error) { told <- err.Error() }
			conn := dial(t, c)
			heard := make(chan broker.Message, 4)
			if err := conn.Subscribe(t.Context(), "+", 1, func(m broker.Message) {
				if m.Topic == "n" {
					heard <- m
				}
			}); err != nil {
				t.Fatal(err)
			}
			if m := receive(t, heard); string(m.Payload) != "small" {
				t.Errorf("heard %d bytes under %s, want the small message alone", len(m.Payload), m.Topic)
			}
			select {
			case got := <-told:
				if tc.complain == "" || !strings.Contains(got, tc.complain) {
					t.Errorf("told: %s; want %q in it", got, tc.complain)
				}
			default:
				if tc.complain != "" {
					t.Error("nothing is told")
				}
			}
			if tc.answer == nil {
				return
			}
			select {
			case got := <-answers:
				if !bytes.Equal(got, tc.answer) {
					t.Errorf("answered % x, want % x", got, tc.answer)
				}
			case <-time.After(patient):
				t.Error("not acknowledged")
			}
		})
	}
}

// TestOversizedFloodIsDiscarded tests that many oversized messages are reported, and that messages behind them arrive.
func TestOversizedFloodIsDiscarded(t *testing.T) {
	s := start(t)
	c := config(s.url)
	told := make(chan string, 16)
	c.Capabilities, c.OnOversized = new(broker.Capabilities), func(err error) { told <- err.Error() }
	conn := dial(t, c)
	heard := make(chan broker.Message, 16)
	for _, filter := range []string{"loud/+", "quiet"} {
		if err := conn.Subscribe(t.Context(), filter, 1, func(m broker.Message) { heard <- m }); err != nil {
			t.Fatal(err)
		}
	}
	other := config(s.url)
	other.ClientID = "other"
	loud := dial(t, other)
	for range 8 {
		if err := loud.Publish(broker.Message{Topic: "loud/a\x1b[2J", Payload: make([]byte, 2<<20), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := loud.Publish(broker.Message{Topic: "quiet", QoS: 1}); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, heard); m.Topic != "quiet" {
		t.Errorf("heard %d bytes under %q, want what came under quiet alone", len(m.Payload), m.Topic)
	}
	if text := <-told; len(told) != 7 || !strings.Contains(text, "was not read") || strings.Contains(text, "\x1b") {
		t.Errorf("told %d times after the first, want 7 times:\n%s", len(told), text)
	}
}

// TestMalformedPackets tests that data that is not MQTT is reported as such, and not as a restart of the broker.
func TestMalformedPackets(t *testing.T) {
	for name, says := range map[string][]byte{
		"no such type":            {0x00, 0},
		"type 15":                 {0xf0, 0},
		"a second CONNACK":        {0x20, 2, 0, 0},
		"endless length":          {0x30, 0xff, 0xff, 0xff, 0xff, 0x01},
		"publish without a topic": {0x30, 0},
		"topic longer than all":   {0x30, 3, 0, 9, 'n'},
		"quality 3":               {0x36, 5, 0, 1, 'n', 0, 1},
		"an empty PUBACK":         {0x40, 0},
		"too many grants":         {0x90, 5, 0, 1, 0, 0, 0},
		"a grant of nothing":      {0x90, 2, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := startScripted(t, says)
			conn := dial(t, config(url))
			_ = conn.Subscribe(t.Context(), "n", 1, func(broker.Message) {})
			err := awaitLoss(t, conn, patient)
			if err == nil || !strings.Contains(err.Error(), "what is not MQTT") || strings.Contains(err.Error(), "restarted") {
				t.Errorf("got %v, want that this is not MQTT", err)
			}
		})
	}
}

// TestTruncatedPacket tests that the end of the connection within a packet is reported as a loss, and not as malformed MQTT.
func TestTruncatedPacket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1024))
		_, _ = c.Write([]byte{0x20, 2, 0, 0, 0x30, 100, 0})
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	}()
	conn := dial(t, config("mqtt://"+l.Addr().String()))
	if err := awaitLoss(t, conn, patient); err == nil || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("got %v, want that the connection was closed", err)
	}
}
