package hatest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// sensor returns a valid payload in Component style for a quantity of a meter. The text deviceOptions is added to the options of the device.
func sensor(meter, key, class, stateClass, unit, deviceOptions string) string {
	return fmt.Sprintf(`{"name":"Q","unique_id":"hanbridge_%s_%s","state_topic":"hanbridge/%s/%s",`+
		`"device_class":"%s","state_class":"%s","unit_of_measurement":"%s",`+
		`"device":{"identifiers":["hanbridge_%s"],"name":"Meter"%s},"origin":{"name":"hanbridge"}}`,
		meter, key, meter, key, class, stateClass, unit, meter, deviceOptions)
}

// power returns the payload of a power.
func power(meter, key string) string { return sensor(meter, key, "power", "measurement", "W", "") }

// energy returns the payload of a counter of energy.
func energy(meter, key string) string {
	return sensor(meter, key, "energy", "total_increasing", "kWh", "")
}

// withID returns payload with a default_entity_id.
func withID(payload, id string) string {
	return strings.Replace(payload, `"name":"Q"`, `"name":"Q","default_entity_id":"`+id+`"`, 1)
}

func topicOf(meter, key string) string {
	return "homeassistant/sensor/hanbridge_" + meter + "/" + key + "/config"
}

// TestCheckSetAccepts tests that valid messages of two meters are accepted together.
func TestCheckSetAccepts(t *testing.T) {
	set := map[string][]byte{"homeassistant/device/old/config": nil} // a cleared topic is ignored
	for _, key := range []string{"export_power", "import_demand", "import_power", "import_power_l1", "net_power"} {
		set[topicOf("house", key)] = []byte(power("house", key))
		set[topicOf("barn", key)] = []byte(power("barn", key))
	}
	for _, key := range []string{"import_energy", "export_energy", "absolute_energy"} {
		set[topicOf("house", key)] = []byte(energy("house", key))
	}
	if err := errors.Join(hatest.CheckSet(set)...); err != nil {
		t.Errorf("valid messages: got errors %v, want none", err)
	}
}

// TestCheckSetRefuses tests that CheckSet finds the fault of each row. The column want is a part of the error.
func TestCheckSetRefuses(t *testing.T) {
	asDevice := `{"device":{"identifiers":["hanbridge_house"],"name":"Meter"},"origin":{"name":"hanbridge"},"components":{"import_power":` +
		`{"platform":"sensor","name":"Q","unique_id":"%s","state_topic":"hanbridge/house/import_power","device_class":"power",` +
		`"state_class":"measurement","unit_of_measurement":"W"}}}`

	for _, row := range []struct {
		name, want string
		set        map[string]string
	}{
		{"a fault of one message", "JSON", map[string]string{topicOf("house", "import_power"): `{`}},
		{"unique_id twice", "unique_id", map[string]string{
			topicOf("house", "import_power"): power("house", "import_power"),
			topicOf("house", "power"):        power("house", "import_power"),
		}},
		{"one entity in both styles", "platform, device and key", map[string]string{
			topicOf("house", "import_power"): power("house", "import_power"),
			deviceTopic:                      fmt.Sprintf(asDevice, "another"),
		}},
		{"unique_id twice in one message", "unique_id", map[string]string{
			deviceTopic: strings.Replace(fmt.Sprintf(asDevice, "hanbridge_house_import_power"), `{"import_power":`,
				`{"power":{"platform":"sensor","name":"P","unique_id":"hanbridge_house_import_power","state_topic":"hanbridge/house/power",`+
					`"device_class":"power","state_class":"measurement","unit_of_measurement":"W"},"import_power":`, 1),
		}},
		{"a device class that old hubs refuse", "before 2025", map[string]string{
			topicOf("house", "import_reactive_energy"): sensor("house", "import_reactive_energy", "reactive_energy", "total_increasing", "kvarh", ""),
		}},
		{"entity id twice", "default_entity_id", map[string]string{
			topicOf("house", "import_power"): withID(power("house", "import_power"), "sensor.power"),
			topicOf("house", "export_power"): withID(power("house", "export_power"), "sensor.power"),
		}},
		{"numbers and words on one topic", "has words", map[string]string{
			topicOf("house", "import_power"): power("house", "import_power"),
			topicOf("house", "text"): `{"name":"T","unique_id":"hanbridge_house_text","state_topic":"hanbridge/house/import_power",` +
				`"entity_category":"diagnostic","device":{"identifiers":["hanbridge_house"],"name":"Meter"},"origin":{"name":"hanbridge"}}`,
		}},
		{"numbers on a topic of availability", "has words", map[string]string{
			topicOf("house", "status"): strings.Replace(power("house", "status"), `"name":"Q"`, `"name":"Q","availability":[{"topic":"hanbridge/house/status"}]`, 1),
		}},
		{"unknown via_device", "via_device", map[string]string{
			topicOf("house", "import_power"): sensor("house", "import_power", "power", "measurement", "W", `,"via_device":"hanbridge_bridge"`),
		}},
		{"one device, described in two ways", "two ways", map[string]string{
			topicOf("house", "import_power"): power("house", "import_power"),
			topicOf("house", "export_power"): sensor("house", "export_power", "power", "measurement", "W", `,"model":"6525"`),
		}},
		{"Domoticz pairs an energy with the power of the other direction", "Domoticz pairs it with power_export", map[string]string{
			topicOf("house", "energy_import"): energy("house", "energy_import"),
			topicOf("house", "power_export"):  power("house", "power_export"),
			topicOf("house", "power_import"):  power("house", "power_import"),
		}},
	} {
		set := map[string][]byte{}
		for topic, payload := range row.set {
			set[topic] = []byte(payload)
		}
		checkRefused(t, row.name, hatest.CheckSet(set), row.want)
	}
}
