package broker

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A scriptedConn returns one of its packets in each Read, and then io.EOF.
type scriptedConn struct {
	recordingConn
	packets [][]byte
}

func (c *scriptedConn) Read(b []byte) (int, error) {
	if len(c.packets) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.packets[0])
	c.packets = c.packets[1:]
	return n, nil
}

var _ net.Conn = (*scriptedConn)(nil)

// TestPauseBeforeAcknowledgements tests that a packetConn pauses before a read while it expects a PUBACK, and at no other time.
func TestPauseBeforeAcknowledgements(t *testing.T) {
	puback := func(id byte) []byte { return []byte{0x40, 2, 0, id} }
	connack, publish, pingresp := []byte{0x20, 2, 0, 0}, []byte{0x30, 3, 0, 1, 'n'}, []byte{0xd0, 0}
	full := append([]byte{0x30, 0xfd, 0x1f, 0, 1, 'n'}, make([]byte, 4090)...) // a PUBLISH of 4096 bytes, which is the size of the read buffer
	for name, tc := range map[string]struct {
		sent       []byte // the first bytes of packets that are written before the reads
		received   [][]byte
		wantPauses time.Duration
	}{
		"nothing is sent":                    {nil, [][]byte{publish, pingresp}, 0},
		"QoS 0":                              {[]byte{0x30, 0x31}, [][]byte{publish, pingresp}, 0},
		"a PINGREQ":                          {[]byte{0xc0}, [][]byte{pingresp, publish}, 0},
		"QoS 1":                              {[]byte{0x32, 0x33}, [][]byte{puback(1), puback(2), publish}, 2},
		"QoS 1, acknowledgements in a read":  {[]byte{0x32, 0x33}, [][]byte{append(puback(1), puback(2)...), publish}, 1},
		"QoS 1, another message in between":  {[]byte{0x32}, [][]byte{publish, puback(1), publish}, 2},
		"QoS 1, more bytes wait":             {[]byte{0x32}, [][]byte{full, full, puback(1), publish}, 1},
		"a PUBACK that nobody has asked for": {nil, [][]byte{puback(1), publish}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := &scriptedConn{packets: append([][]byte{connack}, tc.received...)}
				l := newPacketConn(conn, func(error) {}, nil)
				if _, err := io.ReadFull(l, make([]byte, len(connack))); err != nil {
					t.Fatal(err)
				}
				for _, kind := range tc.sent {
					if _, err := l.Write([]byte{kind, 0}); err != nil {
						t.Fatal(err)
					}
				}
				if err := l.out.sendPassed(conn); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := io.Copy(io.Discard, l); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				if took, want := time.Since(began), tc.wantPauses*ackPause; took != want {
					t.Errorf("the reads took %v, want %v", took, want)
				}
			})
		})
	}
}

// TestAcknowledgementsAllocateNothing tests that a packetConn reads acknowledgements without an allocation.
func TestAcknowledgementsAllocateNothing(t *testing.T) {
	conn := new(scriptedConn)
	l := newPacketConn(conn, func(error) {}, nil)
	l.connackReceived = true
	puback, b, packets := []byte{0x40, 2, 0, 1}, make([]byte, 4), make([][]byte, 1)
	if got := testing.AllocsPerRun(100, func() {
		packets[0] = puback
		conn.packets = packets
		if _, err := io.ReadFull(l, b); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("got %v allocations for each acknowledgement, want none", got)
	}
}
