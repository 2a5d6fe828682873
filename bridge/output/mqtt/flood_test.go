package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFloods: whatever another client says ten thousand times is answered once or twice, and is a line or two of the log.
func TestFloods(t *testing.T) {
	t.Parallel()
	const hub, own = "homeassistant/status", "hanbridge/status"
	for _, tt := range []struct {
		name   string
		say    func(i int) (topic, payload string)
		logged string // what the log says of it; "" for nothing
	}{
		{"offline on our status topic", func(int) (string, string) { return own, "offline" }, "somebody else said that this bridge is offline"},
		{"births", func(int) (string, string) { return hub, "online" }, ""},
		{"a hub that comes and goes", func(i int) (string, string) { return hub, []string{"offline", "online"}[i%2] }, ""},
		{"both", func(i int) (string, string) { return []string{hub, own}[i%2], []string{"online", "offline"}[i%2] },
			"somebody else said that this bridge is offline"},
		{"a second bridge that comes and goes", func(i int) (string, string) { return own, []string{"online", "offline"}[i%2] },
			"somebody else said that this bridge is offline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			h := run(t, config(b.addr))
			h.send(next(meterOf(t, "aidon-se", time.Now())))
			b.awaitTelegram(t)
			h.awaitSaid("announced to home assistant")
			before, lines, began := len(b.messages()), h.said(""), time.Now()
			for i := range 10000 {
				topic, payload := tt.say(i)
				if err := b.Publish(topic, []byte(payload), false, 0); err != nil {
					t.Fatal(err)
				}
			}
			heard := b.await(t, "an answer", func(all []message) bool {
				return byBridge(all[before:], own, "online") > 0 && index(all[before:], meterConfig, "") >= 0
			})[before:]
			most := 2 + int(time.Since(began)/(5*time.Second)) // a machine under load may have taken long
			if got := byBridge(heard, own, "online"); got > most {
				t.Errorf("said online %d times, want %d at most", got, most)
			}
			if got := byBridge(heard, meterConfig, ""); got > most {
				t.Errorf("announced %d times, want %d at most", got, most)
			}
			if got, want := h.said("")-lines, 1; tt.logged == "" && got != 0 || got > want || tt.logged != "" && h.said(tt.logged) != 1 {
				t.Errorf("%d lines more in the log, want one of %q at most:\n%s", got, tt.logged, h.log.String())
			}
		})
	}
}

// TestFloodWithoutEnd: while another client keeps publishing, the bridge still publishes everything again for a hub that has started.
func TestFloodWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"homeassistant/status", "hanbridge/status"} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			h := run(t, config(b.addr))
			h.send(next(meterOf(t, "aidon-se", time.Now())))
			before := len(b.awaitTelegram(t))
			payload := map[string]string{"homeassistant/status": "online", "hanbridge/status": "offline"}[topic]
			b.await(t, "an answer while it goes on", func(all []message) bool { // called with each message that is heard
				if byBridge(all[before:], "hanbridge/house/status", "online") > 0 {
					return true
				}
				if err := b.Publish(topic, []byte(payload), false, 0); err != nil {
					t.Error(err)
				}
				<-time.After(10 * time.Millisecond)
				return false
			})
		})
	}
}

// byBridge counts the retained messages under a topic. The bridge publishes retained; the floods of these tests do not.
func byBridge(all []message, topic, payload string) (n int) {
	for _, m := range all {
		if m.topic == topic && m.retain && (payload == "" || m.payload == payload) {
			n++
		}
	}
	return n
}

// TestRefusalsAreLoggedOnce: a broker that lets nobody read, and ends the connection again and again.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	b := listen(t, "127.0.0.1:0", "h") // hanbridge, homeassistant
	h := run(t, config(b.addr))
	m := meterOf(t, "aidon-se", time.Now())
	h.send(next(m))
	for i := range 3 {
		b.await(t, fmt.Sprint("a telegram over connection ", i+1), func(all []message) bool { return byBridge(all, "hanbridge/house/status", "online") > i })
		b.drop("hanbridge/house/telegram")
		h.send(next(m))
		b.await(t, "the connection ended", func([]message) bool { return strings.Count(b.visits(), "disconnect") > i })
	}
	for _, text := range []string{"cannot hear when home assistant starts", "cannot hear when somebody else says", "not all of this bridge's earlier announcements are known"} {
		if got := h.said(text); got != 1 {
			t.Errorf("%q: %d times, want once:\n%s", text, got, h.log.String())
		}
	}
}
