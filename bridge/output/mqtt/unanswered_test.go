package mqtt_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
)

// dropPackets starts a proxy to a broker and returns the address of the proxy. The proxy drops the packets of some types that the broker sends.
func dropPackets(t *testing.T, addr string, types ...byte) string {
	t.Helper()
	return replacePackets(t, addr, func(packet []byte) [][]byte {
		if slices.Contains(types, packet[0]>>4) { // the upper four bits are the packet type
			return nil
		}
		return [][]byte{packet}
	})
}

// replacePackets starts a proxy to a broker and returns the address of the proxy. The proxy calls replace with each packet that the broker sends,
// and sends the returned packets to the client instead.
func replacePackets(t *testing.T, addr string, replace func(packet []byte) [][]byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				_ = client.Close()
				return
			}
			go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
			go func() { copyPackets(client, server, replace); _ = client.Close() }()
		}
	}()
	return l.Addr().String()
}

// copyPackets reads MQTT packets, and writes what replace returns for each packet. MQTT 3.1.1, section 2.2 has the format of a packet.
func copyPackets(to io.Writer, from io.Reader, replace func(packet []byte) [][]byte) {
	for r := bufio.NewReader(from); ; {
		firstByte, err := r.ReadByte()
		if err != nil {
			return
		}
		packet, length := []byte{firstByte}, 0 // the length follows, with 7 bits in each byte
		for shift := 0; ; shift += 7 {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			packet, length = append(packet, b), length|int(b&0x7f)<<shift
			if b < 0x80 {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		for _, p := range replace(append(packet, body...)) {
			if _, err := to.Write(p); err != nil {
				return
			}
		}
	}
}

// TestUnansweredRequests tests a broker that does not answer SUBSCRIBE, UNSUBSCRIBE, or both. The bridge must publish values and announcements
// without losing its connection.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		style   discovery.Style
		dropped []byte // the packet types that do not arrive at the bridge
	}{
		{"no SUBACK", discovery.Device, []byte{packets.Suback}},
		{"no SUBACK, discovery off", discovery.Off, []byte{packets.Suback}},
		{"no UNSUBACK", discovery.Component, []byte{packets.Unsuback}},
		{"no SUBACK and no UNSUBACK", discovery.Component, []byte{packets.Suback, packets.Unsuback}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(dropPackets(t, b.addr, tt.dropped...))
			c.Style = tt.style
			h := run(t, c)
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			isPublished := func() bool {
				isAnnounced := tt.style == discovery.Off || retainsTopic(b.messages(), "/hanbridge_house/")
				return isAnnounced && retainsTopic(b.messages(), "hanbridge/house/import_power")
			}
			for limit := time.After(2 * time.Minute); !isPublished(); {
				select {
				case <-time.After(100 * time.Millisecond):
				case <-limit:
					t.Fatalf("no value or no announcement is retained after 2 minutes; log:\n%s", h.log.String())
				}
			}
			if got := b.connectionLog(); got != "connect" {
				t.Errorf("connections: got %q, want one connection that is not lost", got)
			}
			for _, text := range []string{"cannot detect the start of home assistant", "cannot detect that another client", "not all of this bridge's earlier"} {
				if got := h.logCount(text); got > 1 {
					t.Errorf("%d log lines with %q, want one at most:\n%s", got, text, h.log.String())
				}
			}
		})
	}
}

// TestCommandsWithoutSubscriptionAnswers tests that commands return an error that names the unanswered subscription, and also return the
// messages that arrived.
func TestCommandsWithoutSubscriptionAnswers(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	if err := b.Publish("hanbridge/house/import_power", []byte("1727"), true, 0); err != nil {
		t.Fatal(err)
	}
	got, err := mqtt.Retained(t.Context(), config(dropPackets(t, b.addr, packets.Suback)), "house")
	incomplete := new(mqtt.IncompleteError)
	if !errors.As(err, &incomplete) || !strings.Contains(incomplete.Reason, "has not answered the subscription") {
		t.Errorf("got %v, want an IncompleteError about the unanswered subscription", err)
	}
	if got := got["house"]["import_power"]; got != "1727" {
		t.Errorf("got %q, want the value that arrived without an answer", got)
	}
}
