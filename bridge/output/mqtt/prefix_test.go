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

// A setting is what somebody configures of announcements, and starts the bridge with.
type setting struct {
	prefix string
	style  discovery.Style
	base   string
	silent bool // the meter does not speak in this run
}

const second = "hubs/second"

// TestAnotherPrefix: what was announced under another prefix, or before discovery was off, is taken back, whatever the connection does.
func TestAnotherPrefix(t *testing.T) {
	t.Parallel()
	a, b := setting{prefix: "homeassistant"}, setting{prefix: second}
	with := func(s setting, change func(*setting)) setting { change(&s); return s }
	component := func(s *setting) { s.style = discovery.Component }
	off := func(s *setting) { s.style = discovery.Off }
	silent := func(s *setting) { s.silent = true }
	base := func(s *setting) { s.base = "energy" }
	for _, tt := range []struct {
		name string
		runs []setting
		lost string // where the connection is lost in the second run
	}{
		{"prefix", []setting{a, b}, ""},
		{"prefix in component style", []setting{with(a, component), with(b, component)}, ""},
		{"prefix and style", []setting{a, with(b, component)}, ""},
		{"prefix there and back", []setting{a, b, a}, ""},
		{"prefix, of a meter that is silent", []setting{a, with(b, silent)}, ""},
		{"prefix, and the base topic", []setting{a, with(b, base)}, ""},
		{"prefix, and the base topic, and back", []setting{a, with(b, base), a}, ""},
		{"prefix, base topic and silent", []setting{with(a, component), with(with(b, base), silent)}, ""},
		{"off", []setting{a, with(a, off)}, ""},
		{"off in component style", []setting{with(a, component), with(a, off)}, ""},
		{"off, of a meter that is silent", []setting{a, with(with(a, off), silent)}, ""},
		{"off, and on again", []setting{a, with(a, off), a}, ""},
		{"off, and on again elsewhere", []setting{a, with(a, off), b}, ""},
		{"off with another prefix", []setting{a, with(b, off)}, ""},
		{"off, and the base topic", []setting{a, with(with(a, off), base)}, ""},
		{"prefix, cut at the old bridge", []setting{a, b}, "homeassistant/device/hanbridge_bridge/config"},
		{"prefix, cut at the old meter", []setting{a, b}, "homeassistant/device/hanbridge_house/config"},
		{"prefix, cut at the new bridge", []setting{a, b}, second + "/device/hanbridge_bridge/config"},
		{"prefix, cut at the new meter", []setting{a, b, a}, second + "/device/hanbridge_house/config"},
		{"prefix, cut at one of many", []setting{with(a, component), with(b, component)}, "homeassistant/sensor/hanbridge_house/import_power/config"},
		{"off, cut at the meter", []setting{a, with(a, off)}, "homeassistant/device/hanbridge_house/config"},
		{"off, cut at one of many", []setting{with(a, component), with(with(a, off), silent)}, "homeassistant/sensor/hanbridge_house/import_power/config"},
		{"prefix and base topic, cut at a value", []setting{a, with(b, base)}, "hanbridge/house/import_power"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, dir := start(t), t.TempDir()
			m := meterOf(t, "aidon-se", time.Now())
			for i, s := range tt.runs {
				if i == 1 && tt.lost != "" {
					b.drop(tt.lost)
				}
				runsWith(t, b, s, dir, next(m))
			}
		})
	}
}

// runsWith runs a bridge until the broker holds what a setting wants, and nothing of another.
func runsWith(t *testing.T, b *broker, s setting, dir string, telegram []byte) {
	t.Helper()
	c := config(b.addr)
	c.Prefix, c.Style = s.prefix, s.style
	if s.base != "" {
		c.BaseTopic = s.base
	}
	h := runWith(t, c, "house", dir)
	if !s.silent {
		h.send(telegram)
		b.await(t, "the meter online below "+c.BaseTopic, func(all []message) bool { return keptOf(all)[c.BaseTopic+"/house/status"] == "online" })
	}
	b.await(t, fmt.Sprintf("announced as %+v wants it, and nowhere else", s), func(all []message) bool { return settledOn(all, c, s) })
	h.stop()
	b.empty()
	checkHubs(t, b.messages(), s)
}

// settledOn tells if the broker holds what a setting wants.
func settledOn(all []message, c mqtt.Config, s setting) bool {
	ours, others := 0, 0
	for topic := range keptOf(all) {
		name, config := strings.CutSuffix(topic, "/config")
		switch {
		case config && s.style != discovery.Off && strings.HasPrefix(topic, s.prefix+"/") && strings.Contains(name, "/device/") == (s.style == discovery.Device):
			ours++
		case config, !config && !strings.HasPrefix(topic, c.BaseTopic+"/"):
			if topic != "hanbridge/status" { // others may have meters below the old base topic
				others++
			}
		}
	}
	want := 2 // the bridge and its meter
	switch {
	case s.style == discovery.Off:
		want = 0
	case s.silent:
		want = 1
	case s.style == discovery.Component:
		want = 30
	}
	return ours >= want && others == 0
}

// checkHubs wants the hub of the setting's prefix to know the meter, the other nothing, and both nothing to complain about.
func checkHubs(t *testing.T, all []message, s setting) {
	t.Helper()
	for _, prefix := range []string{"homeassistant", second} {
		hub := hatest.NewHub(prefix)
		for _, m := range all {
			hub.Receive(m.topic, []byte(m.payload))
		}
		got := len(hub.Entities())
		some := prefix == s.prefix && s.style != discovery.Off
		if some != (got > 0) || some && !s.silent && got < 30 {
			t.Errorf("the hub of %s knows %d entities, after %+v", prefix, got, s)
		}
		complaints := slices.DeleteFunc(hub.Warnings, func(text string) bool {
			// mochi goes on for a moment with what a client has sent that it throws out: the meter without the bridge.
			return strings.Contains(text, "via_device")
		})
		if len(complaints) > 0 {
			t.Errorf("the hub of %s complains: %q", prefix, complaints)
		}
	}
}

// TestLostMemoryAndAnotherPrefix: what is below the prefix in use is found and taken back; what is below another stays until
// somebody names it.
func TestLostMemoryAndAnotherPrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		first, then setting
		left        string // under which prefix something is left
	}{
		{"off", setting{prefix: "homeassistant"}, setting{prefix: "homeassistant", style: discovery.Off, silent: true}, ""},
		{"off, many", setting{prefix: "homeassistant", style: discovery.Component}, setting{prefix: "homeassistant", style: discovery.Off}, ""},
		{"prefix", setting{prefix: "homeassistant"}, setting{prefix: second}, "homeassistant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			m := meterOf(t, "aidon-se", time.Now())
			runsWith(t, b, tt.first, "", next(m))
			if tt.left == "" {
				runsWith(t, b, tt.then, "", next(m))
				return
			}
			c := config(b.addr)
			c.Prefix = tt.then.prefix
			h := run(t, c)
			h.send(next(m))
			b.awaitText(t, c.Prefix+"/device/hanbridge_house/config", "")
			h.stop()
			b.empty()
			c.Prefix = tt.left
			left, err := mqtt.RetainedAnnouncements(t.Context(), c)
			if err != nil || len(left) != 2 {
				t.Fatalf("left: %d topics, %v, want those of the bridge and its meter", len(left), err)
			}
		})
	}
}

// TestRetainedScanOfAFlood: somebody has retained more under this meter's name than is taken in. Publishing begins, one warning says so, the
// next start asks again, and what was not found is not taken back.
func TestRetainedScanOfAFlood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		n    int
		size int
	}{{"many", 4000, 2}, {"long", 40, 200_000}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, dir := start(t), t.TempDir()
			for i := range tt.n {
				topic := fmt.Sprintf("homeassistant/sensor/hanbridge_house/x%d/config", i)
				if err := b.Publish(topic, []byte("{"+strings.Repeat(" ", tt.size)+"}"), true, 0); err != nil {
					t.Fatal(err)
				}
			}
			m := meterOf(t, "aidon-se", time.Now())
			for range 2 {
				before := len(b.messages())
				h := runWith(t, config(b.addr), "house", dir)
				h.send(next(m))
				b.await(t, "values", func(all []message) bool {
					return index(all[before:], "hanbridge/house/telegram", "") >= 0 && index(all[before:], meterConfig, "") >= 0
				})
				if got := h.said("not all of this bridge's earlier announcements are known"); got != 1 {
					t.Errorf("%d warnings that not all was read, want one:\n%s", got, h.log.String())
				}
				h.stop()
				b.empty()
			}
		})
	}
}

// TestFoundInPart: what is remembered to be held and was not found, since the scan did not come to its end, is not taken back for that.
func TestFoundInPart(t *testing.T) {
	t.Parallel()
	const all = "import_power import_energy gas"
	device, component := discovery.Device, discovery.Component
	for _, tt := range []struct {
		name        string
		first, then discovery.Style
		found       bool // all of it was found, and perhaps more is there
		sends, want string
	}{
		{"nothing was found", device, device, false, "import_power", all},
		{"nothing was found, many topics", component, component, false, "import_power", all},
		{"nothing was found, another style", component, device, false, "import_power", all},
		{"some was found", device, device, true, "import_power", all},
		{"nothing is to be announced", device, discovery.Off, false, "import_power", ""},
		{"all is sent", component, device, false, all, all},
	} {
		b := start(t)
		before, _ := play(t, b, nil, announcement{tt.first, all}, whole, true)
		for _, name := range strings.Fields(all) {
			if err := b.Publish("hanbridge/house/"+name, []byte("1"), true, 0); err != nil {
				t.Fatal(err)
			}
		}
		c := config(b.addr)
		c.Style = tt.then
		s, err := mqtt.NewStage(t.Context(), c, before)
		if err != nil {
			t.Fatal(err)
		}
		var found []discovery.Message
		for topic, payload := range keptOf(b.messages()) {
			if tt.found && strings.HasPrefix(topic, "homeassistant/") {
				found = append(found, discovery.Message{Topic: topic, Payload: []byte(payload)})
			}
		}
		s.FoundPart(found)
		if s.Asked() {
			t.Errorf("%s: counts as all that the broker holds", tt.name)
		}
		s.Sends(announcement{names: tt.sends}.descriptors(t)...)
		know := func(what, want string) {
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
		know("the scan is incomplete", tt.want)
		for _, name := range strings.Fields(all) {
			if keptOf(b.messages())["hanbridge/house/"+name] == "" {
				t.Errorf("%s: the value of %s was taken back", tt.name, name)
			}
		}
		s.ExpireFound()
		if tt.then == discovery.Off {
			tt.sends = ""
		}
		know("its time is over", tt.sends)
		if err := s.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
