package rates

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/discovery"
)

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

// parseQuantities parses the text of HANBRIDGE_QUANTITIES.
func parseQuantities(t *testing.T, text string) throttle.Overrides {
	t.Helper()
	c, err := config.Load("", []string{"HANBRIDGE_QUANTITIES=" + text})
	if err != nil {
		t.Fatal(err)
	}
	return c.Quantities
}

// houseRetained returns the retained messages of the meter "house": its announcement and its values, by topic.
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
	for _, q := range observed.Meter.Quantities {
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

// retainedOf returns retained messages, given by topic, as announcements.ReadRetained returns them.
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

// deviceStyle returns a configuration with one announcement for each device.
func deviceStyle() discovery.Config {
	c := mqtt.Config{Prefix: "homeassistant", BaseTopic: "hanbridge", Style: discovery.Device, Version: cli.Version()}
	return c.Discovery()
}
