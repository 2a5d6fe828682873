package mqtt

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

var began = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestClaim(t *testing.T) {
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	other := description{Instance: "other.1", Since: at(-3600)}
	late := description{Instance: "other.1", Since: at(3600)}
	info := func(d description, retained bool) func(*claim) {
		return func(c *claim) { c.info([]byte("{}"), retained, false, false, d, at(1)) }
	}
	own := func(retained bool) func(*claim) {
		return func(c *claim) { c.info([]byte("{}"), retained, true, false, description{"own.1", at(-60)}, at(1)) }
	}
	telegram := func(mark string, withheld bool, seconds int) func(*claim) {
		return func(c *claim) { c.telegram(mark, withheld, at(seconds)) }
	}
	found := func(e evidence) func(*claim) { return func(c *claim) { c.evidence = e } }
	removed := func(c *claim) { c.info(nil, false, false, false, description{}, at(2)) }
	alive := func(c *claim) { c.alive = true }
	stateless := func(c *claim) { c.unknown = true }
	taken := func(c *claim) { c.first, c.began = true, at(0) }
	for _, tt := range []struct {
		name   string
		events []func(*claim)
		at     int // seconds
		want   decision
	}{
		{"restart: nobody there", nil, 2, publish},
		{"restart: own description", []func(*claim){own(true), alive}, 2, publish},
		{"restart: own description, and telegrams of a second bridge", []func(*claim){own(true), telegram("other.1", true, 1)}, 2, publish},
		{"restart: own description, and telegrams without a mark", []func(*claim){own(true), telegram("", false, 1)}, 2, publish},
		{"restart: a broker that has lost all, and a bridge that says it is second", []func(*claim){telegram("other.1", true, 1)}, 2, publish},
		{"update: description without a mark, said goodbye", []func(*claim){info(description{}, true)}, 2, publish},
		{"update: description without a mark, somebody there", []func(*claim){info(description{}, true), alive}, 2, wait},
		{"update: description without a mark, silent for a minute", []func(*claim){info(description{}, true), alive}, 61, publish},
		{"second: another's description, somebody there", []func(*claim){info(other, true), alive}, 2, wait},
		{"second: another's description and telegram", []func(*claim){info(other, true), telegram("other.1", false, 1)}, 30, wait},
		{"second: a telegram without a mark", []func(*claim){telegram("", false, 1)}, 30, wait},
		{"second: telegrams long apart", []func(*claim){telegram("", false, 1), telegram("", false, 101)}, 700, wait},
		{"second: another's description comes first", []func(*claim){info(other, false)}, 2, wait},
		{"second: the other is silent", []func(*claim){telegram("other.1", false, 1)}, 62, ask},
		{"second: the other is silent, another meter", []func(*claim){telegram("other.1", false, 1), found(anotherMeter)}, 9999, withhold},
		{"second: the other is silent, nothing known", []func(*claim){telegram("other.1", false, 1), found(nothingKnown)}, 9999, withhold},
		{"second: the same without a state", []func(*claim){stateless, telegram("other.1", false, 1), found(nothingKnown)}, 9999, withhold},
		{"second: the other is silent, the same meter", []func(*claim){telegram("other.1", false, 1), found(sameMeter)}, 62, publish},
		{"second: it is heard again", []func(*claim){telegram("other.1", false, 1), found(sameMeter), telegram("other.1", false, 60)}, 121, wait},
		{"lost state: said goodbye", []func(*claim){info(other, true)}, 2, ask},
		{"lost state: the same meter", []func(*claim){info(other, true), found(sameMeter)}, 2, publish},
		{"lost state: another meter", []func(*claim){info(other, true), found(anotherMeter)}, 9999, withhold},
		{"no state: nothing known", []func(*claim){stateless, info(other, true), found(nothingKnown)}, 30, wait},
		{"no state: nothing known for a minute", []func(*claim){stateless, info(other, true), found(nothingKnown)}, 61, publish},
		{"no state: another meter", []func(*claim){stateless, info(other, true), found(anotherMeter)}, 9999, withhold},
		{"a person acts", []func(*claim){info(other, true), found(anotherMeter), removed}, 3, publish},
		{"a person acts too early", []func(*claim){info(other, true), telegram("other.1", false, 1), removed}, 30, wait},
		{"a person acts, the other is gone", []func(*claim){info(other, true), telegram("other.1", false, 1), removed}, 62, publish},
		{"a person acts, the other still speaks", []func(*claim){telegram("other.1", false, 1), removed, telegram("other.1", false, 3), found(anotherMeter)}, 99, withhold},
		{"first: another comes later", []func(*claim){taken, info(late, false), telegram("other.1", false, 2)}, 3, publish},
		{"first: another was there before", []func(*claim){taken, info(other, false)}, 3, wait},
		{"first: the version before comes later", []func(*claim){taken, info(description{}, false), telegram("", false, 2)}, 3, publish},
		{"first: description removed", []func(*claim){taken, removed}, 3, publish},
		{"first: taken over while away", []func(*claim){taken, info(other, true)}, 3, ask},
		{"first: both at the same time", []func(*claim){taken, info(description{"zzz.1", at(0)}, false)}, 3, publish},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &claim{mark: "own.1", patience: time.Minute}
			c.connect(at(0))
			for _, event := range tt.events {
				event(c)
			}
			if got := c.decide(at(tt.at)); got != tt.want {
				t.Errorf("got %v, want %v (publish, wait, ask, withhold): %+v", got, tt.want, c)
			}
		})
	}
}

// TestOneIsFirst has two bridges that hear of each other in any order: of two that hear each other's descriptions, one is first.
func TestOneIsFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := [2]string{"a.1", "b.1"}
		var sides [2]claim
		for i := range sides {
			sides[i] = claim{mark: marks[i]}
			sides[i].connect(began)
			sides[i].claiming = true
			sides[i].began = began.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Millisecond)
		}
		for range 6 {
			from := rapid.IntRange(0, 1).Draw(t, "from")
			d := description{marks[from], sides[from].began}
			if sides[from].first || sides[from].claiming {
				sides[1-from].info([]byte("{}"), false, false, false, d, began)
			}
			for i := range sides {
				if sides[i].claiming && rapid.Bool().Draw(t, "over") {
					sides[i].first, sides[i].claiming = true, false
				}
			}
		}
		for i := range sides { // what is retained, or said again, is heard in the end
			if sides[i].first || sides[i].claiming {
				sides[1-i].info([]byte("{}"), false, false, false, description{marks[i], sides[i].began}, began)
			}
		}
		if sides[0].first && sides[1].first {
			t.Errorf("both are first: %+v", sides)
		}
		if !sides[0].first && !sides[1].first && !sides[0].claiming && !sides[1].claiming {
			t.Errorf("none is first: %+v", sides)
		}
	})
}

func TestCompareMeter(t *testing.T) {
	counter := func(id quantity.ID, text string) bridge.Value {
		n, err := obis.ParseDecimal([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return bridge.Value{ID: id, Number: n, Decimals: 3}
	}
	ago := func(d time.Duration) string { return began.Add(-d).Format(time.RFC3339) }
	for _, tt := range []struct {
		name     string
		kept     map[string]string
		serial   string
		counters []bridge.Value
		want     evidence
	}{
		{"same: goes on", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, sameMeter},
		{"same: after two days", map[string]string{"last_telegram": ago(49 * time.Hour), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40190.000")}, sameMeter},
		{"same: by its number after a year", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(9000 * time.Hour), "import_energy": "40140.615"}, "73",
			[]bridge.Value{counter(quantity.ImportEnergy, "50000.000")}, sameMeter},
		{"another: number", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "74",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, anotherMeter},
		{"another: the same number, less", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "73",
			[]bridge.Value{counter(quantity.ImportEnergy, "17425.823")}, anotherMeter},
		{"another: less", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.614")}, anotherMeter},
		{"another: much more", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "46140.615")}, anotherMeter},
		{"another: less gas", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615", "gas": "912.000"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700"), counter(quantity.Gas, "911.999")}, anotherMeter},
		{"unknown: nothing retained", nil, "", []bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, nothingKnown},
		{"unknown: two new meters", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "0.000"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "3.000")}, nothingKnown},
		{"unknown: gas alone", map[string]string{"last_telegram": ago(time.Minute), "gas": "912.000"}, "", []bridge.Value{counter(quantity.Gas, "912.100")}, nothingKnown},
		{"unknown: too long ago", map[string]string{"last_telegram": ago(60 * time.Hour), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, nothingKnown},
		{"unknown: not known when", map[string]string{"import_energy": "40140.615"}, "", []bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, nothingKnown},
		{"unknown: a payload that is no number", map[string]string{"last_telegram": ago(0), "import_energy": "unknown"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, nothingKnown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := compareMeter(tt.kept, tt.serial, tt.counters, began); got != tt.want {
				t.Errorf("got %v, want %v (not asked, same, another, nothing known)", got, tt.want)
			}
		})
	}
}
