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

// packet returns an MQTT packet with the first byte kind and the length field size. It is incomplete if body is shorter than size.
func packet(kind byte, size int, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(size)), body...)
}

// publication returns a PUBLISH, with a packet identifier if its QoS is 1.
func publication(topic string, qos byte, payload []byte) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	if qos > 0 {
		body = append(body, 0x12, 0x34) // the packet identifier
	}
	body = append(body, payload...)
	return packet(0x30|qos<<1, len(body), body)
}

// startScripted starts a broker that accepts a login and a subscription and then sends afterSuback. The channel receives what the client
// sends after the subscription.
func startScripted(t *testing.T, afterSuback []byte) (url string, received <-chan []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	packets := make(chan []byte, 16)
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
			case 1: // CONNECT
				_, _ = c.Write([]byte{0x20, 2, 0, 0})
			case 8: // SUBSCRIBE
				_, _ = c.Write([]byte{0x90, 3, b[2], b[3], 1})
				_, _ = c.Write(afterSuback)
			default:
				packets <- b[:n]
			}
		}
	}()
	return "mqtt://" + l.Addr().String(), packets
}

// TestOversizedPacketsAreDiscarded tests that a packet above 1 MiB is discarded, and that a small message after it arrives on the same
// connection.
func TestOversizedPacketsAreDiscarded(t *testing.T) {
	huge := make([]byte, 3<<20)
	for name, tc := range map[string]struct {
		packet []byte
		want   string // part of the reported error; "" for no error
		answer []byte // what the client answers; nil for nothing
	}{
		// 3145731 bytes are 3 MiB of payload, the topic (1 byte) and the length of the topic (2 bytes).
		"QoS 0":                 {publication("n", 0, huge), "3145731 bytes arrived under \"n\" and was discarded", nil},
		"QoS 1 is acknowledged": {publication("n", 1, huge), "was discarded", []byte{0x40, 2, 0x12, 0x34}}, // a PUBACK with the identifier
		// 3 bytes of the 1 MiB are the topic and its length. This message arrives, so its topic is not that of the small message.
		"at the limit":                          {publication("m", 0, make([]byte, 1<<20-3)), "", nil},
		"a byte above the limit":                {publication("n", 0, make([]byte, 1<<20-2)), "1048577 bytes arrived under \"n\"", nil},
		"an oversized UNSUBACK is not reported": {packet(0xb0, len(huge), huge), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, answers := startScripted(t, append(bytes.Clone(tc.packet), publication("n", 0, []byte("small"))...))
			reports := make(chan string, 4)
			c := config(url)
			c.Capabilities, c.OnOversized = new(broker.Capabilities), func(err error) { reports <- err.Error() }
			conn := dial(t, c)
			received := make(chan broker.Message, 4)
			if err := conn.Subscribe(t.Context(), "+", 1, func(m broker.Message) {
				if m.Topic == "n" {
					received <- m
				}
			}); err != nil {
				t.Fatal(err)
			}
			if m := receive(t, received); string(m.Payload) != "small" {
				t.Errorf("received %d bytes under %s, want only the small message", len(m.Payload), m.Topic)
			}
			select {
			case got := <-reports:
				if tc.want == "" || !strings.Contains(got, tc.want) {
					t.Errorf("report: got %q, want %q in it", got, tc.want)
				}
			default:
				if tc.want != "" {
					t.Error("the oversized message is not reported")
				}
			}
			if tc.answer == nil {
				return
			}
			select {
			case got := <-answers:
				if !bytes.Equal(got, tc.answer) {
					t.Errorf("the client answered % x, want % x", got, tc.answer)
				}
			case <-time.After(testTimeout):
				t.Error("the client has sent no answer")
			}
		})
	}
}

// TestOversizedFloodIsDiscarded tests that many oversized messages are reported, and that a message after them arrives.
func TestOversizedFloodIsDiscarded(t *testing.T) {
	s := start(t)
	c := config(s.url)
	reports := make(chan string, 16)
	c.Capabilities, c.OnOversized = new(broker.Capabilities), func(err error) { reports <- err.Error() }
	conn := dial(t, c)
	received := make(chan broker.Message, 16)
	for _, filter := range []string{"loud/+", "quiet"} {
		if err := conn.Subscribe(t.Context(), filter, 1, func(m broker.Message) { received <- m }); err != nil {
			t.Fatal(err)
		}
	}
	other := config(s.url)
	other.ClientID = "other"
	flooding := dial(t, other)
	const escape = "\x1b[2J" // this sequence would clear a terminal, so no report must contain it
	for range 8 {
		if err := flooding.Publish(broker.Message{Topic: "loud/a" + escape, Payload: make([]byte, 2<<20), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := flooding.Publish(broker.Message{Topic: "quiet", QoS: 1}); err != nil {
		t.Fatal(err)
	}
	flooding.Send()
	if m := receive(t, received); m.Topic != "quiet" {
		t.Errorf("received %d bytes under %q, want only the message under quiet", len(m.Payload), m.Topic)
	}
	if text := <-reports; len(reports) != 7 || !strings.Contains(text, "was discarded") || strings.Contains(text, escape) {
		t.Errorf("got %d reports, want 8 without an escape sequence; the first:\n%s", len(reports)+1, text)
	}
}

// TestMalformedPackets tests that data that is not MQTT is reported as such, and not as a restart of the broker.
func TestMalformedPackets(t *testing.T) {
	for name, packet := range map[string][]byte{
		"packet type 0":                {0x00, 0},
		"packet type 15":               {0xf0, 0},
		"second CONNACK":               {0x20, 2, 0, 0},
		"length of five bytes":         {0x30, 0xff, 0xff, 0xff, 0xff, 0x01},
		"publish without a topic":      {0x30, 0},
		"topic longer than packet":     {0x30, 3, 0, 9, 'n'},
		"QoS 3":                        {0x36, 5, 0, 1, 'n', 0, 1},
		"PUBACK without an identifier": {0x40, 0},
		"SUBACK with too many codes":   {0x90, 5, 0, 1, 0, 0, 0},
		"SUBACK without a code":        {0x90, 2, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := startScripted(t, packet)
			conn := dial(t, config(url))
			_ = conn.Subscribe(t.Context(), "n", 1, func(broker.Message) {})
			err := awaitLoss(t, conn, testTimeout)
			if err == nil || !strings.Contains(err.Error(), "data that is not MQTT") || strings.Contains(err.Error(), "restarted") {
				t.Errorf("got %v, want an error about data that is not MQTT", err)
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
		_, _ = c.Write([]byte{0x20, 2, 0, 0, 0x30, 100, 0}) // a CONNACK, and the first 3 bytes of a PUBLISH
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	}()
	conn := dial(t, config("mqtt://"+l.Addr().String()))
	if err := awaitLoss(t, conn, testTimeout); err == nil || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("got %v, want an error that the connection was closed", err)
	}
}
