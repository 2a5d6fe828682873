//go:build linux

package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestUnexpectedMessages tests the program at a Mosquitto on which other clients publish messages that only the bridge or the hub should
// publish.
func TestUnexpectedMessages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"many offline messages": func(t *testing.T) {
			testFlood(t, "hanbridge/status", "offline", "another client published that this bridge is offline")
		},
		"many birth messages":    func(t *testing.T) { testFlood(t, "homeassistant/status", "online", "") },
		"too many announcements": testTooManyRetained,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testFlood publishes one message ten thousand times. The bridge must publish its status again only a few times. If logged is not empty, the
// bridge must log this text once.
func testFlood(t *testing.T, topic, payload, logged string) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	run.AwaitOutput("announced to home assistant")
	linesBefore := strings.Count(run.Output(), "\n")
	messages.Reset()
	start := time.Now()
	broker.Publish(slices.Repeat([]testbed.Message{{Topic: topic, Payload: payload}}, 10_000)...)
	messages.AwaitMessage("hanbridge/house/status", "online") // the last message when the bridge publishes everything again
	maxOnline := 2 + int(time.Since(start)/(5*time.Second))   // once for the first message, and then once in each started 5 s
	if got := strings.Count(messages.Text(), "\nhanbridge/status online\n"); got > maxOnline {
		t.Errorf("published online %d times, want %d at most", got, maxOnline)
	}
	if got := strings.Count(run.Output(), "\n") - linesBefore; got > 2 {
		t.Errorf("log lines after the start of the flood: got %d, want 2 at most", got)
	}
	if logged != "" {
		run.RequireOutputOnce(logged)
	}
	if got := broker.Retained()["hanbridge/status"]; got != "online" {
		t.Errorf("status after the flood: got %q, want online", got)
	}
	run.Stop(syscall.SIGTERM)
}

// testTooManyRetained retains more announcements of the meter than the program reads. The bridge must publish values and announcements. The log
// and the discovery commands must report that not all retained announcements were read.
func testTooManyRetained(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	var announcements []testbed.Message
	for i := range 52_000 { // the program reads at most 50 000
		announcements = append(announcements, testbed.Message{Topic: fmt.Sprintf("homeassistant/sensor/hanbridge_house/x%d/config", i), Payload: "{}", Retained: true})
	}
	broker.Publish(announcements...)
	messages := broker.LogMessages()
	variables := []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_ID=house"}
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "status and announcement of the house", func() bool {
		return messages.Last()["hanbridge/house/status"] == "online" && messages.Last()["homeassistant/device/hanbridge_house/config"] != ""
	})
	run.RequireOutputOnce("not all of this bridge's earlier announcements are known")
	run.Stop(syscall.SIGTERM)
	for _, command := range []string{"diff", "show", "clear"} {
		p := testbed.Hanbridge(t, variables, "discovery", command)
		if code := p.ExitCode(); code != 1 || !strings.Contains(p.Output(), "not all that mqtt://127.0.0.1:"+broker.Port+" retains was read") {
			t.Errorf("discovery %s: got exit code %d, want 1 and a message that not all was read:\n%.2000s", command, code, p.Output())
		}
	}
}
