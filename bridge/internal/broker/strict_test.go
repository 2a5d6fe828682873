package broker_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// A strictBroker closes the connection at a message that it does not accept, as Mosquitto does with MQTT 3.1.1.
type strictBroker struct {
	rules

	mu       sync.Mutex
	logins   int
	accepted []string          // topics of the accepted messages, in order
	retained map[string][]byte // payloads by topic
}

// rules describe what a strictBroker does not accept.
type rules struct {
	maxPacket  int    // the size of the largest packet that the broker accepts, in bytes; 0 for no limit
	noRetain   bool   // the broker closes the connection at a retained message or will
	noMQTT5    bool   // the broker does not support MQTT 5, so it cannot state its limits
	forbidden  string // the broker closes the connection at a message with exactly this topic; "" for none
	noSuback   bool   // the broker does not answer subscriptions
	dropsLarge bool   // the broker acknowledges and drops packets above maxPacket, instead of closing the connection
}

// start runs the broker until the end of the test.
func (s *strictBroker) start(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.retained = map[string][]byte{}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = l.Close() })
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			running.Go(func() { s.serve(c) })
		}
	})
	return "mqtt://" + l.Addr().String()
}

// serve answers the packets of a client until the connection ends.
func (s *strictBroker) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in, subscribed := bufio.NewReader(c), map[string]bool{}
	for {
		kind, body, err := s.read(in)
		if err != nil {
			return
		}
		answer, keepOpen := s.answer(kind, body, subscribed)
		if !keepOpen {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// read reads a packet. kind is its first byte, and body is what follows its length.
func (s *strictBroker) read(in *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(in)
	if err != nil || s.tooLarge(int(n)+2) { // the first byte and the length of the packet take 2 bytes or more
		return 0, nil, io.ErrShortBuffer
	}
	body = make([]byte, n)
	_, err = io.ReadFull(in, body)
	return kind, body, err
}

// tooLarge reports whether the broker closes the connection at a packet of size bytes.
func (s *strictBroker) tooLarge(size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxPacket > 0 && !s.dropsLarge && size > s.maxPacket
}

// answer returns what the broker sends after a packet, and whether the connection remains open. subscribed holds the topics to which the
// client has subscribed.
func (s *strictBroker) answer(kind byte, body []byte, subscribed map[string]bool) (answer []byte, keepOpen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind >> 4 {
	case 1: // CONNECT
		return s.login(body)
	case 8, 10: // SUBSCRIBE, UNSUBSCRIBE
		if s.noSuback {
			return nil, true
		}
		return s.subscribe(kind, body, subscribed), true
	case 3: // PUBLISH
		return s.publish(kind, body, subscribed)
	case 12: // PINGREQ
		return []byte{0xd0, 0}, true
	}
	return nil, kind>>4 != 14 // DISCONNECT
}

// publish records a message that the rules accept. It returns what the broker sends, and whether the connection remains open.
func (s *strictBroker) publish(kind byte, body []byte, subscribed map[string]bool) (answer []byte, keepOpen bool) {
	topicEnd := 2 + int(binary.BigEndian.Uint16(body))
	topic, payload := string(body[2:topicEnd]), body[topicEnd:]
	if topic == s.forbidden || s.noRetain && kind&1 != 0 {
		return nil, false
	}
	if kind&0x06 != 0 { // QoS 1: a packet identifier follows the topic
		payload, answer = body[topicEnd+2:], []byte{0x40, 2, body[topicEnd], body[topicEnd+1]}
	}
	if s.maxPacket > 0 && len(body)+2 > s.maxPacket { // only with dropsLarge; otherwise the connection has ended already
		return answer, true
	}
	s.accepted = append(s.accepted, topic)
	if kind&1 != 0 { // the retain flag
		s.retained[topic] = payload
	}
	if subscribed[topic] {
		answer = append(answer, publication(topic, 0, payload)...)
	}
	return answer, true
}

// subscribe returns the acknowledgement of a SUBSCRIBE or UNSUBSCRIBE, and after a SUBSCRIBE also the retained message of the topic.
func (s *strictBroker) subscribe(kind byte, body []byte, subscribed map[string]bool) (answer []byte) {
	if kind>>4 == 10 { // UNSUBSCRIBE
		return []byte{0xb0, 2, body[0], body[1]}
	}
	topic := string(body[4 : 4+binary.BigEndian.Uint16(body[2:])])
	subscribed[topic] = true
	answer = []byte{0x90, 3, body[0], body[1], 1}
	if payload := s.retained[topic]; len(payload) > 0 {
		packet := publication(topic, 0, payload)
		packet[0] |= 1 // the retain flag
		answer = append(answer, packet...)
	}
	return answer
}

// login accepts a client, unless the rules forbid its protocol version or its retained will. With MQTT 5 the CONNACK states the limits.
func (s *strictBroker) login(body []byte) (answer []byte, keepOpen bool) {
	s.logins++
	version, flags := body[6], body[7] // after the protocol name "MQTT" and its length
	if version == 5 {
		if s.noMQTT5 {
			return nil, false
		}
		// The client must skip a topic alias maximum, an assigned client id and a user property before the limits.
		properties := []byte{0x22, 0, 10, 0x12, 0, 2, 'i', 'd', 0x26, 0, 1, 'a', 0, 1, 'b'}
		if s.noRetain {
			properties = append(properties, 0x25, 0) // retain available
		}
		if s.maxPacket > 0 {
			properties = binary.BigEndian.AppendUint32(append(properties, 0x27), uint32(s.maxPacket)) // maximum packet size
		}
		connack := append([]byte{0, 0, byte(len(properties))}, properties...)
		return append([]byte{0x20, byte(len(connack))}, connack...), true
	}
	if s.noRetain && flags&0x20 != 0 { // the retain flag of the will
		return nil, false
	}
	return []byte{0x20, 2, 0, 0}, true
}

// topics returns the topics of the accepted messages.
func (s *strictBroker) topics() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.accepted, " ")
}

// deliver publishes the messages and then a message under the topic "end". It tries again, on at most maxConnections connections,
// until each message is accepted by the broker or refused by Publish. It returns the refusals of the last connection.
func deliver(t *testing.T, c broker.Config, maxConnections int, messages ...broker.Message) (refused []error) {
	t.Helper()
	for range maxConnections {
		conn := dial(t, c)
		var err error
		refused = nil
		for _, m := range append(messages, broker.Message{Topic: "end", QoS: 1}) {
			if err = conn.Publish(m); err != nil {
				if _, ok := err.(*broker.RefusedError); !ok { //nolint:errorlint // it is not wrapped
					break
				}
				refused, err = append(refused, err), nil
			}
		}
		if err == nil {
			err = conn.Flush(t.Context())
		}
		if err == nil {
			return refused
		}
		t.Log(err)
		<-conn.Lost()
	}
	t.Fatalf("the messages were not delivered on %d connections", maxConnections)
	return nil
}

// TestRefusedMessagesDoNotBlockOthers tests that the other messages arrive within a few connections if the broker does not accept one message.
func TestRefusedMessagesDoNotBlockOthers(t *testing.T) {
	small := broker.Message{Topic: "power", Payload: []byte("1727"), QoS: 1}
	retained := broker.Message{Topic: "status", Payload: []byte("online"), QoS: 1, Retain: true}
	large := broker.Message{Topic: "config", Payload: bytes.Repeat([]byte("x"), 13_000), QoS: 1, Retain: true} // a packet of 13013 bytes
	medium := broker.Message{Topic: "telegram", Payload: bytes.Repeat([]byte("x"), 900), QoS: 1}               // a packet of 915 bytes
	forbidden := broker.Message{Topic: "secret", Payload: []byte("1"), QoS: 1}
	withQoS0 := func(m broker.Message) broker.Message { m.QoS = 0; return m }
	for name, tc := range map[string]struct {
		rules          rules
		messages       []broker.Message
		maxConnections int
		want           string // the last accepted topics, before "end"
		refused        string // part of a refusal; "" if nothing is refused
	}{
		"limit":                                {rules{maxPacket: 2048}, []broker.Message{retained, large, small}, 2, "power", "takes packets of 2048 bytes at most, and config needs 13013"},
		"limit, QoS 0":                         {rules{maxPacket: 2048}, []broker.Message{withQoS0(retained), withQoS0(large), withQoS0(small)}, 3, "power", "takes packets of 2048 bytes at most"},
		"limit below the telegram":             {rules{maxPacket: 512}, []broker.Message{small, medium, retained}, 2, "status", "and telegram needs 915"},
		"limit, no MQTT 5":                     {rules{maxPacket: 2048, noMQTT5: true}, []broker.Message{retained, large, small}, 2, "power", "ends the connection at a packet of 13013 bytes"},
		"limit, two sizes above it, no MQTT 5": {rules{maxPacket: 512, noMQTT5: true}, []broker.Message{large, medium, small}, 3, "power", "and telegram needs 915"},
		"no retain":                            {rules{noRetain: true}, []broker.Message{retained, large, small}, 1, "status config power", ""},
		"no retain, no MQTT 5":                 {rules{noRetain: true, noMQTT5: true}, []broker.Message{retained, large, small}, 1, "status config power", ""},
		"no retain, QoS 0":                     {rules{noRetain: true, noMQTT5: true}, []broker.Message{withQoS0(retained), small}, 1, "status power", ""},
		"forbidden topic":                      {rules{forbidden: "secret"}, []broker.Message{retained, forbidden, small}, 4, "power", "whenever something is published under secret"},
		"forbidden topic, no MQTT 5":           {rules{forbidden: "secret", noMQTT5: true}, []broker.Message{retained, large, forbidden, small}, 4, "config power", "under secret"},
		"forbidden topic, no retain":           {rules{forbidden: "secret", noRetain: true}, []broker.Message{retained, forbidden, small}, 4, "power", "under secret"},
		"limit, no retain, no MQTT 5":          {rules{maxPacket: 2048, noRetain: true, noMQTT5: true}, []broker.Message{retained, large, small}, 2, "power", "at a packet of 13013 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &strictBroker{rules: tc.rules}
			c := config(b.start(t))
			c.Capabilities, c.Conflict, c.TestTopic = new(broker.Capabilities), new(broker.ConflictDetector), "test"
			refused := deliver(t, c, tc.maxConnections, tc.messages...)
			if got := b.topics(); !strings.HasSuffix(got, tc.want+" end") {
				t.Errorf("accepted topics: got %q, want %q last", got, tc.want)
			}
			text := ""
			for _, err := range refused {
				text += err.Error() + "\n"
			}
			unexpected := tc.refused == "" && text != ""
			if unexpected || !strings.Contains(text, tc.refused) {
				t.Errorf("refused: got %q, want %q in it", text, tc.refused)
			}
			b.mu.Lock()
			firstLogins := b.logins
			b.mu.Unlock()
			deliver(t, c, 1, tc.messages...)
			if got := b.logins - firstLogins; got > 3 { // the login, the query of the limits and the second connection
				t.Errorf("the next connection took %d logins, want 3 at most", got)
			}
		})
	}
}

// TestRaisedLimits tests that a message that was too large is sent after the broker has raised its limit.
func TestRaisedLimits(t *testing.T) {
	large := broker.Message{Topic: "config", Payload: bytes.Repeat([]byte("x"), 13_000), QoS: 1}
	b := &strictBroker{rules: rules{maxPacket: 2048}}
	c := config(b.start(t))
	c.Capabilities = new(broker.Capabilities)
	if refused := deliver(t, c, 2, large); len(refused) != 1 {
		t.Fatalf("refused: got %v, want one error about the large message", refused)
	}
	b.mu.Lock()
	b.maxPacket = 0
	b.mu.Unlock()
	if refused := deliver(t, c, 1, large); len(refused) != 0 || b.topics() != "end config end" {
		t.Errorf("got refused %v and accepted topics %q, want the large message accepted", refused, b.topics())
	}
}

// TestCheckFindsLimits tests that Check reports each packet size that the broker does not accept, and whether it retains messages.
func TestCheckFindsLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		rules rules
		want  []string // parts of the refusals: of 16384 bytes first, and of 1024 bytes second
	}{
		"no limit":                          {rules{}, nil},
		"limit":                             {rules{maxPacket: 2048}, []string{"takes packets of 2048 bytes at most"}},
		"limit, no MQTT 5":                  {rules{maxPacket: 2048, noMQTT5: true}, []string{"ends the connection at a packet of 16384 bytes"}},
		"limit, drops packets, no MQTT 5":   {rules{maxPacket: 2048, noMQTT5: true, dropsLarge: true}, []string{"packets of 16384 bytes and does not deliver them"}},
		"limit below both sizes":            {rules{maxPacket: 700}, []string{"of 700 bytes at most, and an announcement needs 16384", "needs 1024"}},
		"limit below both sizes, no MQTT 5": {rules{maxPacket: 700, noMQTT5: true}, []string{"at a packet of 16384", "at a packet of 1024 bytes"}},
		"no retain, no MQTT 5":              {rules{noRetain: true, noMQTT5: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := broker.Check(t.Context(), config((&strictBroker{rules: tc.rules}).start(t)), []int{16384, 1024}, "test")
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Refused) != len(tc.want) {
				t.Fatalf("refused packet sizes: got %v, want %d of them", report.Refused, len(tc.want))
			}
			for i, want := range tc.want {
				if got := report.Refused[i].Error(); !strings.Contains(got, want) {
					t.Errorf("refusal %d: got %q, want %q in it", i, got, want)
				}
			}
			if report.RetainAvailable != !tc.rules.noRetain {
				t.Errorf("RetainAvailable: got %v, want %v", report.RetainAvailable, !tc.rules.noRetain)
			}
		})
	}
}

// TestDropsSilently tests that DropsSilently detects only a broker that drops large packets, and that later connections then refuse such
// packets.
func TestDropsSilently(t *testing.T) {
	large := broker.Message{Topic: "config", Payload: make([]byte, 4000), QoS: 1}
	for name, tc := range map[string]struct {
		rules rules
		want  bool
	}{
		"drops above the limit":    {rules{maxPacket: 2048, dropsLarge: true}, true},
		"no limit":                 {rules{}, false},
		"closes above the limit":   {rules{maxPacket: 2048}, false},
		"closes at the test topic": {rules{forbidden: "test", dropsLarge: true, maxPacket: 2048}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config((&strictBroker{rules: tc.rules}).start(t))
			c.Capabilities, c.TestTopic = new(broker.Capabilities), "test"
			if got := dial(t, c).DropsSilently(t.Context(), 4000); got != tc.want {
				t.Errorf("DropsSilently: got %v, want %v", got, tc.want)
			}
			if err := dial(t, c).CheckMessage(large); (err != nil) != tc.want {
				t.Errorf("CheckMessage on the next connection: got %v, want an error: %v", err, tc.want)
			}
		})
	}
}
