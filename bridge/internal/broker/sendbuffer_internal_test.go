package broker

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A recordingConn records what is written in each call.
type recordingConn struct {
	net.Conn
	writes []string
	err    error // what Write returns; nil if it succeeds
}

func (c *recordingConn) Write(b []byte) (int, error) {
	c.writes = append(c.writes, string(b))
	return len(b), c.err
}

func (*recordingConn) SetWriteDeadline(time.Time) error { return nil }

func (*recordingConn) Close() error { return nil }

// TestSendBuffer tests which packets are written to the network together. A step that begins with p is a PUBLISH packet, and P is
// a PINGREQ packet. A number is a call of send.
func TestSendBuffer(t *testing.T) {
	large := "p" + strings.Repeat("x", sendBufferSize)
	for name, tc := range map[string]struct {
		steps, want []string
		sent        uint64
	}{
		"nothing is sent without a reason":           {[]string{"p1", "p2"}, nil, 0},
		"send after the last packet":                 {[]string{"p1", "p2", "2"}, []string{"p1p2"}, 2},
		"send before the last packet":                {[]string{"p1", "3", "p2", "p3", "p4"}, []string{"p1p2p3"}, 3},
		"send before a newer packet":                 {[]string{"p1", "1", "p2", "p3", "3"}, []string{"p1", "p2p3"}, 3},
		"send twice":                                 {[]string{"p1", "1", "1", "p2", "2", "2"}, []string{"p1", "p2"}, 2},
		"another packet goes out with those before":  {[]string{"p1", "p2", "P", "p3"}, []string{"p1p2P"}, 2},
		"another packet does not count for send":     {[]string{"2", "P", "p1", "P", "p2", "p3"}, []string{"P", "p1P", "p2"}, 2},
		"a full buffer":                              {[]string{"p1", large, "p3"}, []string{"p1" + large}, 2},
		"send for a packet that has filled a buffer": {[]string{"p1", "2", large, "p3", "3"}, []string{"p1" + large, "p3"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			conn, buffer := new(recordingConn), new(sendBuffer)
			for _, step := range tc.steps {
				if err := runStep(buffer, conn, step); err != nil {
					t.Fatalf("%.9s: %v", step, err)
				}
			}
			for i, w := range conn.writes {
				conn.writes[i] = strings.NewReplacer("\x30", "p", "\xc0", "P").Replace(w)
			}
			if diff := cmp.Diff(tc.want, conn.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if got := buffer.sent.Load(); got != tc.sent {
				t.Errorf("sent packets: got %d, want %d", got, tc.sent)
			}
		})
	}
}

// runStep runs a step of TestSendBuffer.
func runStep(buffer *sendBuffer, conn net.Conn, step string) error {
	switch packet := []byte(step); packet[0] {
	case 'p':
		packet[0] = 0x30
		return buffer.write(conn, packet)
	case 'P':
		packet[0] = 0xc0
		return buffer.write(conn, packet)
	default:
		return buffer.send(conn, uint64(packet[0]-'0'))
	}
}

// TestSendBufferAfterFailure tests that nothing is written after a failed write, because the failed write has possibly sent a part of a packet.
func TestSendBufferAfterFailure(t *testing.T) {
	broken := errors.New("broken")
	conn, buffer := &recordingConn{err: broken}, new(sendBuffer)
	for _, step := range []string{"p1", "1", "p2", "P", "2"} {
		if err := runStep(buffer, conn, step); step != "p1" && !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want %v", step, err, broken)
		}
	}
	if len(conn.writes) != 1 || buffer.sent.Load() != 0 {
		t.Errorf("got writes %q and %d sent packets, want one write and no sent packet", conn.writes, buffer.sent.Load())
	}
}

// TestFailedSendEndsConnection tests that the connection ends if Send, and not a goroutine of paho, writes to a broken network.
func TestFailedSendEndsConnection(t *testing.T) {
	c := &Conn{packets: newPacketConn(&recordingConn{err: errors.New("broken")}, nil, nil), ended: make(chan struct{})}
	c.target.Conflict, c.target.Capabilities = new(ConflictDetector), new(Capabilities)
	if _, err := c.packets.Write([]byte{0x30, 0}); err != nil {
		t.Fatal(err)
	}
	c.window.accepted = 1
	c.Send()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("Err: got %v, want the error of the write", err)
	}
}
