package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/discovery"
)

// A testBroker is an MQTT broker for one test. It ignores messages to topics that begin with forbidden.
type testBroker struct {
	*mochi.Server
	mochi.HookBase
	t         *testing.T
	url       string
	forbidden string   // "" if all topics are allowed
	environ   []string // more environment variables for the method run
}

func (*testBroker) ID() string { return "testBroker" }

func (*testBroker) Provides(byte) bool { return true }

func (*testBroker) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (*testBroker) OnACLCheck(*mochi.Client, string, bool) bool { return true }

// OnPublish drops a forbidden message. The broker acknowledges the message nevertheless, as real brokers do.
func (s *testBroker) OnPublish(_ *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if s.forbidden != "" && strings.HasPrefix(p.TopicName, s.forbidden) {
		return p, packets.CodeSuccessIgnore
	}
	return p, nil
}

func newTestBroker(t *testing.T) *testBroker {
	t.Helper()
	s := &testBroker{Server: mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), InlineClient: true}), t: t}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	for _, err := range []error{s.AddHook(s, nil), s.AddListener(tcp), s.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { defer close(closed); _ = s.Close() }() // Close never returns if a client disconnects at the same moment
		select {
		case <-closed:
		case <-time.After(time.Second):
		}
	})
	s.url = "mqtt://" + tcp.Address()
	return s
}

// retain publishes a retained message.
func (s *testBroker) retain(topic, payload string) {
	s.t.Helper()
	if err := s.Publish(topic, []byte(payload), true, 0); err != nil {
		s.t.Fatal(err)
	}
}

// retainAll publishes a retained message for each topic and payload.
func (s *testBroker) retainAll(all map[string]string) {
	s.t.Helper()
	for topic, payload := range all {
		s.retain(topic, payload)
	}
}

// retained returns the retained payloads by topic.
func (s *testBroker) retained() map[string]string {
	all := map[string]string{}
	for _, p := range s.Topics.Messages("#") {
		all[p.TopicName] = string(p.Payload)
	}
	return all
}

// houseRetained returns the payloads, by topic, of the messages that a bridge with the meter "house" retains: the announcements of the bridge and
// of the meter, and the values. c has the discovery settings of the bridge.
func houseRetained(t *testing.T, c discovery.Config) map[string]string {
	t.Helper()
	setup := houseSetup()
	f, err := virtualport.Family("aidon-se")
	if err != nil {
		t.Fatal(err)
	}
	observed, err := announcements.ObserveFamily(setup, f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range append(c.Bridge(), c.Meter(observed.Meter)...) {
		all[m.Topic] = string(m.Payload)
	}
	for _, q := range observed.Meter.Quantities { // each value is 1, with the decimals of the quantity
		all["hanbridge/house/"+q.ID.String()] = "1." + strings.Repeat("0", q.Decimals)
	}
	all["hanbridge/house/info"] = `{"make":"Aidon","model":"","serial":"","list":"","port":"/dev/ttyUSB0"}`
	all["hanbridge/house/telegram_interval"] = "10.0"
	return all
}

// houseSetup returns the setup of a bridge with the meter "house".
func houseSetup() *daemon.Setup {
	setup := &daemon.Setup{Config: defaultConfig()}
	setup.MQTT.URL, setup.Meters[0].ID, setup.Meters[0].Name = "mqtt://a", "house", "House"
	return setup
}

// retainedOf returns payloads by topic in the form in which the commands read them from a broker.
func retainedOf(all map[string]string) announcements.Retained {
	retained := announcements.Retained{Values: map[string]map[string]string{"house": {}}}
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		if name, ok := strings.CutPrefix(topic, "hanbridge/house/"); ok {
			retained.Values["house"][name] = all[topic]
		} else {
			retained.Announced = append(retained.Announced, discovery.Message{Topic: topic, Payload: []byte(all[topic])})
		}
	}
	return retained
}

const houseConfigTopic = "homeassistant/device/hanbridge_house/config"

// run runs a command with a configuration that has this broker and a meter "house". It returns the exit code, standard output and standard
// error. In standard output, the address of the broker is replaced by the text URL.
func (s *testBroker) run(args ...string) (code int, out, errs string) {
	s.t.Helper()
	environ := append([]string{"HANBRIDGE_MQTT_URL=" + s.url, "HANBRIDGE_METER_ID=house", "HANBRIDGE_METER_NAME=House"}, s.environ...)
	var stdout, stderr bytes.Buffer
	code = run(s.t.Context(), args, environ, strings.NewReader(""), &stdout, &stderr)
	return code, strings.ReplaceAll(stdout.String(), s.url, "URL"), stderr.String()
}

// deviceStyle returns the default discovery settings of the program, with the style discovery.Device.
func deviceStyle() discovery.Config {
	c := mqtt.Config{Prefix: "homeassistant", BaseTopic: "hanbridge", Style: discovery.Device, Version: cli.Version()}
	return c.Discovery()
}

// TestDiscoveryDiff tests that discovery diff prints each difference between the retained and the wanted announcements.
func TestDiscoveryDiff(t *testing.T) {
	const noDifference = "no difference: mqtt://a retains what this configuration announces\n"
	oneDifference := func(line string) string {
		return line + "\n1 difference between what mqtt://a retains and what this configuration announces: hanbridge run corrects the announcements when it starts. To remove what remains then, type hanbridge discovery clear --all\n"
	}
	const barnTopic = "homeassistant/sensor/hanbridge_barn/gas/config"
	barnPayload := func(base string) string {
		return `{"device":{"identifiers":["hanbridge_barn"],"name":"Barn"},"origin":{"name":"hanbridge"},"state_topic":"` + base + `/barn/gas","unique_id":"hanbridge_barn_gas"}`
	}
	// An announced quantity without a retained value is no difference, because the value is possibly an empty text.
	tests := []struct {
		name   string
		change func(all map[string]string) // changes the retained messages
		family string                      // the flag --family; "" to get the wanted announcements from the retained values
		want   string                      // the output
	}{
		{"no difference", func(map[string]string) {}, "", noDifference},
		{"no difference; --family", func(map[string]string) {}, "aidon-se", noDifference},
		{"the announcement has another device class", func(all map[string]string) {
			all[houseConfigTopic] = strings.Replace(all[houseConfigTopic], `"device_class":"voltage"`, `"device_class":"power"`, 1)
		}, "", oneDifference(houseConfigTopic + `: components.voltage_l1.device_class is "power", wanted "voltage"`)},
		{"the value has more decimals than the announcement", func(all map[string]string) { all["hanbridge/house/current_l2"] = "1.00" }, "",
			oneDifference(houseConfigTopic + `: components.current_l2.suggested_display_precision is 1, wanted 2`)},
		{"the announcement has no model", func(all map[string]string) { all["hanbridge/house/info"] = `{"make":"Aidon","model":"6525"}` }, "",
			oneDifference(houseConfigTopic + `: device.model is missing, wanted "6525"`)},
		{"the meter is not announced", func(all map[string]string) { delete(all, houseConfigTopic) }, "", oneDifference(houseConfigTopic + `: is not announced`)},
		{"no value is retained", func(all map[string]string) {
			maps.DeleteFunc(all, func(topic, _ string) bool { return strings.HasPrefix(topic, "hanbridge/") })
		}, "", noDifference},
		{"one quantity has no retained value", func(all map[string]string) { delete(all, "hanbridge/house/import_power") }, "", noDifference},
		{"a meter that is no longer configured is announced", func(all map[string]string) { all[barnTopic] = barnPayload("hanbridge") }, "", oneDifference(barnTopic + `: is announced, and not wanted`)},
		{"a meter below another base topic is announced", func(all map[string]string) { all[barnTopic] = barnPayload("hanbridge2") }, "", noDifference},
		{"a meter that is no longer configured is announced; --family", func(all map[string]string) { all[barnTopic] = barnPayload("hanbridge") }, "aidon-se", noDifference},
		{"another program has an announcement with the name of our meter", func(all map[string]string) {
			all["homeassistant/sensor/hanbridge_house/gas/config"] = `{"origin":{"name":"other"},"state_topic":"hanbridge/house/gas"}`
		}, "", noDifference},
		{"nothing is retained", func(all map[string]string) { clear(all) }, "", "homeassistant/device/hanbridge_bridge/config: is not announced\n" +
			"house: the broker retains no values and no announcement of this meter (is the bridge running, and has the meter sent a telegram?)\n" +
			"2 differences between what mqtt://a retains and what this configuration announces: hanbridge run corrects the announcements when it starts. To remove what remains then, type hanbridge discovery clear --all\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			retained := houseRetained(t, deviceStyle())
			tt.change(retained)
			var out bytes.Buffer
			p, setup := &cli.Program{Out: &out}, houseSetup()
			observation, err := (&announcements.MeterFlags{Family: tt.family}).Observe("discovery diff", setup, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantErr := tt.want != noDifference
			if err := announcements.Compare(p, setup, retainedOf(retained), observation); (err != nil) != wantErr {
				t.Errorf("got error %v, want an error: %v", err, wantErr)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDiscoveryDiffBroker tests that discovery diff reads the messages of a broker. If discovery is off, discovery diff must report each
// announcement as not wanted.
func TestDiscoveryDiffBroker(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	s.retainAll(houseRetained(t, deviceStyle()))
	if code, out, errs := s.run("discovery", "diff"); code != cli.ExitOK || out != "no difference: URL retains what this configuration announces\n" || errs != "" {
		t.Errorf("got exit code %d, output %q, errors %q, want no difference", code, out, errs)
	}
	s.environ = []string{"HANBRIDGE_HOMEASSISTANT_DISCOVERY=off"}
	code, out, errs := s.run("discovery", "diff")
	want := "homeassistant/device/hanbridge_bridge/config: is announced, and not wanted\n" + houseConfigTopic + ": is announced, and not wanted\n2 differences between "
	if code != cli.ExitData || !strings.HasPrefix(out, want) || errs != "" {
		t.Errorf("discovery off: got exit code %d, output %q, errors %q, want 1 and %q", code, out, errs, want)
	}
}

// TestDiscoveryClear tests that discovery clear removes announcements of both styles, and nothing else. The broker has announcements of both
// styles if a change of the style was interrupted.
func TestDiscoveryClear(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	components := deviceStyle()
	components.Style = discovery.Component
	s.retainAll(houseRetained(t, deviceStyle()))
	s.retainAll(houseRetained(t, components))
	want := s.retained()
	maps.DeleteFunc(want, func(topic, _ string) bool { return strings.HasPrefix(topic, "homeassistant/") })
	wantRemoved := len(s.retained()) - len(want)
	others := map[string]string{ // of an earlier meter of this bridge, of another bridge, and of another program
		"homeassistant/device/hanbridge_old/config":    `{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor","state_topic":"hanbridge/old/gas"}}}`,
		"homeassistant/device/hanbridge_theirs/config": `{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor","state_topic":"theirs/old/gas"}}}`,
		"homeassistant/device/lamp/config":             `{"origin":{"name":"lamp"}}`,
	}
	s.retainAll(others)
	maps.Copy(want, others)
	code, out, errs := s.run("discovery", "clear")
	if got := strings.Count(out, "/config\n"); code != cli.ExitOK || errs != "" || got != wantRemoved || wantRemoved < 30 {
		t.Errorf("got exit code %d and %d topics, want 0 and %d, which must be at least 30: %s%s", code, got, wantRemoved, out, errs)
	}
	if !strings.Contains(out, "homeassistant.discovery: off prevents this\n") {
		t.Errorf("the output does not say how to remove the announcements for good: %s", out)
	}
	if diff := cmp.Diff(want, s.retained()); diff != "" {
		t.Errorf("retained afterwards (-want +got):\n%s", diff)
	}
	if code, out, _ := s.run("discovery", "clear", "--all"); code != cli.ExitOK || !strings.HasPrefix(out, "homeassistant/device/hanbridge_old/config\nremoved") {
		t.Errorf("clear --all: got exit code %d, output %q, want one topic, of the old meter", code, out)
	}
	delete(want, "homeassistant/device/hanbridge_old/config")
	if diff := cmp.Diff(want, s.retained()); diff != "" {
		t.Errorf("retained after --all (-want +got):\n%s", diff)
	}
	if code, out, _ := s.run("discovery", "clear"); code != cli.ExitOK || !strings.HasPrefix(out, "nothing of this configuration is announced below homeassistant on URL") {
		t.Errorf("clear again: got exit code %d, output %q, want nothing to remove", code, out)
	}
}

// TestDiscoveryClearValues tests that --values removes the values of the configured meter, of a former meter of this bridge, and of a meter
// that is given with --meter and has only a retained value. The values of another bridge's meter must remain. While a bridge runs, the values of the
// configured meter must remain too. The status of the bridge is removed with the last values.
func TestDiscoveryClearValues(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	s.environ = []string{"HANBRIDGE_MQTT_CLIENT_ID=a", "HANBRIDGE_STATE_DIR="}
	const ourInfo = `{"instance":"client-af63dc4c8601ec8c"}` // the FNV-1a hash of the client id "a"
	configured := map[string]string{
		houseConfigTopic:       `{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor","state_topic":"hanbridge/house/gas"}}}`,
		"hanbridge/house/info": ourInfo, "hanbridge/house/status": "offline", "hanbridge/house/import_power": "1",
	}
	former := map[string]string{
		"homeassistant/device/hanbridge_old/config": `{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor","state_topic":"hanbridge/old/gas"}}}`,
		"hanbridge/old/info":                        ourInfo, "hanbridge/old/status": "offline", "hanbridge/old/gas": "1.000",
	}
	valueOnly := map[string]string{"hanbridge/lost/gas": "3.000"}
	// want are the messages that must remain. The meter "theirs" is a meter of another bridge.
	want := map[string]string{"hanbridge/theirs/info": `{"instance":"ffeeddcc.bb"}`, "hanbridge/theirs/gas": "2.000", "elsewhere/old/gas": "1.000", "hanbridge/status": "online"}
	for _, all := range []map[string]string{configured, former, valueOnly, want} {
		s.retainAll(all)
	}

	code, out, errs := s.run("discovery", "clear", "--values")
	if code != cli.ExitData || !strings.Contains(errs, "hanbridge: house: the values of this meter remain: a bridge runs") || strings.Contains(out, "hanbridge/house/") {
		t.Errorf("while a bridge runs: got exit code %d, output %q, errors %q, want no value of house removed", code, out, errs)
	}
	s.retain("hanbridge/status", "offline")
	want["hanbridge/status"] = "offline"
	code, out, errs = s.run("discovery", "clear", "--values")
	if wantOut := "hanbridge/house/import_power\nhanbridge/house/status\nhanbridge/house/info\nremoved\n"; code != cli.ExitOK || out != wantOut || errs != "" {
		t.Errorf("configured meter: got exit code %d, output %q, errors %q, want %q", code, out, errs, wantOut)
	}
	s.retainAll(former) // again, because the first command has removed the former meter
	code, out, errs = s.run("discovery", "clear", "--values", "--meter", "lost", "--meter", "theirs")
	wantOut := "homeassistant/device/hanbridge_old/config\nhanbridge/lost/gas\nhanbridge/old/gas\nhanbridge/old/status\nhanbridge/old/info\n"
	if code != cli.ExitData || out != wantOut || !strings.Contains(errs, "theirs: the values of this meter remain: another bridge published this meter before") {
		t.Errorf("other meters: got exit code %d, output %q, errors %q, want %q", code, out, errs, wantOut)
	}
	if diff := cmp.Diff(want, s.retained()); diff != "" {
		t.Errorf("retained afterwards (-want +got):\n%s", diff)
	}
	for topic := range want { // remove the other bridge's meter, so that "house" is the last meter
		if strings.HasPrefix(topic, "hanbridge/theirs/") {
			s.retain(topic, "")
		}
	}
	s.retain("hanbridge/house/gas", "1.000")
	if code, out, errs := s.run("discovery", "clear", "--values"); code != cli.ExitOK || out != "hanbridge/house/gas\nhanbridge/status\nremoved\n" || errs != "" {
		t.Errorf("the last meter: got exit code %d, output %q, errors %q, want the bridge's status removed too", code, out, errs)
	}
	if code, out, _ := s.run("discovery", "clear", "--values"); code != cli.ExitOK || !strings.HasPrefix(out, "nothing of this configuration is announced below homeassistant, or published below hanbridge, on") {
		t.Errorf("clear --values again: got exit code %d, output %q, want nothing to remove", code, out)
	}
}

// TestDiscoveryClearForbidden tests that discovery clear reports a retained message that the broker does not delete, although the broker
// acknowledges the empty payload.
func TestDiscoveryClearForbidden(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	s.retainAll(houseRetained(t, deviceStyle()))
	s.forbidden = "homeassistant/device/hanbridge_house"
	code, out, errs := s.run("discovery", "clear")
	if code != cli.ExitData || out != "homeassistant/device/hanbridge_bridge/config\n" || !strings.HasPrefix(errs, "hanbridge: "+houseConfigTopic+" is still on the broker (is this user allowed") {
		t.Errorf("got exit code %d, output %q, errors %q, want an error for %s", code, out, errs, houseConfigTopic)
	}
}

// TestDiscoveryPrefix tests discovery show and discovery clear with a --prefix that is not the configured prefix.
func TestDiscoveryPrefix(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	s.retainAll(houseRetained(t, deviceStyle()))
	s.environ = []string{"HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second"}
	if code, out, _ := s.run("discovery", "clear"); code != cli.ExitOK || !strings.HasPrefix(out, "nothing of this configuration is announced below hubs/second on URL") {
		t.Errorf("clear: got exit code %d, output %q, want nothing below the configured prefix", code, out)
	}
	if code, out, errs := s.run("discovery", "show", "--prefix", "homeassistant"); code != cli.ExitOK || !strings.Contains(out, houseConfigTopic+"\n") || errs != "" {
		t.Errorf("show --prefix: got exit code %d, output %q, errors %q, want %s", code, out, errs, houseConfigTopic)
	}
	if code, out, errs := s.run("discovery", "clear", "--prefix", "homeassistant"); code != cli.ExitOK || !strings.HasSuffix(out, houseConfigTopic+"\nremoved\n") || errs != "" {
		t.Errorf("clear --prefix: got exit code %d, output %q, errors %q, want %s", code, out, errs, houseConfigTopic)
	}
	if _, ok := s.retained()[houseConfigTopic]; ok {
		t.Error("clear --prefix: the meter is still announced")
	}
	for _, prefix := range []string{"a/+", "#", "/a", "$SYS"} {
		if code, _, errs := s.run("discovery", "clear", "--prefix", prefix); code != cli.ExitUsage || !strings.Contains(errs, "--prefix: ") {
			t.Errorf("--prefix %s: got exit code %d, errors %q, want a refusal", prefix, code, errs)
		}
	}
}

// TestDiscoveryIncomplete tests commands that cannot read all retained messages. The commands must say so. They must not report that a message
// is missing, or that all announcements are removed.
func TestDiscoveryIncomplete(t *testing.T) {
	t.Parallel()
	s := newTestBroker(t)
	s.retainAll(houseRetained(t, deviceStyle()))
	// The commands read at most 32 MiB of retained messages. These 40 messages have about 35 MiB.
	longPayload := `{"x":"` + strings.Repeat("x", 900<<10) + `"}`
	for i := range 40 {
		s.retain(fmt.Sprintf("homeassistant/sensor/hanbridge_house/x%d/config", i), longPayload)
	}
	const incomplete = "not all that " // the beginning of the warning
	for _, tt := range []struct {
		args     []string
		wantCode int
		notOut   string // text that must not be on standard output
	}{
		{[]string{"discovery", "diff"}, cli.ExitData, "difference"},
		{[]string{"discovery", "show"}, cli.ExitData, "nothing is announced"},
		{[]string{"discovery", "clear"}, cli.ExitData, "removed\n"},
	} {
		code, out, errs := s.run(tt.args...)
		if code != tt.wantCode || !strings.Contains(errs, incomplete) || strings.Contains(out, tt.notOut) {
			t.Errorf("%v: got exit code %d, output %.300q, errors %.300q, want exit code %d and the error %q", tt.args, code, out, errs, tt.wantCode, incomplete)
		}
	}
	code, out, errs := s.run("rates")
	if code != cli.ExitOK || !strings.Contains(out, incomplete) || errs != "" {
		t.Errorf("rates: got exit code %d, output %.500q, errors %q, want exit code 0 and an output that contains %q", code, out, errs, incomplete)
	}
}

// defaultConfig returns the configuration of an empty file.
func defaultConfig() config.Config {
	return config.Config{
		MQTT:          config.MQTT{Config: mqtt.Config{BaseTopic: "hanbridge", QoS: 1, Retain: true}, Listen: "127.0.0.1:1883"},
		HomeAssistant: config.HomeAssistant{Prefix: "homeassistant", StatusTopic: discovery.StatusTopic},
		StateDir:      "/var/lib/hanbridge",
		Publish:       throttle.Balanced,
		Meters:        []config.Meter{defaultMeter()},
		Log:           config.Log{Level: "info", Format: "auto"},
	}
}

func defaultMeter() config.Meter {
	return config.Meter{
		ID: "meter", Name: "Electricity meter", Port: config.Port{Kind: config.AutoPort}, Serial: config.Serial{Auto: true},
		Checksum: "check", FrameCounter: "any",
	}
}
