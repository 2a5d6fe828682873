package main

import (
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/discovery"
)

func defaults() config.Config {
	return config.Config{
		MQTT:          config.MQTT{Config: mqtt.Config{BaseTopic: "hanbridge", QoS: 1, Retain: true}, Listen: "127.0.0.1:1883"},
		HomeAssistant: config.HomeAssistant{Prefix: "homeassistant", StatusTopic: discovery.StatusTopic},
		StateDir:      "/var/lib/hanbridge",
		Publish:       throttle.Balanced,
		Meters:        []config.Meter{aMeter()},
		Log:           config.Log{Level: "info", Format: "auto"},
	}
}

func aMeter() config.Meter {
	return config.Meter{
		ID: "meter", Name: "Electricity meter", Port: config.Port{Kind: config.AutoPort}, Serial: config.Serial{Auto: true},
		Checksum: "check", FrameCounter: "any",
	}
}
