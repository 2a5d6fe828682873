//go:build linux

package cost_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A telegramCounter counts the telegrams of a fleet at a subscriber.
type telegramCounter struct {
	mu         sync.Mutex
	meters     map[string]*meterCount // by id
	onlineLeft int                    // the number of meters that were never online
	onlineAt   time.Time              // when onlineLeft became 0
	newestAt   time.Time              // when the last telegram arrived
	received   int                    // the number of telegrams
	dropped    string                 // the number of messages that the broker reports as dropped
	misplaced  int                    // the number of telegrams whose seq is not above that of the telegram before
}

type meterCount struct {
	online  bool
	seq     uint64         // of the last telegram
	arrived map[int64]bool // by the meter's time in the telegram, in Unix seconds
}

// fleetBroker starts a Mosquitto that drops no message for a subscriber that is slow for a moment.
func fleetBroker(b *testing.B) *testbed.Mosquitto {
	b.Helper()
	return testbed.StartMosquitto(b, "allow_anonymous true", "max_queued_messages 0", "max_queued_bytes 0", "sys_interval 1")
}

// droppedTopic is the topic on which Mosquitto publishes the number of messages that it did not deliver to a subscriber (mosquitto(8)).
const droppedTopic = "$SYS/broker/publish/messages/dropped"

// countTelegrams subscribes to the telegrams and the states of n meters.
func countTelegrams(b *testing.B, address string, n int) *telegramCounter {
	b.Helper()
	c := &telegramCounter{meters: map[string]*meterCount{}, onlineLeft: n}
	for i := range n {
		c.meters[fmt.Sprint("m", i)] = &meterCount{arrived: map[int64]bool{}}
	}
	client := testbed.Connect(b, address, "", "")
	client.Subscribe("hanbridge/+/telegram")
	client.Subscribe("hanbridge/+/status")
	for _, m := range client.Subscribe(droppedTopic) {
		c.add(m)
	}
	go func() {
		for {
			m, err := client.Next()
			if err != nil {
				return // the benchmark has ended the broker
			}
			c.add(m)
		}
	}()
	return c
}

// add counts a message.
func (c *telegramCounter) add(message testbed.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if message.Topic == droppedTopic {
		c.dropped = message.Payload
		return
	}
	levels := strings.Split(message.Topic, "/") // hanbridge/<meter>/telegram
	m := c.meters[levels[1]]
	if m == nil {
		return // the state of the bridge
	}
	if levels[2] == "status" {
		if message.Payload == "online" && !m.online {
			m.online = true
			if c.onlineLeft--; c.onlineLeft == 0 {
				c.onlineAt = time.Now()
			}
		}
		return
	}
	var telegram struct {
		Seq  uint64    `json:"seq"`
		Time time.Time `json:"meter_time"`
	}
	if err := json.Unmarshal([]byte(message.Payload), &telegram); err != nil || telegram.Seq <= m.seq {
		c.misplaced++
	}
	m.seq = max(m.seq, telegram.Seq)
	m.arrived[telegram.Time.Unix()] = true
	c.received++
	c.newestAt = time.Now()
}

// onlineSince returns when the last meter became online; zero if a meter was never online.
func (c *telegramCounter) onlineSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.onlineAt
}

// progress returns the number of telegrams that arrived, and when the last one arrived.
func (c *telegramCounter) progress() (received int, newest time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received, c.newestAt
}

// lost returns the numbers of telegrams that were sent and did not arrive: of those that were due before the time until, and of the others.
func (c *telegramCounter) lost(f *fleet, until time.Time) (before, after int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range f.meters {
		for second := range m.sent {
			due := f.begin.Add(time.Duration(second) * time.Second)
			switch arrived := c.meters[fmt.Sprint("m", i)].arrived[due.Unix()]; {
			case arrived:
			case due.Before(until):
				before++
			default:
				after++
			}
		}
	}
	return before, after
}
