package hatest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

func TestCheckState(t *testing.T) {
	announced := map[string][]byte{
		deviceTopic: []byte(sound),
		topicOf("house", "voltage_l1"): []byte(strings.Replace(sensor("house", "voltage_l1", "voltage", "measurement", "V", ""),
			`"name":"Q"`, `"name":"Q","suggested_display_precision":1`, 1)),
	}
	for _, row := range []struct{ topic, sound, wrong string }{
		{"import_power", "0,12,-5,1727", "12 W;1,5;nan;inf;null;unknown;unavailable;0x10;None;1e3;+1;01;-0;.5;5.;1.0; 1;;1 000"},
		{"voltage_l1", "230.0,-0.1,0.0", "230;230.00;-0.0;00.1"},
		{"import_energy", "0,12.345", "-1;-0.001;None"},
		{"telegrams", "0,17", "17.0;-1"},
		{"power_factor", "0.98,1", "x"},
		{"last_telegram", "2026-01-15T12:00:00Z,2026-01-15T12:00:00.5+01:00", "2026-01-15T12:00:00;1768478400;2026-01-15 12:00:00Z;None;"},
		{"text_message", "any words,ü" + strings.Repeat("é", 254), "None;\xff;;" + strings.Repeat("é", 256)},
		{"breaker", "open,closed", "Open;;on"},
		{"status", "online,offline", "Online;on;1;"},
		{"peak", `{"v":1.5}`, "1.5;"},
		{"nobody", "whatever", "\x00"},
	} {
		for _, payload := range strings.Split(row.sound, ",") {
			if errs := hatest.CheckState(announced, "hanbridge/house/"+row.topic, []byte(payload)); len(errs) > 0 {
				t.Errorf("refused: %v", errs)
			}
		}
		if row.topic == "nobody" {
			continue
		}
		for _, payload := range strings.Split(row.wrong, ";") {
			if errs := hatest.CheckState(announced, "hanbridge/house/"+row.topic, []byte(payload)); len(errs) == 0 {
				t.Errorf("%s takes %q", row.topic, payload)
			}
		}
	}
	states := map[string][]byte{"hanbridge/house/gas": []byte("1.5"), "hanbridge/status": []byte("gone"), "hanbridge/house/breaker": []byte("ajar")}
	if got := len(hatest.CheckStates(announced, states)); got != 12 { // the breaker, and the bridge's status for each entity but the one of its own
		t.Errorf("CheckStates: got %d faults, want 12: %v", got, hatest.CheckStates(announced, states))
	}
}

func TestStateTopics(t *testing.T) {
	got := hatest.StateTopics(map[string][]byte{
		topicOf("house", "gas"): []byte(power("house", "gas")), topicOf("barn", "gas"): []byte(power("barn", "gas")), topicOf("shed", "gas"): nil,
	})
	if want := []string{"hanbridge/barn/gas", "hanbridge/house/gas"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
