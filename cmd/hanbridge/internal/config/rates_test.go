package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestQuantitiesText tests that the publish settings of quantities are read from the variable HANBRIDGE_QUANTITIES.
func TestQuantitiesText(t *testing.T) {
	tests := []struct{ in, want, wantErr string }{
		{in: "", want: ""},
		{in: " ; ", want: ""},
		{in: "import_power min_interval=5s deadband=10 deadband=1%; voltage_* max_silence=60s",
			want: "import_power min_interval=5s deadband=10 deadband=1%; voltage_* max_silence=1m0s"},
		{in: "import_power deadband=0.5% max_silence=90s min_interval=0", want: "import_power min_interval=0s deadband=0.5% max_silence=1m30s"},
		{in: "* min_interval=24h", want: "* min_interval=24h0m0s"},
		{in: "breaker min_interval=1h30m", want: "breaker min_interval=1h30m0s"},
		{in: "import_powr min_interval=5s", wantErr: `"import_powr" is not a quantity (did you mean import_power`},
		{in: "voltge_* min_interval=5s", wantErr: `"voltge_*" is the beginning of no quantity (did you mean voltage_*?)`},
		{in: "*_l1 min_interval=5s", wantErr: `"*_l1": a * can only be the last character, as in voltage_*`},
		{in: "gas min_interval=5s; gas deadband=1", wantErr: `gas: already set: keep one of the two`},
		{in: "gas", wantErr: `gas: has no settings: write for example gas min_interval=5s`},
		{in: "gas min_interval=5s, water min_interval=5s", wantErr: `gas: "water" is not a setting and its value: write for example min_interval=5s (a semicolon separates two quantities)`},
		{in: "gas water", wantErr: `gas: "water" is not a setting and its value: write for example min_interval=5s (a semicolon separates`},
		{in: "gas min_intervall=5s", wantErr: `gas.min_intervall: no such key (did you mean "min_interval"?)`},
		{in: "gas often=5s", wantErr: `gas.often: no such key (known here: min_interval, deadband, max_silence)`},
		{in: "gas min_interval=5", wantErr: `gas.min_interval: "5" has no unit: write 5s for seconds, 5m for minutes`},
		{in: "gas min_interval=2d", wantErr: `gas.min_interval: "2d" is not a time`},
		{in: "gas min_interval=-5s", wantErr: `gas.min_interval: "-5s" is out of range: write from 0s to 24h`},
		{in: "gas max_silence=25h", wantErr: `gas.max_silence: "25h" is out of range: write from 0s to 24h`},
		{in: "gas min_interval=0 deadband=0 max_silence=0", want: "gas min_interval=0s deadband=0 max_silence=0s"},
		{in: "gas min_interval=5s min_interval=6s", wantErr: `gas.min_interval: already set: keep one of the two`},
		{in: "gas deadband=", wantErr: `gas.deadband: has no value`},
		{in: "gas deadband=0,5", wantErr: `gas.deadband: "0,5" is not a number: write it with a point`},
		{in: "gas deadband=10W", wantErr: `gas.deadband: "10W" is not a number: write one in the unit`},
		{in: "gas deadband=-1", wantErr: `gas.deadband: "-1" is out of range`},
		{in: "gas deadband=101%", wantErr: `gas.deadband: "101%" is out of range`},
		{in: "gas deadband=1 deadband=2", wantErr: `gas.deadband: "2" is one too many`},
		{in: "gas min_interval=1m max_silence=30s", wantErr: `gas: max_silence is shorter than min_interval`},
		{in: "tariff deadband=1", wantErr: `tariff: is text: only min_interval can be set`},
		{in: "text_* max_silence=1h", wantErr: `text_*: is text: only min_interval can be set`},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			cfg, err := Load("", []string{"HANBRIDGE_QUANTITIES=" + tt.in})
			checkErr(t, err, tt.wantErr)
			if got := ratesText(cfg.Quantities); err == nil && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// ratesText returns the publish settings of quantities in the form of the variable HANBRIDGE_QUANTITIES.
func ratesText(o throttle.Overrides) string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		words, override := []string{name}, o[name]
		if override.MinInterval != nil {
			words = append(words, "min_interval="+override.MinInterval.String())
		}
		if override.Deadband != nil {
			words = append(words, "deadband="+strings.ReplaceAll(override.Deadband.String(), " ", " deadband="))
		}
		if override.MaxSilence != nil {
			words = append(words, "max_silence="+override.MaxSilence.String())
		}
		items = append(items, strings.Join(words, " "))
	}
	return strings.Join(items, "; ")
}

// TestQuantitiesFile tests that a wrong publish setting in the file is reported with its line number.
func TestQuantitiesFile(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a list", "quantities: [ gas ]\n", `config.yaml:1: quantities: want the names of quantities in the lines below, without a dash`},
		{"a value in place of settings", "quantities:\n  gas: 5s\n", `config.yaml:2: quantities.gas: has no settings: write for example min_interval: 5s in the line below`},
		{"a quantity without settings", "quantities:\n  gas:\n", `config.yaml:2: quantities.gas: has no settings`},
		{"unknown setting", "quantities:\n  gas:\n    deadbnd: 5\n", `config.yaml:3: quantities.gas.deadbnd: no such key (did you mean "deadband"?)`},
		{"number without a unit", "quantities:\n  gas:\n    min_interval: 5\n", `config.yaml:3: quantities.gas.min_interval: "5" has no unit: write 5s for seconds`},
		{"setting twice", "quantities:\n  gas:\n    deadband: 1\n    deadband: 1%\n", `config.yaml:4: quantities.gas.deadband: already set in line 3`},
		{"quantity twice", "quantities:\n  gas: { deadband: 1 }\n  gas: { deadband: 2 }\n", `config.yaml:3: quantities.gas: already set in line 2`},
		{"pattern twice", "quantities:\n  volt*: { deadband: 1 }\n  volt*: { deadband: 2 }\n", `config.yaml:3: quantities.volt*: already set in line 2`},
		{"no value", "quantities:\n  gas: { deadband: }\n", `config.yaml:2: quantities.gas.deadband: has no value: write one after the colon`},
		{"list of two values", "quantities:\n  gas: { deadband: [ 1, 2% ] }\n", `config.yaml:2: quantities.gas.deadband: want one value, not a list or keys below it`},
		{"a semicolon, as in the variable", "quantities:\n  gas: { min_interval: \"5s; water\" }\n", `config.yaml:2: quantities.gas.min_interval: "5s; water" is not a time`},
		{"a text quantity", "quantities:\n  tariff: { deadband: 1 }\n", `config.yaml:2: quantities.tariff: is text: only min_interval can be set`},
		{"pattern that matches no quantity", "quantities: { volts_*: { deadband: 1 } }\n", `config.yaml:1: quantities: "volts_*" is the beginning of no quantity`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(writeTemp(t, tt.text), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error:\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestConfigWritten tests that Load returns the same configuration for the text that Text returns.
func TestConfigWritten(t *testing.T) {
	want, err := Load("testdata/full.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := Text(want, ShowSecrets)
	got, err := Load(writeTemp(t, text), nil)
	if err != nil {
		t.Fatalf("Load: %v, for the text\n%s", err, text)
	}
	if diff := cmp.Diff(want, got, configEqual); diff != "" {
		t.Errorf("configuration read from the text (-want +got):\n%s", diff)
	}
}

// TestPlan tests that the settings of a quantity override the preset, and that the other quantities have the settings of the preset.
func TestPlan(t *testing.T) {
	c := defaultConfig()
	c.Quantities = parseQuantities(t, "import_* min_interval=7s; import_power deadband=1%; gas min_interval=0 deadband=0 max_silence=0")
	preset := throttle.NewPlan(throttle.Balanced)
	for i := range quantity.Rows() {
		id := quantity.ID(i)
		want := preset.Rate(id)
		if strings.HasPrefix(id.String(), "import_") {
			want.MinInterval = 7 * time.Second
			want.MaxSilence = max(want.MaxSilence, want.MinInterval) // a plan has no MaxSilence below MinInterval
		}
		switch id.String() {
		case "import_power":
			want.Deadband = throttle.Deadband{Percent: obis.Decimal{Coef: 1}}
		case "gas":
			want = throttle.Rate{}
		}
		if got := c.MQTTPlan().Rate(id); got != want {
			t.Errorf("%v: got %+v, want %+v", id, got, want)
		}
	}
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		c := defaultConfig()
		c.Publish = preset
		const anyQuantity = quantity.ImportPower
		if diff := cmp.Diff(throttle.NewPlan(preset).Rate(anyQuantity), c.MQTTPlan().Rate(anyQuantity)); diff != "" {
			t.Errorf("rate with preset %v (-want +got):\n%s", preset, diff)
		}
	}
}

// TestMQTTPlan tests that the MQTT output has the preset of mqtt.publish with the settings of single quantities, and the preset of publish if
// mqtt.publish is not set.
func TestMQTTPlan(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		env        []string
		want       throttle.Preset
	}{
		{"neither is set", "", nil, throttle.Balanced},
		{"only publish", "publish: frugal\n", nil, throttle.Frugal},
		{"both", "publish: frugal\nmqtt: {publish: realtime}\n", nil, throttle.Realtime},
		{"the variable overrides the file", "mqtt: {publish: realtime}\n", []string{"HANBRIDGE_MQTT_PUBLISH=frugal"}, throttle.Frugal},
		{"the variable of publish", "mqtt: {publish: realtime}\n", []string{"HANBRIDGE_PUBLISH=frugal"}, throttle.Realtime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(writeTemp(t, tt.text+"quantities: {gas: {min_interval: 7s, max_silence: 8s}}\n"), tt.env)
			if err != nil {
				t.Fatal(err)
			}
			preset := throttle.NewPlan(tt.want)
			for _, plan := range []*throttle.Plan{c.MQTTPlan(), c.Output().Plan} {
				if got, want := plan.Rate(quantity.ImportPower), preset.Rate(quantity.ImportPower); got != want || plan.DiagnosticsInterval() != preset.DiagnosticsInterval() {
					t.Errorf("import_power: got %+v, want %+v", got, want)
				}
				if got, want := plan.Rate(quantity.Gas), (throttle.Rate{MinInterval: 7 * time.Second, MaxSilence: 8 * time.Second}); got != want {
					t.Errorf("gas: got %+v, want %+v", got, want)
				}
			}
		})
	}
}

// TestConfigTextIsReadBack tests that Text writes values that need quotes so that Load returns the same values, and that HideSecrets hides
// secrets.
func TestConfigTextIsReadBack(t *testing.T) {
	for _, text := range []string{"", readText(t, "testdata/full.yaml"), "mqtt: {url: embedded, username: \"007\", password: \"# a: 'b' \\\" \"}\n"} {
		want, err := Load(writeTemp(t, text), []string{"HANBRIDGE_MQTT_URL=mqtts://b"})
		if err != nil {
			t.Fatal(err)
		}
		file := writeTemp(t, Text(want, ShowSecrets))
		got, err := Load(file, nil)
		if err != nil {
			t.Fatalf("Load: %v, for the text\n%s", err, Text(want, ShowSecrets))
		}
		if diff := cmp.Diff(want, got, configEqual); diff != "" {
			t.Errorf("configuration read from the text (-want +got):\n%s\nThe text:\n%s", diff, Text(want, ShowSecrets))
		}
		// In full.yaml the last meter has a key.
		for _, secret := range []string{string(want.MQTT.Password), string(want.Meters[len(want.Meters)-1].Key)} {
			if secret != "" && strings.Contains(Text(want, HideSecrets), secret) {
				t.Errorf("a secret is in the text\n%s", Text(want, HideSecrets))
			}
		}
	}
}
