package hatest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

const deviceTopic = "homeassistant/device/hanbridge_house/config"

// validMessage is a valid payload in Device style with every kind of entity. The tests replace a part of validMessage by a fault.
var validMessage = strings.ReplaceAll(`{"device":{"identifiers":["hanbridge_house"],"name":"Meter","model":"6525","via_device":"hanbridge_bridge"},
"origin":{"name":"hanbridge","sw_version":"1.0.0","support_url":"https://github.com/hanbridge/hanbridge"},
"availability":[{"topic":"hanbridge/status"},{"topic":"hanbridge/house/status"}],"availability_mode":"all",
"components":{
"import_power":{"platform":"sensor","name":"Import power","unique_id":"hanbridge_house_import_power","default_entity_id":"sensor.house_import_power","state_topic":"hanbridge/house/import_power","device_class":"power","state_class":"measurement","unit_of_measurement":"W","suggested_display_precision":0,"expire_after":900,"qos":1},
"import_energy":{"platform":"sensor","name":"Import energy","unique_id":"hanbridge_house_import_energy","state_topic":"hanbridge/house/import_energy","device_class":"energy","state_class":"total_increasing","unit_of_measurement":"kWh"},
"power_factor":{"platform":"sensor","name":"Power factor","unique_id":"hanbridge_house_power_factor","state_topic":"hanbridge/house/power_factor","device_class":"power_factor","state_class":"measurement"},
"import_reactive_power":{"platform":"sensor","name":"Reactive","unique_id":"hanbridge_house_import_reactive_power","state_topic":"hanbridge/house/import_reactive_power","device_class":"reactive_power","state_class":"measurement","unit_of_measurement":"var","enabled_by_default":false},
"gas":{"platform":"sensor","name":"Gas","unique_id":"hanbridge_house_gas","state_topic":"hanbridge/house/gas","device_class":"gas","state_class":"total_increasing","unit_of_measurement":"m³"},
"telegrams":{"platform":"sensor","name":"Telegrams","unique_id":"hanbridge_house_telegrams","state_topic":"hanbridge/house/telegrams","state_class":"total_increasing","suggested_display_precision":0,"entity_category":"diagnostic"},
"last_telegram":{"platform":"sensor","name":"Last telegram","unique_id":"hanbridge_house_last_telegram","state_topic":"hanbridge/house/last_telegram","device_class":"timestamp"},
"text_message":{"platform":"sensor","name":"Text message","unique_id":"hanbridge_house_text_message","state_topic":"hanbridge/house/text_message","entity_category":"diagnostic"},
"gone":{"platform":"sensor"},
"connection":{"platform":"binary_sensor","name":"Connection","unique_id":"hanbridge_house_connection","state_topic":"hanbridge/house/status","device_class":"connectivity","payload_on":"online","payload_off":"offline","entity_category":"diagnostic","availability":[{"topic":"hanbridge/status"}]}
}}`, "\n", "")

// TestCheckAcceptsValidMessages tests that Check finds no fault in valid messages of each kind.
func TestCheckAcceptsValidMessages(t *testing.T) {
	for _, errs := range [][]error{
		hatest.Check(deviceTopic, []byte(validMessage)),
		hatest.Check("home/assistant/device/hanbridge_house/config", []byte(validMessage)),
		hatest.Check(deviceTopic, nil),
		hatest.Check(deviceTopic, []byte(`{"migrate_discovery":true}`)),
		hatest.Check("homeassistant/sensor/hanbridge_house/tariff/config", []byte(singlePayload)),
	} {
		if err := errors.Join(errs...); err != nil {
			t.Errorf("valid message: got errors %v, want none", err)
		}
	}
}

// singlePayload is a valid payload in Component style.
const singlePayload = `{"name":"Tariff","unique_id":"hanbridge_house_tariff","state_topic":"hanbridge/house/tariff",` +
	`"entity_category":"diagnostic","qos":1,"availability":[{"topic":"hanbridge/status"}],` +
	`"device":{"identifiers":["hanbridge_house"],"name":"Meter"},"origin":{"name":"hanbridge"}}`

// TestCheckRefuses tests that Check finds faults in a message in Device style. In each row, old is the part of validMessage that new replaces, and
// want is a part of the error.
func TestCheckRefuses(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		// Faults outside the components.
		{"incomplete JSON", `]}}}`, `]}}`, "JSON"},
		{"a second object", `]}}}`, `]}}} {}`, "JSON"},
		{"line break", `{"device"`, "{\n\"device\"", "one line"},
		{"an array instead of an object", validMessage, `[1]`, "JSON"},
		{"null", validMessage, `null`, "JSON"},
		{"unknown root key", `{"device"`, `{"retain":true,"device"`, "retain"},
		{"~, which abbreviates topics, at the root", `{"device"`, `{"~":"hanbridge","device"`, "~"},
		{"migration mixed with a payload", `{"device"`, `{"migrate_discovery":true,"device"`, "migrate_discovery"},
		{"device is missing", `"device":{`, `"dev":{`, "device is missing"},
		{"no identifiers", `"identifiers":["hanbridge_house"],`, ``, "identifiers"},
		{"an empty list of identifiers", `["hanbridge_house"]`, `[]`, "identifiers"},
		{"an empty identifier", `["hanbridge_house"]`, `[""]`, "identifiers"},
		{"unknown device key", `"model"`, `"modell"`, "modell"},
		{"null device key", `"6525"`, `null`, "model"},
		{"empty device key", `"6525"`, `""`, "model"},
		{"number as device key", `"6525"`, `6525`, "model"},
		{"no device name", `"name":"Meter",`, ``, "name"},
		{"no origin", `"origin"`, `"o"`, "origin: name is missing"},
		{"origin without name", `"name":"hanbridge",`, ``, "name is missing"},
		{"unknown origin key", `"sw_version"`, `"version"`, "version"},
		{"bad support_url", `https://github.com/hanbridge/hanbridge`, `github`, "support_url"},
		{"components is not an object", `"components":{`, `"components":[],"availability_template":{`, "components"},
		{"abbreviated components", `"components"`, `"cmps"`, "cmps"},
		{"component without platform", `"import_power":{"platform":"sensor",`, `"import_power":{`, "platform"},
		{"unknown platform", `"platform":"binary_sensor"`, `"platform":"connectivity"`, "platform"},
		{"component is null", `"gone":{"platform":"sensor"}`, `"gone":null`, "object"},
		{"no unique_id", `"unique_id":"hanbridge_house_gas",`, ``, "unique_id is missing"},
		{"bad root mode", `"availability_mode":"all"`, `"availability_mode":"every"`, "availability_mode"},
		{"two availability topics without a mode", `,"availability_mode":"all"`, ``, "must be all"},
		{"root availability without topic", `{"topic":"hanbridge/status"},`, `{"topik":"hanbridge/status"},`, "topic"},
		{"text in the root availability", `{"topic":"hanbridge/status"},`, `"hanbridge/status",`, "objects"},
		{"not UTF-8", `"Meter"`, "\"M\xe9ter\"", "UTF-8"},
		{"migrate_discovery is false", validMessage, `{"migrate_discovery":false}`, "migrate_discovery"},
		{"identifiers as text", `["hanbridge_house"]`, `"hanbridge_house"`, "identifiers"},
		{"empty device", `"device":{`, `"device":{},"x":{`, "identifiers"},
		{"empty device name", `"name":"Meter"`, `"name":""`, "name"},
		{"device is a text", `"device":{`, `"device":"house","x":{`, "device"},
		{"an unknown key in origin beside known ones", `"origin":{`, `"origin":{"url":"http://x.y",`, "url"},
		{"topic and identifiers differ", `["hanbridge_house"]`, `["hanbridge_barn"]`, "both styles"},
		{"qos of the root", `"components":{`, `"qos":1,"components":{`, "unknown key qos"},
		{"wildcard in a topic of the root", `"components":{`, `"state_topic":"hanbridge/#","components":{`, "state_topic"},
		{"availability topic of another integration", `{"topic":"hanbridge/house/status"}`, `{"topic":"tasmota/discovery/x"}`, "topic"},
		{"no components", `"components":{`, `"components":{},"state_topic":{`, "announces nothing"},
		// One component.
		{"key with a space", `"gas":{`, `"my gas":{`, "key"},
		{"~ in a component", `"device_class":"gas"`, `"~":"hanbridge","device_class":"gas"`, "~"},
		{"bad mode of a component", `"device_class":"gas"`, `"availability_mode":"some","device_class":"gas"`, "availability_mode"},
		{"unit of a binary sensor", `"device_class":"connectivity"`, `"device_class":"connectivity","unit_of_measurement":"W"`, "unit_of_measurement"},
		{"negative precision", `"suggested_display_precision":0,"expire_after"`, `"suggested_display_precision":-1,"expire_after"`, "suggested_display_precision"},
		{"a unit with the micro sign U+00B5", `"unit_of_measurement":"W"`, `"unit_of_measurement":"µW"`, "does not fit the device class"},
		{"energy with the state class measurement", `"device_class":"energy","state_class":"total_increasing"`, `"device_class":"energy","state_class":"measurement"`, "does not fit the device class"},
		{"expiry of a counter", `"unit_of_measurement":"kWh"`, `"unit_of_measurement":"kWh","expire_after":900`, "for measurements only"},
		{"expiry before the bridge repeats the value", `"expire_after":900`, `"expire_after":60`, "expire_after must not be 60"},
		{"connection whose state topic is its own availability", `"state_topic":"hanbridge/house/status"`, `"state_topic":"hanbridge/status"`, "instead of off"},
		{"connection that inherits its state topic as availability", `"availability":[{"topic":"hanbridge/status"}]}}}`, `"payload_available":"online"}}}`, "instead of off"},
		{"unique_id with a host name", `"hanbridge_house_gas"`, `"hanbridge_pi_house_gas"`, "can change"},
		{"unique_id without the key", `"hanbridge_house_gas"`, `"hanbridge_house_17"`, "can change"},
		{"name is null", `"name":"Gas"`, `"name":null`, "name"},
		{"entity id in capitals", `"sensor.house_import_power"`, `"sensor.House_import_power"`, "default_entity_id"},
		{"unknown device class", `"device_class":"gas"`, `"device_class":"methane"`, "no device class"},
		{"binary sensor with the device class of a sensor", `"connectivity"`, `"timestamp"`, "no device class"},
		{"unknown state class", `"state_class":"total_increasing","unit_of_measurement":"m³"`, `"state_class":"rising","unit_of_measurement":"m³"`, "state_class must not be rising"},
		{"power with the state class total", `"state_class":"measurement","unit_of_measurement":"W"`, `"state_class":"total","unit_of_measurement":"W"`, "does not fit the device class"},
		{"energy without state class", `"state_class":"total_increasing","unit_of_measurement":"kWh"`, `"unit_of_measurement":"kWh"`, "does not fit the device class"},
		{"timestamp with state class", `"device_class":"timestamp"`, `"device_class":"timestamp","state_class":"measurement"`, "does not fit the device class"},
		{"timestamp with unit", `"device_class":"timestamp"`, `"device_class":"timestamp","unit_of_measurement":"s"`, "does not fit the device class"},
		{"unit in capitals", `"unit_of_measurement":"var"`, `"unit_of_measurement":"VAr"`, "does not fit the device class"},
		{"m3 instead of m³", `m³`, `m3`, "does not fit the device class"},
		{"energy without unit", `,"unit_of_measurement":"kWh"`, ``, "does not fit the device class"},
		{"null unit", `"unit_of_measurement":"kWh"`, `"unit_of_measurement":null`, "unit_of_measurement"},
		{"empty unit", `"device_class":"power_factor"`, `"device_class":"power_factor","unit_of_measurement":""`, "unit_of_measurement"},
		{"blank unit", `"unit_of_measurement":"W"`, `"unit_of_measurement":" "`, "unit_of_measurement"},
		{"state class of a binary sensor", `"device_class":"connectivity"`, `"device_class":"connectivity","state_class":"measurement"`, "state_class"},
		{"category config", `text_message","entity_category":"diagnostic"`, `text_message","entity_category":"config"`, "entity_category must not be config"},
		{"unknown category", `text_message","entity_category":"diagnostic"`, `text_message","entity_category":"system"`, "entity_category"},
		{"no state_topic", `"state_topic":"hanbridge/house/gas",`, ``, "state_topic is missing"},
		{"wildcard in state_topic", `hanbridge/house/gas`, `hanbridge/+/gas`, "state_topic"},
		{"empty level in state_topic", `hanbridge/house/gas`, `hanbridge//gas`, "state_topic"},
		{"state_topic of another integration", `hanbridge/house/gas`, `dsmr/house/gas`, "state_topic"},
		{"negative expire_after", `"expire_after":900`, `"expire_after":-1`, "expire_after"},
		{"fraction as expire_after", `"expire_after":900`, `"expire_after":1.5`, "expire_after"},
		{"unknown component key", `"expire_after"`, `"expires_after"`, "expires_after"},
		{"abbreviated component key", `"unit_of_measurement":"kWh"`, `"unit_of_meas":"kWh"`, "unit_of_meas"},
		{"object_id", `"default_entity_id":"sensor.`, `"object_id":"`, "object_id"},
		{"entity id without domain", `"sensor.house_import_power"`, `"house_import_power"`, "default_entity_id"},
		{"entity id with hyphen", `"sensor.house_import_power"`, `"sensor.my-house_import_power"`, "default_entity_id"},
		{"entity id of the wrong domain", `"sensor.house_import_power"`, `"binary_sensor.house_import_power"`, "default_entity_id"},
		{"unique_id with a point", `"hanbridge_house_gas"`, `"hanbridge.house.gas"`, "unique_id"},
		{"name repeats the device", `"name":"Gas"`, `"name":"Meter gas"`, "repeats"},
		{"no name", `"name":"Gas",`, ``, "name is missing"},
		{"precision in quotes", `"suggested_display_precision":0,"expire_after"`, `"suggested_display_precision":"0","expire_after"`, "suggested_display_precision"},
		{"precision of a sensor without numbers", `text_message","entity_category"`, `text_message","suggested_display_precision":1,"entity_category"`, "for numbers only"},
		{"enabled_by_default in quotes", `"enabled_by_default":false`, `"enabled_by_default":"false"`, "enabled_by_default"},
		{"qos 3", `"qos":1`, `"qos":3`, "qos"},
		{"payload_on equal to payload_off", `"payload_off":"offline"`, `"payload_off":"online"`, "differ"},
		// Other hubs.
		{"Domoticz drops a key by its end", `"gas":{`, `"gas_max":{`, "Domoticz"},
		{"Domoticz drops a key by its beginning", `"gas":{`, `"min_gas":{`, "Domoticz"},
		{"Domoticz drops a key by a part of it", `"gas":{`, `"gas_alarm":{`, "Domoticz"},
		{"Domoticz drops exactly this key", `"last_telegram":{`, `"last_seen":{`, "Domoticz"},
		{"Domoticz drops a unit", `"gas","state_class":"total_increasing","unit_of_measurement":"m³"`, `"signal_strength","state_class":"measurement","unit_of_measurement":"dBm"`, "Domoticz"},
		{"Gladys cannot store the number", `"unit_of_measurement":"kWh"`, `"unit_of_measurement":"Wh"`, "Gladys"},
		{"Gladys drops text that is no diagnostic", `text_message","entity_category":"diagnostic"`, `text_message"`, "Gladys"},
		{"openHAB treats a number as text", `"state_class":"total_increasing","suggested_display_precision":0`, `"suggested_display_precision":0`, "openHAB"},
	} {
		if !strings.Contains(validMessage, row.old) {
			t.Errorf("%s: the valid message has no %s", row.name, row.old)
			continue
		}
		checkRefused(t, row.name, hatest.Check(deviceTopic, []byte(strings.Replace(validMessage, row.old, row.new, 1))), row.want)
	}
}

// TestCheckRefusesAbbreviations tests that Check refuses abbreviated keys and keys that hanbridge does not use. Each key is inserted into
// validMessage, in front of the text nextKey.
func TestCheckRefusesAbbreviations(t *testing.T) {
	for _, row := range []struct{ nextKey, keys string }{
		{`"device":{"identifiers"`, "dev o cmps cmp avty avty_mode avty_t avty_tpl pl_avail pl_not_avail stat_t cmd_t e state_topic availability_topic encoding"},
		{`"name":"Gas"`, "p uniq_id def_ent_id dev_cla stat_cla unit_of_meas sug_dsp_prc ent_cat en exp_aft frc_upd val_tpl lrst_val_tpl " +
			"ops ic json_attr_t json_attr_tpl stat_t t obj_id object_id icon options value_template force_update availability_topic"},
		{`"payload_on"`, "pl_on pl_off off_dly"},
		{`"model"`, "ids cns cu mf mdl mdl_id hw sw sa sn"},
		{`"support_url"`, "sw url"},
	} {
		for _, key := range strings.Fields(row.keys) {
			payload := strings.Replace(validMessage, row.nextKey, `"`+key+`":"1",`+row.nextKey, 1)
			checkRefused(t, key, hatest.Check(deviceTopic, []byte(payload)), "unknown key "+key)
		}
	}
}

// TestCheckRefusesWhatDomoticzDrops tests that Check refuses the component keys that Domoticz ignores.
func TestCheckRefusesWhatDomoticzDrops(t *testing.T) {
	for _, key := range strings.Fields("update_available update_state power_on_behavior power_outage_memory over-load_status linkquality last_seen " +
		"sensitivity color_temp_startup requested_brightness_level requested_brightness_percent hardware_status connection_state log_level restart " +
		"action ip_address wifi_ssid wifi_signal_sensor motion_sensitivity gas_alarm gas_calibration gas_min gas_max min_gas max_gas battery") {
		payload := strings.ReplaceAll(strings.Replace(validMessage, `"gas":{`, `"`+key+`":{`, 1), `_house_gas"`, `_house_`+key+`"`)
		errs := hatest.Check(deviceTopic, []byte(payload))
		checkRefused(t, key, errs, "Domoticz")
		if len(errs) != 1 {
			t.Errorf("%s: got errors %v, want one", key, errs)
		}
	}
}

// TestCheckRefusesWhatGladysCannotStore tests that Check refuses units in which numbers become too large for Gladys.
func TestCheckRefusesWhatGladysCannotStore(t *testing.T) {
	for _, row := range []struct{ class, stateClass, units string }{
		{"power", "measurement", "mW"}, {"energy", "total_increasing", "mWh Wh J kJ cal"}, {"apparent_power", "measurement", "mVA"},
		{"reactive_power", "measurement", "mvar"}, {"reactive_energy", "total_increasing", "varh"},
	} {
		for _, unit := range strings.Fields(row.units) {
			errs := hatest.Check(topicOf("house", "q"), []byte(sensor("house", "q", row.class, row.stateClass, unit, "")))
			checkRefused(t, unit, errs, "Gladys")
			if len(errs) != 1 {
				t.Errorf("%s: got errors %v, want one", unit, errs)
			}
		}
	}
}

// TestCheckRefusesNull tests that Check refuses null for each option. The test inserts the option with the value null in front of the text objectEnd,
// which begins with the brace that ends an object of validMessage. If the object has this option already, null replaces its value, because a JSON
// decoder takes the last of equal keys.
func TestCheckRefusesNull(t *testing.T) {
	for _, row := range []struct{ objectEnd, options string }{
		{`}}}`, "name unique_id default_entity_id state_topic qos device_class entity_category enabled_by_default expire_after availability " +
			"availability_mode payload_on payload_off"},
		{`},"power_factor"`, "state_class unit_of_measurement suggested_display_precision"},
		{`}`, "device origin components availability availability_mode"},
		{`},"origin"`, "identifiers name manufacturer model serial_number sw_version via_device"},
		{`},"availability"`, "name sw_version support_url"},
		{`},{"topic":"hanbridge/house/status"}`, "topic"},
	} {
		at := strings.LastIndex(validMessage, row.objectEnd)
		for _, option := range strings.Fields(row.options) {
			payload := validMessage[:at] + `,"` + option + `":null` + validMessage[at:]
			checkRefused(t, option, hatest.Check(deviceTopic, []byte(payload)), option+" must not be <nil>")
		}
	}
}

// TestCheckRefusesTopics tests that Check refuses topics that are not discovery topics of hanbridge.
func TestCheckRefusesTopics(t *testing.T) {
	for _, topic := range []string{
		"homeassistant/device/hanbridge_house", "device/config", "device/hanbridge_house/config",
		"homeassistant/device/hanbridge.house/config", "homeassistant/device/my node/hanbridge_house/config",
		"homeassistant/text/hanbridge_house/config", "homeassistant/device/node/hanbridge_house/config", "homeassistant/device//config",
	} {
		checkRefused(t, topic, hatest.Check(topic, []byte(validMessage)), "topic")
	}
}

// TestCheckRefusesSingle tests that Check finds faults in a message in Component style. The columns are those of TestCheckRefuses.
func TestCheckRefusesSingle(t *testing.T) {
	const topic = "homeassistant/sensor/hanbridge_house/tariff/config"
	for _, row := range []struct{ name, old, new, want string }{
		{"no device", `"device"`, `"dev"`, "device: name is missing"},
		{"no origin", `"origin"`, `"o"`, "origin: name is missing"},
		{"no unique_id", `"unique_id":"hanbridge_house_tariff",`, ``, "unique_id is missing"},
		{"components", `"qos":1`, `"components":{}`, "components"},
		{"another platform", `"qos":1`, `"platform":"binary_sensor"`, "platform"},
		{"null device key", `"name":"Meter"`, `"name":"Meter","model":null`, "model"},
		{"no state_topic", `"state_topic":"hanbridge/house/tariff",`, ``, "state_topic is missing"},
		{"another device than in the topic", `["hanbridge_house"]`, `["hanbridge_barn"]`, "both styles"},
		{"two availability topics without a mode", `[{"topic":"hanbridge/status"}]`, `[{"topic":"hanbridge/status"},{"topic":"hanbridge/house/status"}]`, "must be all"},
		{"category config", `"diagnostic"`, `"config"`, "entity_category must not be config"},
	} {
		if !strings.Contains(singlePayload, row.old) {
			t.Errorf("%s: the valid message has no %s", row.name, row.old)
			continue
		}
		checkRefused(t, row.name, hatest.Check(topic, []byte(strings.Replace(singlePayload, row.old, row.new, 1))), row.want)
	}
}

// checkRefused checks that one of the errors contains want.
func checkRefused(t *testing.T, name string, errs []error, want string) {
	t.Helper()
	if err := errors.Join(errs...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got errors %v, want an error with %q in it", name, err, want)
	}
}
