package mqtt_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// A discoverySetting is the part of the configuration that these tests change between two runs of a bridge.
type discoverySetting struct {
	prefix string
	style  discovery.Style
	base   string // the base topic; "" for hanbridge
	silent bool   // the meter sends nothing in this run
}

// secondPrefix is a discovery prefix other than homeassistant.
const secondPrefix = "hubs/second"

// TestDiscoveryPrefixChange tests that the old announcements are removed when the prefix changes or discovery is switched off, even if the
// connection is lost during the removal.
func TestDiscoveryPrefixChange(t *testing.T) {
	t.Parallel()
	oldPrefix, newPrefix := discoverySetting{prefix: "homeassistant"}, discoverySetting{prefix: secondPrefix}
	with := func(s discoverySetting, change func(*discoverySetting)) discoverySetting { change(&s); return s }
	component := func(s *discoverySetting) { s.style = discovery.Component }
	off := func(s *discoverySetting) { s.style = discovery.Off }
	silent := func(s *discoverySetting) { s.silent = true }
	base := func(s *discoverySetting) { s.base = "energy" }
	for _, tt := range []struct {
		name   string // what changes after the first run
		runs   []discoverySetting
		lostAt string // in the second run the connection is lost when the bridge publishes under this topic; "" for no loss
	}{
		{"prefix", []discoverySetting{oldPrefix, newPrefix}, ""},
		{"prefix in component style", []discoverySetting{with(oldPrefix, component), with(newPrefix, component)}, ""},
		{"prefix and style", []discoverySetting{oldPrefix, with(newPrefix, component)}, ""},
		{"prefix, and the first prefix again", []discoverySetting{oldPrefix, newPrefix, oldPrefix}, ""},
		{"prefix, silent meter", []discoverySetting{oldPrefix, with(newPrefix, silent)}, ""},
		{"prefix and base topic", []discoverySetting{oldPrefix, with(newPrefix, base)}, ""},
		{"prefix and base topic, and the first prefix and base topic again", []discoverySetting{oldPrefix, with(newPrefix, base), oldPrefix}, ""},
		{"prefix and base topic, silent meter", []discoverySetting{with(oldPrefix, component), with(with(newPrefix, base), silent)}, ""},
		{"off", []discoverySetting{oldPrefix, with(oldPrefix, off)}, ""},
		{"off in component style", []discoverySetting{with(oldPrefix, component), with(oldPrefix, off)}, ""},
		{"off, silent meter", []discoverySetting{oldPrefix, with(with(oldPrefix, off), silent)}, ""},
		{"off, and on again with the first prefix", []discoverySetting{oldPrefix, with(oldPrefix, off), oldPrefix}, ""},
		{"off, and on again with another prefix", []discoverySetting{oldPrefix, with(oldPrefix, off), newPrefix}, ""},
		{"off, and another prefix at the same time", []discoverySetting{oldPrefix, with(newPrefix, off)}, ""},
		{"off and base topic", []discoverySetting{oldPrefix, with(with(oldPrefix, off), base)}, ""},
		{"prefix, connection lost when the bridge's announcement is removed", []discoverySetting{oldPrefix, newPrefix}, "homeassistant/device/hanbridge_bridge/config"},
		{"prefix, connection lost when the meter's announcement is removed", []discoverySetting{oldPrefix, newPrefix}, "homeassistant/device/hanbridge_house/config"},
		{"prefix, connection lost when the bridge is announced", []discoverySetting{oldPrefix, newPrefix}, secondPrefix + "/device/hanbridge_bridge/config"},
		{"prefix, and the first prefix again, connection lost when the meter is announced", []discoverySetting{oldPrefix, newPrefix, oldPrefix}, secondPrefix + "/device/hanbridge_house/config"},
		{"prefix in component style, connection lost at one component", []discoverySetting{with(oldPrefix, component), with(newPrefix, component)}, "homeassistant/sensor/hanbridge_house/import_power/config"},
		{"off, connection lost when the meter's announcement is removed", []discoverySetting{oldPrefix, with(oldPrefix, off)}, "homeassistant/device/hanbridge_house/config"},
		{"off in component style, connection lost at one component", []discoverySetting{with(oldPrefix, component), with(with(oldPrefix, off), silent)}, "homeassistant/sensor/hanbridge_house/import_power/config"},
		{"prefix and base topic, connection lost when a value is removed", []discoverySetting{oldPrefix, with(newPrefix, base)}, "hanbridge/house/import_power"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, dir := startOpenBroker(t), t.TempDir()
			m := newMeter(t, "aidon-se", time.Now())
			for i, s := range tt.runs {
				if i == 1 && tt.lostAt != "" {
					b.disconnectPublishersOf(tt.lostAt)
				}
				runUntilSettled(t, b, s, dir, nextTelegram(m))
			}
		})
	}
}

// runUntilSettled runs a bridge until the broker retains the announcements of the setting and no others.
func runUntilSettled(t *testing.T, b *broker, s discoverySetting, dir string, telegram []byte) {
	t.Helper()
	c := config(b.addr)
	c.Prefix, c.Style = s.prefix, s.style
	if s.base != "" {
		c.BaseTopic = s.base
	}
	h := runWith(t, c, "house", dir)
	if !s.silent {
		h.send(telegram)
		b.await(t, "the meter online below "+c.BaseTopic, func(all []message) bool { return retainedOf(all)[c.BaseTopic+"/house/status"] == "online" })
	}
	b.await(t, fmt.Sprintf("the announcements of %+v and no others", s), func(all []message) bool { return isSettled(all, c, s) })
	h.stop()
	b.awaitNoClients()
	checkHubs(t, b.messages(), s)
}

// isSettled reports whether the broker retains the announcements of a setting, and no announcements or values of another setting.
func isSettled(all []message, c mqtt.Config, s discoverySetting) bool {
	wantedCount, otherCount := 0, 0
	for topic := range retainedOf(all) {
		name, isConfig := strings.CutSuffix(topic, "/config")
		hasStyle := s.style != discovery.Off && strings.Contains(name, "/device/") == (s.style == discovery.Device)
		switch {
		case isConfig && hasStyle && strings.HasPrefix(topic, s.prefix+"/"):
			wantedCount++
		case topic == "hanbridge/status": // it remains, because another bridge possibly has meters below the old base topic
		case isConfig, !strings.HasPrefix(topic, c.BaseTopic+"/"): // an announcement of another setting, or a value below another base topic
			otherCount++
		}
	}
	minWanted := 2 // the announcements of the bridge and of its meter
	switch {
	case s.style == discovery.Off:
		minWanted = 0
	case s.silent: // only the announcement of the bridge
		minWanted = 1
	case s.style == discovery.Component: // an announcement of each entity; the meter has more than 30 entities
		minWanted = 30
	}
	return wantedCount >= minWanted && otherCount == 0
}

// checkHubs tests that only the hub of the setting's prefix has the meter, and that no hub has warnings.
func checkHubs(t *testing.T, all []message, s discoverySetting) {
	t.Helper()
	for _, prefix := range []string{"homeassistant", secondPrefix} {
		hub := hatest.NewHub(prefix)
		for _, m := range all {
			hub.Receive(m.topic, []byte(m.payload))
		}
		got, minWanted := len(hub.Entities()), 0
		if prefix == s.prefix && s.style != discovery.Off {
			minWanted = 1 // an entity of the bridge
			if !s.silent {
				minWanted = 30 // the meter has more than 30 entities
			}
		}
		if got < minWanted || minWanted == 0 && got > 0 {
			t.Errorf("the hub of %s has %d entities after %+v, want %d at least, or none if this number is 0", prefix, got, s, minWanted)
		}
		warnings := slices.DeleteFunc(hub.Warnings, func(text string) bool {
			// After a lost connection, mochi can still publish messages of that connection. Then the hub receives the announcement of the
			// meter before that of the bridge. It warns that the meter names an unknown device in via_device.
			return strings.Contains(text, "via_device")
		})
		if len(warnings) > 0 {
			t.Errorf("the hub of %s has warnings: %q", prefix, warnings)
		}
	}
}

// TestPrefixChangeWithoutStateFile tests a bridge without a state file. It must remove its old announcements below the configured prefix. The
// announcements below another prefix remain, because the bridge does not know that prefix.
func TestPrefixChangeWithoutStateFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                string // what changes between the two runs
		firstRun, secondRun discoverySetting
		remaining           string // the prefix below which announcements remain; "" for none
	}{
		{"off", discoverySetting{prefix: "homeassistant"}, discoverySetting{prefix: "homeassistant", style: discovery.Off, silent: true}, ""},
		{"off in component style", discoverySetting{prefix: "homeassistant", style: discovery.Component}, discoverySetting{prefix: "homeassistant", style: discovery.Off}, ""},
		{"prefix", discoverySetting{prefix: "homeassistant"}, discoverySetting{prefix: secondPrefix}, "homeassistant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			m := newMeter(t, "aidon-se", time.Now())
			runUntilSettled(t, b, tt.firstRun, "", nextTelegram(m))
			if tt.remaining == "" {
				runUntilSettled(t, b, tt.secondRun, "", nextTelegram(m))
				return
			}
			c := config(b.addr)
			c.Prefix = tt.secondRun.prefix
			h := run(t, c)
			h.send(nextTelegram(m))
			b.awaitText(t, c.Prefix+"/device/hanbridge_house/config", "")
			h.stop()
			b.awaitNoClients()
			c.Prefix = tt.remaining
			remaining, err := mqtt.RetainedAnnouncements(t.Context(), c)
			if err != nil || len(remaining) != 2 {
				t.Fatalf("announcements below the old prefix: got %d, %v, want those of the bridge and its meter", len(remaining), err)
			}
		})
	}
}

// TestRetainedScanAtItsLimit tests a bridge whose retained scan is incomplete, because the broker retains too many announcements. The bridge must
// log one warning and publish its values. At the next start the bridge must scan again, and so log the warning again. The bridge scans with six
// filters, so the limits are 2400 messages and 3 MiB.
func TestRetainedScanAtItsLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		count int // the number of retained messages
		size  int // the size of each payload, in bytes
	}{{"many messages", 4000, 4}, {"long messages", 40, 200_000}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, dir := startOpenBroker(t), t.TempDir()
			for i := range tt.count {
				topic := fmt.Sprintf("homeassistant/sensor/hanbridge_house/x%d/config", i)
				if err := b.Publish(topic, []byte("{"+strings.Repeat(" ", tt.size-2)+"}"), true, 0); err != nil {
					t.Fatal(err)
				}
			}
			m := newMeter(t, "aidon-se", time.Now())
			for range 2 {
				from := len(b.messages())
				h := runWith(t, config(b.addr), "house", dir)
				h.send(nextTelegram(m))
				b.await(t, "values", func(all []message) bool {
					return index(all[from:], "hanbridge/house/telegram", "") >= 0 && index(all[from:], meterConfig, "") >= 0
				})
				if got := h.logCount("not all of this bridge's earlier announcements are known"); got != 1 {
					t.Errorf("got %d warnings about the incomplete scan, want one:\n%s", got, h.log.String())
				}
				h.stop()
				b.awaitNoClients()
			}
		})
	}
}

// TestIncompleteScanRemovesNothing tests that no announcement is removed in the 50 h (foundLifetime) after an incomplete retained scan, unless
// discovery is off. After that time, the announcements of quantities that the meter does not send must be removed.
func TestIncompleteScanRemovesNothing(t *testing.T) {
	t.Parallel()
	const all = "import_power import_energy gas"
	device, component := discovery.Device, discovery.Component
	for _, tt := range []struct {
		name                  string
		firstStyle, nextStyle discovery.Style // of the run before the scan, and of the run with the scan
		foundAll              bool            // the scan found all announcements, although it was incomplete
		sends                 string          // the quantities that the meter sends in the run with the scan
		want                  string          // the quantities that a hub has until foundLifetime is over
	}{
		{"nothing was found", device, device, false, "import_power", all},
		{"nothing was found, many topics", component, component, false, "import_power", all},
		{"nothing was found, another style", component, device, false, "import_power", all},
		{"announcements were found", device, device, true, "import_power", all},
		{"discovery is off", device, discovery.Off, false, "import_power", ""},
		{"the meter sends all", component, device, false, all, all},
	} {
		b := startOpenBroker(t)
		firstRun, _ := runSteps(t, b, nil, announcement{tt.firstStyle, all}, allSteps, true)
		for _, name := range strings.Fields(all) {
			if err := b.Publish("hanbridge/house/"+name, []byte("1"), true, 0); err != nil {
				t.Fatal(err)
			}
		}
		c := config(b.addr)
		c.Style = tt.nextStyle
		s, err := mqtt.NewStepAnnouncer(t.Context(), c, firstRun)
		if err != nil {
			t.Fatal(err)
		}
		var found []discovery.Message
		for topic, payload := range retainedOf(b.messages()) {
			if tt.foundAll && strings.HasPrefix(topic, "homeassistant/") {
				found = append(found, discovery.Message{Topic: topic, Payload: []byte(payload)})
			}
		}
		s.FoundIncomplete(found)
		if s.ScanRecorded() {
			t.Errorf("%s: the incomplete scan is recorded as complete", tt.name)
		}
		s.SetDescriptors(announcement{names: tt.sends}.descriptors(t)...)
		awaitEntities := func(what, want string) { // publishes all steps and waits for the wanted entities
			t.Helper()
			for more := true; more; {
				if more, err = s.Step(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
			want = strings.Join(slices.Sorted(slices.Values(strings.Fields(want))), " ")
			b.await(t, tt.name+": "+what+": "+want, func([]message) bool {
				return strings.Join(slices.Sorted(maps.Keys(entities(t, b))), " ") == want
			})
		}
		awaitEntities("the scan is incomplete", tt.want)
		for _, name := range strings.Fields(all) {
			if retainedOf(b.messages())["hanbridge/house/"+name] == "" {
				t.Errorf("%s: the value of %s was removed", tt.name, name)
			}
		}
		s.ExpireFound()
		wantAfter := tt.sends
		if tt.nextStyle == discovery.Off {
			wantAfter = ""
		}
		awaitEntities("foundLifetime is over", wantAfter)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
