//go:build linux

package deploy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// homeBroker is the Supervisor's data about the broker add-on.
var homeBroker = map[string]any{
	"addon": "core_mosquitto", "host": "core-mosquitto", "port": 1883, "ssl": false, "username": "addons", "password": "it's \"$ecret\"",
	"protocol": "3.1.1",
}

// withCommonVariables adds the variables with which the script always starts hanbridge.
func withCommonVariables(variables map[string]string) map[string]string {
	variables["HANBRIDGE_STATE_DIR"], variables["HANBRIDGE_LOG_FORMAT"] = "/data", "console"
	return variables
}

// TestAddonStart runs the add-on's script with options that are hard to quote. The script must wait for the broker. It must pass the options to
// hanbridge unchanged, except empty and null options. Neither the output nor the arguments of a program must contain a secret.
func TestAddonStart(t *testing.T) {
	t.Parallel()
	const key = "000102030405060708090A0B0C0D0E0F"
	hardToQuote := "it's \"the\" `house` $HOME $(exit 3)\\n; * ü\n\n"
	s := newSupervisor(t, homeBroker)
	c := newContainer(t, s, map[string]any{
		"meter_port": "tcp://192.168.1.20:8088", "meter_name": hardToQuote, "meter_key": key, "meter_fuse": 25, "mqtt_base_topic": "", "log_level": nil,
	})
	output, err := c.run()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want := withCommonVariables(map[string]string{
		"HANBRIDGE_MQTT_URL": "mqtt://core-mosquitto:1883", "HANBRIDGE_MQTT_USERNAME": "addons", "HANBRIDGE_MQTT_PASSWORD": "it's \"$ecret\"",
		"HANBRIDGE_METER_PORT": "tcp://192.168.1.20:8088", "HANBRIDGE_METER_NAME": hardToQuote, "HANBRIDGE_METER_KEY": key, "HANBRIDGE_METER_FUSE": "25",
	})
	if diff := cmp.Diff(want, c.environment()); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if strings.Count(output, "there is no MQTT broker yet") != 1 || s.requests.Load() != 2 {
		t.Errorf("got %d requests for the broker, want 2, and one line that there is no broker yet in the output:\n%s", s.requests.Load(), output)
	}
	if !strings.HasSuffix(c.arguments(), "\nhanbridge\nrun\n") {
		t.Errorf("programs and arguments: got\n%s\nwant hanbridge run at the end", c.arguments())
	}
	for _, secret := range []string{key, "$ecret", supervisorToken} {
		if strings.Contains(c.arguments()+output, secret) {
			t.Errorf("%s is in the arguments of a program or in the output:\n%s\n%s", secret, c.arguments(), output)
		}
	}
}

// TestAddonBroker tests that the variables of the broker come from the options, or from the Supervisor if the options are empty.
func TestAddonBroker(t *testing.T) {
	t.Parallel()
	otherBroker := map[string]any{"mqtt_url": "mqtts://broker.example:8883", "mqtt_username": "anna", "mqtt_password": "right"}
	for name, row := range map[string]struct {
		brokerData, options map[string]any
		want                map[string]string
	}{
		"broker and user in the options": {homeBroker, otherBroker, map[string]string{
			"HANBRIDGE_MQTT_URL": "mqtts://broker.example:8883", "HANBRIDGE_MQTT_USERNAME": "anna", "HANBRIDGE_MQTT_PASSWORD": "right",
		}},
		"only user in the options": {homeBroker, map[string]any{"mqtt_username": "anna", "mqtt_password": "right"}, map[string]string{
			"HANBRIDGE_MQTT_URL": "mqtt://core-mosquitto:1883", "HANBRIDGE_MQTT_USERNAME": "anna", "HANBRIDGE_MQTT_PASSWORD": "right",
		}},
		"broker with TLS, no options": {map[string]any{"host": "broker", "port": 8883, "ssl": true}, nil, map[string]string{
			"HANBRIDGE_MQTT_URL": "mqtts://broker:8883",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newContainer(t, newSupervisor(t, row.brokerData), row.options)
			if output, err := c.run(); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			if diff := cmp.Diff(withCommonVariables(row.want), c.environment()); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAddonPorts tests the script with several USB serial ports. Without the option meter_port the script must list the ports and stop, because
// another program possibly uses one of the ports.
func TestAddonPorts(t *testing.T) {
	t.Parallel()
	for portCount, row := range map[int]struct {
		options   map[string]any
		wantStart bool
	}{
		0: {nil, true},
		1: {nil, true},
		2: {nil, false},
		3: {map[string]any{"meter_port": "/dev/serial/by-id/usb-2"}, true},
	} {
		t.Run(fmt.Sprintf("%d ports", portCount), func(t *testing.T) {
			c := newContainer(t, newSupervisor(t, homeBroker), row.options)
			for i := range portCount {
				c.write(fmt.Sprintf("dev/serial/by-id/usb-%d", i+1), "", 0o644)
			}
			output, err := c.run()
			if started := err == nil; started != row.wantStart {
				t.Errorf("hanbridge started: got %v, want %v:\n%s", started, row.wantStart, output)
			}
			listsPorts := strings.Contains(output, "Set meter_port") && strings.Contains(output, "/dev/serial/by-id/usb-2\n")
			if !row.wantStart && !listsPorts {
				t.Errorf("the output does not contain the ports and the option to set:\n%s", output)
			}
		})
	}
}

// TestAddonFile tests that a configuration file replaces all options. If the file has no broker, the broker comes from the Supervisor.
func TestAddonFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		"meters: []\n": {
			"HANBRIDGE_MQTT_URL": "mqtt://core-mosquitto:1883", "HANBRIDGE_MQTT_USERNAME": "addons", "HANBRIDGE_MQTT_PASSWORD": "it's \"$ecret\"",
		},
		"meters: []\nmqtt:\n  url: mqtt://elsewhere\n": {},
	} {
		c := newContainer(t, newSupervisor(t, homeBroker), map[string]any{"meter_name": "House"})
		c.write("config/hanbridge.yaml", text, 0o600)
		if output, err := c.run(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if diff := cmp.Diff(withCommonVariables(want), c.environment()); diff != "" {
			t.Errorf("%q: variables (-want +got):\n%s", text, diff)
		}
		if args := "\nhanbridge\nrun\n--config\n" + c.root + "/config/hanbridge.yaml\n"; !strings.HasSuffix(c.arguments(), args) {
			t.Errorf("%q: programs and arguments: got\n%s\nwant at the end%s", text, c.arguments(), args)
		}
	}
}

// TestAddonUnreadable requires that the script does not start hanbridge if the options are not valid JSON.
func TestAddonUnreadable(t *testing.T) {
	t.Parallel()
	c := newContainer(t, newSupervisor(t, homeBroker), nil)
	c.write("data/options.json", `{"meter_port": `, 0o600)
	if output, err := c.run(); err == nil {
		t.Errorf("the script succeeds, want an error:\n%s", output)
	}
}

// TestAddonAtBroker runs the script with the shipped defaults, and then the command check with the variables that the script sets. The command
// must connect to a Mosquitto with passwords.
func TestAddonAtBroker(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "mosquitto_passwd")
	broker := testbed.StartMosquitto(t, "allow_anonymous false", "password_file "+testbed.Passwords(t, "right", "anna"))
	c := newContainer(t, newSupervisor(t, map[string]any{
		"host": "127.0.0.1", "port": json.Number(broker.Port), "ssl": false, "username": "anna", "password": "right",
	}), readAddon(t).Options)
	if output, err := c.run(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var variables []string
	for name, value := range c.environment() {
		variables = append(variables, name+"="+value)
	}
	slices.Sort(variables)
	check := testbed.Hanbridge(t, variables, "check")
	check.AwaitOutput("connected, may publish, may retain")
	check.RequireSuccess()
}
