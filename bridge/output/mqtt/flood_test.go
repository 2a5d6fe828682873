package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFloodsAreRateLimited tests how the bridge reacts to ten thousand messages of another client. The bridge must publish its status and its
// announcements again, but at most twice on a fast machine. It must log at most one line.
func TestFloodsAreRateLimited(t *testing.T) {
	t.Parallel()
	const hubStatus, bridgeStatus = "homeassistant/status", "hanbridge/status"
	for _, tt := range []struct {
		name   string
		next   func(i int) (topic, payload string) // returns message i of the flood
		logged string                              // the text of the log line; "" if there is none
	}{
		{"offline under the bridge's status topic", func(int) (string, string) { return bridgeStatus, "offline" }, "another client published that this bridge is offline"},
		{"birth messages", func(int) (string, string) { return hubStatus, "online" }, ""},
		{"a hub that stops and starts", func(i int) (string, string) { return hubStatus, []string{"offline", "online"}[i%2] }, ""},
		{"birth messages, and offline under the bridge's status topic", func(i int) (string, string) {
			return []string{hubStatus, bridgeStatus}[i%2], []string{"online", "offline"}[i%2]
		},
			"another client published that this bridge is offline"},
		{"online and offline under the bridge's status topic", func(i int) (string, string) { return bridgeStatus, []string{"online", "offline"}[i%2] },
			"another client published that this bridge is offline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			h := run(t, config(b.addr))
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			b.awaitTelegram(t)
			h.awaitLog("announced to home assistant")
			// On a loaded machine the flood can interrupt the connection. The log lines about the connection do not count.
			logLines := func() int { return h.logCount("") - h.logCount("output interrupted") - h.logCount("mqtt connected") } // every line contains ""
			from, linesBefore, began := len(b.messages()), logLines(), time.Now()
			for i := range 10000 {
				topic, payload := tt.next(i)
				if err := b.Publish(topic, []byte(payload), false, 0); err != nil {
					t.Fatal(err)
				}
			}
			received := b.await(t, "online and the announcement again", func(all []message) bool {
				return countRetained(all[from:], bridgeStatus, "online") > 0 && index(all[from:], meterConfig, "") >= 0
			})[from:]
			maxAnswers := 2 + int(time.Since(began)/(5*time.Second)) // one more for each 5 s (minGap) of a slow machine
			if got := countRetained(received, bridgeStatus, "online"); got > maxAnswers {
				t.Errorf("the bridge published online again %d times, want %d at most", got, maxAnswers)
			}
			if got := countRetained(received, meterConfig, ""); got > maxAnswers {
				t.Errorf("the meter was announced again %d times, want %d at most", got, maxAnswers)
			}
			wantLines := 0
			if tt.logged != "" {
				wantLines = 1
			}
			if got := logLines() - linesBefore; got != wantLines {
				t.Errorf("%d log lines during the flood, want %d:\n%s", got, wantLines, h.log.String())
			}
			if tt.logged != "" && h.logCount(tt.logged) != 1 {
				t.Errorf("%d log lines with %q, want one:\n%s", h.logCount(tt.logged), tt.logged, h.log.String())
			}
		})
	}
}

// TestHubStartDuringFlood tests that the bridge publishes everything again even if another client publishes birth messages, or "offline" under
// the status topic of the bridge, without a pause.
func TestHubStartDuringFlood(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"homeassistant/status", "hanbridge/status"} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			h := run(t, config(b.addr))
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			from := len(b.awaitTelegram(t))
			payload := map[string]string{"homeassistant/status": "online", "hanbridge/status": "offline"}[topic]
			// await calls this function after each message, and the function then publishes another message. So the flood has no end.
			b.await(t, "everything again during the flood", func(all []message) bool {
				if countRetained(all[from:], "hanbridge/house/status", "online") > 0 {
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

// countRetained counts the retained messages under a topic with a payload, or with any payload if payload is empty. Only the bridge publishes
// retained messages in these tests.
func countRetained(all []message, topic, payload string) (n int) {
	for _, m := range all {
		if m.topic == topic && m.retain && (payload == "" || m.payload == payload) {
			n++
		}
	}
	return n
}

// TestRefusalsAreLoggedOnce tests that a refused subscription is logged once, although the broker refuses the subscription on each of three
// connections.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "h") // both hanbridge and homeassistant begin with h
	h := run(t, config(b.addr))
	m := newMeter(t, "aidon-se", time.Now())
	h.send(nextTelegram(m))
	for i := range 3 {
		b.await(t, fmt.Sprint("the status of the meter on connection ", i+1), func(all []message) bool { return countRetained(all, "hanbridge/house/status", "online") > i })
		b.disconnectPublishersOf("hanbridge/house/telegram")
		h.send(nextTelegram(m))
		b.await(t, "the connection ended", func([]message) bool { return strings.Count(b.connectionLog(), "disconnect") > i })
	}
	for _, text := range []string{"cannot detect the start of home assistant", "cannot detect that another client publishes", "not all of this bridge's earlier announcements are known"} {
		if got := h.logCount(text); got != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", text, got, h.log.String())
		}
	}
}
