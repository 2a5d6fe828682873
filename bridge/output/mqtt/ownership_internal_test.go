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

// TestOwnership tests whether a bridge publishes the counters of a meter after it has received descriptions and telegrams of other bridges.
// Another bridge counts as silent after a minute, or after six times the interval of its telegrams if this is longer.
func TestOwnership(t *testing.T) {
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	earlier := infoPayload{Instance: "other.1", Since: at(-3600)} // the other bridge began an hour before this bridge
	later := infoPayload{Instance: "other.1", Since: at(3600)}    // the other bridge began an hour after this bridge
	receivedInfo := func(info infoPayload, retained bool) func(*ownership) {
		// receiveInfo does not parse the payload: "{}" means that the description was not removed, and info has the fields of the description.
		return func(o *ownership) { o.receiveInfo([]byte("{}"), retained, false, false, info, at(1)) }
	}
	ownInfo := func(retained bool) func(*ownership) {
		return func(o *ownership) {
			o.receiveInfo([]byte("{}"), retained, true, false, infoPayload{"own.1", at(-60)}, at(1))
		}
	}
	telegram := func(mark string, withheld bool, seconds int) func(*ownership) {
		return func(o *ownership) { o.receiveTelegram(mark, withheld, at(seconds)) }
	}
	compared := func(result comparison) func(*ownership) { return func(o *ownership) { o.comparison = result } }
	removed := func(o *ownership) { o.receiveInfo(nil, false, false, false, infoPayload{}, at(2)) }
	otherOnline := func(o *ownership) { o.otherOnline = true }
	stateless := func(o *ownership) { o.stateless = true }
	alreadyFirst := func(o *ownership) { o.isFirst, o.since = true, at(0) }
	for _, tt := range []struct {
		name   string
		events []func(*ownership)
		at     int // when to decide, in seconds after the connection; 9999 is so late that waiting longer changes nothing
		want   decision
	}{
		// Each name begins with the situation of this bridge:
		//   restart     it has run before
		//   update      the earlier run was of a version without marks
		//   second      another bridge publishes the meter
		//   lost state  it has lost its state file and begun a new one, and another bridge or an earlier run has published the meter
		//   no state    it always runs without a state file, and another bridge or an earlier run has published the meter
		//   takeover    a person removes the description of the other bridge (hanbridge takeover)
		//   first       it is the first bridge
		{"restart: no other bridge", nil, 2, publishCounters},
		{"restart: own description", []func(*ownership){ownInfo(true), otherOnline}, 2, publishCounters},
		{"restart: own description, and telegrams of a second bridge", []func(*ownership){ownInfo(true), telegram("other.1", true, 1)}, 2, publishCounters},
		{"restart: own description, and telegrams without a mark", []func(*ownership){ownInfo(true), telegram("", false, 1)}, 2, publishCounters},
		{"restart: no retained description, and telegrams of a second bridge", []func(*ownership){telegram("other.1", true, 1)}, 2, publishCounters},
		{"update: description without a mark, status offline", []func(*ownership){receivedInfo(infoPayload{}, true)}, 2, publishCounters},
		{"update: description without a mark, a bridge is online", []func(*ownership){receivedInfo(infoPayload{}, true), otherOnline}, 2, waitForOther},
		{"update: description without a mark, silent for a minute", []func(*ownership){receivedInfo(infoPayload{}, true), otherOnline}, 61, publishCounters},
		{"second: description of another bridge, a bridge is online", []func(*ownership){receivedInfo(earlier, true), otherOnline}, 2, waitForOther},
		{"second: description and telegram of another bridge", []func(*ownership){receivedInfo(earlier, true), telegram("other.1", false, 1)}, 30, waitForOther},
		{"second: a telegram without a mark", []func(*ownership){telegram("", false, 1)}, 30, waitForOther},
		{"second: telegrams every 100 s, silent for 599 s", []func(*ownership){telegram("", false, 1), telegram("", false, 101)}, 700, waitForOther},
		{"second: description of another bridge, not retained", []func(*ownership){receivedInfo(earlier, false)}, 2, waitForOther},
		{"second: the other is silent", []func(*ownership){telegram("other.1", false, 1)}, 62, needComparison},
		{"second: the other is silent, another meter", []func(*ownership){telegram("other.1", false, 1), compared(anotherMeter)}, 9999, withholdCounters},
		{"second: the other is silent, inconclusive", []func(*ownership){telegram("other.1", false, 1), compared(inconclusive)}, 9999, withholdCounters},
		{"second: the other is silent, inconclusive, no state file", []func(*ownership){stateless, telegram("other.1", false, 1), compared(inconclusive)}, 9999, withholdCounters},
		{"second: the other is silent, the same meter", []func(*ownership){telegram("other.1", false, 1), compared(sameMeter)}, 62, publishCounters},
		{"second: the other publishes again", []func(*ownership){telegram("other.1", false, 1), compared(sameMeter), telegram("other.1", false, 60)}, 121, waitForOther},
		{"lost state: status offline", []func(*ownership){receivedInfo(earlier, true)}, 2, needComparison},
		{"lost state: the same meter", []func(*ownership){receivedInfo(earlier, true), compared(sameMeter)}, 2, publishCounters},
		{"lost state: another meter", []func(*ownership){receivedInfo(earlier, true), compared(anotherMeter)}, 9999, withholdCounters},
		{"no state: inconclusive", []func(*ownership){stateless, receivedInfo(earlier, true), compared(inconclusive)}, 30, waitForOther},
		{"no state: inconclusive for a minute", []func(*ownership){stateless, receivedInfo(earlier, true), compared(inconclusive)}, 61, publishCounters},
		{"no state: another meter", []func(*ownership){stateless, receivedInfo(earlier, true), compared(anotherMeter)}, 9999, withholdCounters},
		{"takeover: the other bridge is not online", []func(*ownership){receivedInfo(earlier, true), compared(anotherMeter), removed}, 3, publishCounters},
		{"takeover: the other has just published", []func(*ownership){receivedInfo(earlier, true), telegram("other.1", false, 1), removed}, 30, waitForOther},
		{"takeover: the other is silent", []func(*ownership){receivedInfo(earlier, true), telegram("other.1", false, 1), removed}, 62, publishCounters},
		{"takeover: the other publishes afterwards", []func(*ownership){telegram("other.1", false, 1), removed, telegram("other.1", false, 3), compared(anotherMeter)}, 99, withholdCounters},
		{"first: another bridge starts later", []func(*ownership){alreadyFirst, receivedInfo(later, false), telegram("other.1", false, 2)}, 3, publishCounters},
		{"first: another bridge has started before", []func(*ownership){alreadyFirst, receivedInfo(earlier, false)}, 3, waitForOther},
		{"first: a version without marks starts later", []func(*ownership){alreadyFirst, receivedInfo(infoPayload{}, false), telegram("", false, 2)}, 3, publishCounters},
		{"first: description removed", []func(*ownership){alreadyFirst, removed}, 3, publishCounters},
		{"first: another bridge has replaced its description while this bridge was disconnected", []func(*ownership){alreadyFirst, receivedInfo(earlier, true)}, 3, needComparison},
		{"first: both started at the same time, the other mark is higher", []func(*ownership){alreadyFirst, receivedInfo(infoPayload{"zzz.1", at(0)}, false)}, 3, publishCounters},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &ownership{ownMark: "own.1", minSilence: time.Minute}
			o.resetForConnection(at(0))
			for _, event := range tt.events {
				event(o)
			}
			if got := o.decide(at(tt.at)); got != tt.want {
				t.Errorf("got %v, want %v (0 is publishCounters, 1 waitForOther, 2 needComparison, 3 withholdCounters): %+v", got, tt.want, o)
			}
		})
	}
}

// TestTwoBridgesAgreeOnFirst tests that two bridges never both become the first, whatever the order in which their descriptions arrive. If no
// bridge is claiming any more (see ownership.claiming), one of them must be the first.
func TestTwoBridgesAgreeOnFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := [2]string{"a.1", "b.1"}
		var bridges [2]ownership
		for i := range bridges {
			bridges[i] = ownership{ownMark: marks[i]}
			bridges[i].resetForConnection(began)
			bridges[i].claiming = true
			bridges[i].since = began.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Millisecond)
		}
		for range 6 {
			sender := rapid.IntRange(0, 1).Draw(t, "sender")
			info := infoPayload{marks[sender], bridges[sender].since}
			if bridges[sender].isFirst || bridges[sender].claiming {
				bridges[1-sender].receiveInfo([]byte("{}"), false, false, false, info, began)
			}
			for i := range bridges {
				if bridges[i].claiming && rapid.Bool().Draw(t, "claim over") {
					bridges[i].isFirst, bridges[i].claiming = true, false
				}
			}
		}
		for i := range bridges { // finally each description arrives at the other bridge
			if bridges[i].isFirst || bridges[i].claiming {
				bridges[1-i].receiveInfo([]byte("{}"), false, false, false, infoPayload{marks[i], bridges[i].since}, began)
			}
		}
		if bridges[0].isFirst && bridges[1].isFirst {
			t.Errorf("both bridges are the first: %+v", bridges)
		}
		if !bridges[0].isFirst && !bridges[1].isFirst && !bridges[0].claiming && !bridges[1].claiming {
			t.Errorf("no bridge is the first: %+v", bridges)
		}
	})
}

// TestCompareMeter tests the comparison of a meter with the values that another bridge has retained. Each name begins with
// the result; "unknown" is the result inconclusive.
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
		retained map[string]string // values of the other bridge, by the names of their topics
		serial   string            // the serial number of this bridge's meter; "" if it is not known
		counters []bridge.Value    // the counters of this bridge's meter
		want     comparison
	}{
		{"same: slightly more", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, sameMeter},
		{"same: after two days", map[string]string{"last_telegram": ago(49 * time.Hour), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40190.000")}, sameMeter},
		{"same: serial number, after a year", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(9000 * time.Hour), "import_energy": "40140.615"}, "73",
			[]bridge.Value{counter(quantity.ImportEnergy, "50000.000")}, sameMeter},
		{"another: serial number", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "74",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, anotherMeter},
		{"another: same serial number, less", map[string]string{"info": `{"serial":"73"}`, "last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "73",
			[]bridge.Value{counter(quantity.ImportEnergy, "17425.823")}, anotherMeter},
		{"another: less", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.614")}, anotherMeter},
		{"another: much more", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "46140.615")}, anotherMeter},
		{"another: less gas", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "40140.615", "gas": "912.000"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40140.700"), counter(quantity.Gas, "911.999")}, anotherMeter},
		{"unknown: nothing retained", nil, "", []bridge.Value{counter(quantity.ImportEnergy, "40140.700")}, inconclusive},
		{"unknown: two new meters", map[string]string{"last_telegram": ago(time.Minute), "import_energy": "0.000"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "3.000")}, inconclusive},
		{"unknown: only gas", map[string]string{"last_telegram": ago(time.Minute), "gas": "912.000"}, "", []bridge.Value{counter(quantity.Gas, "912.100")}, inconclusive},
		{"unknown: too long ago", map[string]string{"last_telegram": ago(60 * time.Hour), "import_energy": "40140.615"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, inconclusive},
		{"unknown: no time of the last telegram", map[string]string{"import_energy": "40140.615"}, "", []bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, inconclusive},
		{"unknown: a payload that is no number", map[string]string{"last_telegram": ago(0), "import_energy": "unknown"}, "",
			[]bridge.Value{counter(quantity.ImportEnergy, "40141.000")}, inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := compareMeter(tt.retained, tt.serial, tt.counters, began); got != tt.want {
				t.Errorf("got %v, want %v (0 is notCompared, 1 sameMeter, 2 anotherMeter, 3 inconclusive)", got, tt.want)
			}
		})
	}
}
