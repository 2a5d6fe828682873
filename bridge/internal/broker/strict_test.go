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

	mu     sync.Mutex
	logins int
	got    []string // the topics of accepted messages
	kept   map[string][]byte
}

// rules say what a strictBroker does not accept.
type rules struct {
	maxPacket int    // of a packet, in bytes; 0 for no limit
	noRetain  bool   // it closes the connection at a retained message or will
	noMQTT5   bool   // it does not support MQTT 5, with which it would state its limits
	forbidden string // a topic
	noSuback  bool   // it answers no subscription
	drops     bool   // it acknowledges packets that are too large, and drops them
}

func (s *strictBroker) start(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.kept = map[string][]byte{}
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	t.Cleanup(func() { _ = l.Close() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			all.Go(func() { s.serve(c) })
		}
	})
	return "mqtt://" + l.Addr().String()
}

func (s *strictBroker) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in, subscribed := bufio.NewReader(c), map[string]bool{}
	for {
		kind, body, err := s.read(in)
		if err != nil {
			return
		}
		answer, ok := s.answer(kind, body, subscribed)
		if !ok {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func (s *strictBroker) read(in *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(in)
	if err != nil || s.tooLarge(int(n)+2) {
		return 0, nil, io.ErrShortBuffer
	}
	body = make([]byte, n)
	_, err = io.ReadFull(in, body)
	return kind, body, err
}

func (s *strictBroker) tooLarge(size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxPacket > 0 && !s.drops && size > s.maxPacket
}

// answer returns the broker's answer to a packet, and whether the connection remains.
func (s *strictBroker) answer(kind byte, body []byte, subscribed map[string]bool) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind >> 4 {
	case 1:
		return s.login(body)
	case 8, 10:
		if s.noSuback {
			return nil, true
		}
		return s.subscribe(kind, body, subscribed), true
	case 3:
		return s.publish(kind, body, subscribed)
	case 12:
		return []byte{0xd0, 0}, true
	}
	return nil, kind>>4 != 14
}

func (s *strictBroker) publish(kind byte, body []byte, subscribed map[string]bool) (says []byte, lives bool) {
	n := 2 + int(binary.BigEndian.Uint16(body))
	topic, payload := string(body[2:n]), body[n:]
	if topic == s.forbidden || s.noRetain && kind&1 != 0 {
		return nil, false
	}
	if kind&0x06 != 0 {
		payload, says = body[n+2:], []byte{0x40, 2, body[n], body[n+1]}
	}
	if s.maxPacket > 0 && len(body)+2 > s.maxPacket {
		return says, true
	}
	s.got = append(s.got, topic)
	if kind&1 != 0 {
		s.kept[topic] = payload
	}
	if subscribed[topic] {
		says = append(says, publication(topic, 0, payload)...)
	}
	return says, true
}

func (s *strictBroker) subscribe(kind byte, body []byte, subscribed map[string]bool) (says []byte) {
	if kind>>4 == 10 {
		return []byte{0xb0, 2, body[0], body[1]}
	}
	topic := string(body[4 : 4+binary.BigEndian.Uint16(body[2:])])
	subscribed[topic] = true
	says = []byte{0x90, 3, body[0], body[1], 1}
	if payload := s.kept[topic]; len(payload) > 0 {
		kept := publication(topic, 0, payload)
		kept[0] |= 1
		says = append(says, kept...)
	}
	return says
}

func (s *strictBroker) login(body []byte) ([]byte, bool) {
	s.logins++
	version, flags := body[6], body[7]
	if version == 5 {
		if s.noMQTT5 {
			return nil, false
		}
		properties := []byte{0x22, 0, 10, 0x12, 0, 2, 'i', 'd', 0x26, 0, 1, 'a', 0, 1, 'b'}
		if s.noRetain {
			properties = append(properties, 0x25, 0)
		}
		if s.maxPacket > 0 {
			properties = binary.BigEndian.AppendUint32(append(properties, 0x27), uint32(s.maxPacket))
		}
		says := append([]byte{0, 0, byte(len(properties))}, properties...)
		return append([]byte{0x20, byte(len(says))}, says...), true
	}
	if s.noRetain && flags&0x20 != 0 {
		return nil, false
	}
	return []byte{0x20, 2, 0, 0}, true
}

func (s *strictBroker) topics() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, " ")
}

// deliver publishes all messages, on several connections, until each was accepted by the broker or refused by CheckMessage. It returns the
// refusals.
func deliver(t *testing.T, c broker.Config, most int, all ...broker.Message) (refused []error) {
	t.Helper()
	for range most {
		conn := dial(t, c)
		var err error
		refused = nil
		for _, m := range append(all, broker.Message{Topic: "end", QoS: 1}) {
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
	t.Fatalf("not delivered on %d connections", most)
	return nil
}

// TestRefusedMessagesDoNotBlockOthers tests that all other messages arrive, after a few connections at most, whatever the broker does not
// accept.
func TestRefusedMessagesDoNotBlockOthers(t *testing.T) {
	small, kept := broker.Message{Topic: "v", Payload: []byte("1727"), QoS: 1}, broker.Message{Topic: "s", Payload: []byte("online"), QoS: 1, Retain: true}
	large := broker.Message{Topic: "config", Payload: bytes.Repeat([]byte("x"), 13_000), QoS: 1, Retain: true}
	middle := broker.Message{Topic: "telegram", Payload: bytes.Repeat([]byte("x"), 900), QoS: 1}
	forbidden := broker.Message{Topic: "secret", Payload: []byte("1"), QoS: 1}
	loose := func(m broker.Message) broker.Message { m.QoS = 0; return m }
	for name, tc := range map[string]struct {
		broker  rules
		all     []broker.Message
		most    int // connections
		want    string
		refused string
	}{
		"a limit that it tells":         {rules{maxPacket: 2048}, []broker.Message{kept, large, small}, 2, "v", "takes packets of 2048 bytes at most, and config needs 13013"},
		"a limit, quality 0":            {rules{maxPacket: 2048}, []broker.Message{loose(kept), loose(large), loose(small)}, 3, "v", "takes packets of 2048 bytes at most"},
		"a limit below the telegram":    {rules{maxPacket: 512}, []broker.Message{small, middle, kept}, 2, "s", "and telegram needs 915"},
		"a limit that it does not tell": {rules{maxPacket: 2048, noMQTT5: true}, []broker.Message{kept, large, small}, 2, "v", "ends the connection at a packet of 13013 bytes"},
		"two sizes above it":            {rules{maxPacket: 512, noMQTT5: true}, []broker.Message{large, middle, small}, 3, "v", "and telegram needs 915"},
		"nothing retained":              {rules{noRetain: true}, []broker.Message{kept, large, small}, 1, "s config v", ""},
		"nothing retained, not told":    {rules{noRetain: true, noMQTT5: true}, []broker.Message{kept, large, small}, 1, "s config v", ""},
		"nothing retained, quality 0":   {rules{noRetain: true, noMQTT5: true}, []broker.Message{loose(kept), small}, 1, "s v", ""},
		"a topic":                       {rules{forbidden: "secret"}, []broker.Message{kept, forbidden, small}, 4, "v", "whenever something is published under secret"},
		"a topic, not asked":            {rules{forbidden: "secret", noMQTT5: true}, []broker.Message{kept, large, forbidden, small}, 4, "config v", "under secret"},
		"a topic, and nothing retained": {rules{forbidden: "secret", noRetain: true}, []broker.Message{kept, forbidden, small}, 4, "v", "under secret"},
		"a limit, and nothing retained": {rules{maxPacket: 2048, noRetain: true, noMQTT5: true}, []broker.Message{kept, large, small}, 2, "v", "at a packet of 13013 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &strictBroker{rules: tc.broker}
			c := config(b.start(t))
			c.Capabilities, c.Conflict, c.TestTopic = new(broker.Capabilities), new(broker.ConflictDetector), "spare"
			refused := deliver(t, c, tc.most, tc.all...)
			if got := b.topics(); !strings.HasSuffix(got, tc.want+" end") {
				t.Errorf("taken: got %q, want at the end %q", got, tc.want)
			}
			text := ""
			for _, err := range refused {
				text += err.Error() + "\n"
			}
			if tc.refused == "" && text != "" || !strings.Contains(text, tc.refused) {
				t.Errorf("refused: got %q, want %q in it", text, tc.refused)
			}
			b.mu.Lock()
			before := b.logins
			b.mu.Unlock()
			if deliver(t, c, 1, tc.all...); b.logins > before+3 {
				t.Errorf("the next connection took %d logins, want 3 at most: itself, a question, the second connection", b.logins-before)
			}
		})
	}
}

// TestRaisedLimits tests that everything is sent again to a broker whose limits were raised.
func TestRaisedLimits(t *testing.T) {
	large := broker.Message{Topic: "config", Payload: bytes.Repeat([]byte("x"), 13_000), QoS: 1}
	b := &strictBroker{rules: rules{maxPacket: 2048}}
	c := config(b.start(t))
	c.Capabilities = new(broker.Capabilities)
	if refused := deliver(t, c, 2, large); len(refused) != 1 {
		t.Fatalf("refused: %v, want the large message", refused)
	}
	b.mu.Lock()
	b.maxPacket = 0
	b.mu.Unlock()
	if refused := deliver(t, c, 1, large); len(refused) != 0 || b.topics() != "end config end" {
		t.Errorf("refused: %v, taken: %q; want the large message taken", refused, b.topics())
	}
}

func TestCheckFindsLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		rule rules
		want []string // in each refusal
	}{
		"all":             {rules{}, nil},
		"a limit":         {rules{maxPacket: 2048}, []string{"takes packets of 2048 bytes at most"}},
		"one not told":    {rules{maxPacket: 2048, noMQTT5: true}, []string{"ends the connection at a packet of 16384 bytes"}},
		"one that drops":  {rules{maxPacket: 2048, noMQTT5: true, drops: true}, []string{"packets of 16384 bytes and does not deliver them"}},
		"a very low one":  {rules{maxPacket: 700}, []string{"of 700 bytes at most, and an announcement needs 16384", "needs 1024"}},
		"low, not told":   {rules{maxPacket: 700, noMQTT5: true}, []string{"at a packet of 16384", "at a packet of 1024 bytes"}},
		"none, no retain": {rules{noRetain: true, noMQTT5: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := broker.Check(t.Context(), config((&strictBroker{rules: tc.rule}).start(t)), []int{16384, 1024}, "spare")
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Refused) != len(tc.want) {
				t.Fatalf("refused: got %v, want %d", report.Refused, len(tc.want))
			}
			for i, want := range tc.want {
				if got := report.Refused[i].Error(); !strings.Contains(got, want) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
			if report.RetainAvailable != !tc.rule.noRetain {
				t.Errorf("retains: got %v", report.RetainAvailable)
			}
		})
	}
}

// TestDropsSilently tests that messages above a size that the broker drops are not sent again. A topic whose messages are dropped is no such
// case.
func TestDropsSilently(t *testing.T) {
	large := broker.Message{Topic: "config", Payload: make([]byte, 4000), QoS: 1}
	for name, tc := range map[string]struct {
		rule rules
		want bool
	}{
		"a limit that drops":  {rules{maxPacket: 2048, drops: true}, true},
		"no limit":            {rules{}, false},
		"a limit that closes": {rules{maxPacket: 2048}, false},
		"the topic is closed": {rules{forbidden: "spare", drops: true, maxPacket: 2048}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config((&strictBroker{rules: tc.rule}).start(t))
			c.Capabilities, c.TestTopic = new(broker.Capabilities), "spare"
			if got := dial(t, c).DropsSilently(t.Context(), 4000); got != tc.want {
				t.Errorf("drops: got %v, want %v", got, tc.want)
			}
			if err := dial(t, c).CheckMessage(large); (err != nil) != tc.want {
				t.Errorf("the next connection: got %v, want a refusal: %v", err, tc.want)
			}
		})
	}
}
