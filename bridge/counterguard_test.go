package bridge

import (
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestCounterGuard checks which counters of a telegram are withheld, after a change of the meter too.
func TestCounterGuard(t *testing.T) {
	for change, want := range map[meterChange]string{
		sameMeter: "1 rejected, 0 resets", otherMake: "1 rejected, 0 resets", otherSerial: "0 rejected, 1 resets", otherSinceLastStart: "0 rejected, 0 resets",
	} {
		g := newCounterGuard(25)
		for i, kWh := range []int64{1000, 12} {
			samples := []quantity.Sample{{ID: quantity.ImportPower}, {ID: quantity.ImportEnergy, Value: obis.Decimal{Coef: kWh}}}
			got := g.check(guard.Telegram{Received: start.Add(time.Duration(i) * time.Second), Samples: samples}, []meterChange{sameMeter, change}[i])
			if text := summary(&got); i == 1 && text != want {
				t.Errorf("change %d: got %s, want %s", change, text, want)
			}
		}
	}
}

// summary returns how many values were rejected, and how many counters were reset.
func summary(g *guarded) string {
	digit := func(n int) string { return string(rune('0' + n)) }
	return digit(len(g.Rejected)) + " rejected, " + digit(len(g.Resets)) + " resets"
}

// TestCountersOfEarlierRun checks that the first telegram, and no other, has the counters of an earlier run that the telegram itself does not have.
func TestCountersOfEarlierRun(t *testing.T) {
	value := func(id quantity.ID) Value { return Value{ID: id, Number: obis.Decimal{Coef: 1000}} }
	counters := []guard.Counter{{Quantity: "import_energy", Value: obis.Decimal{Coef: 1000}}, {Quantity: "export_energy", Value: obis.Decimal{Coef: 1000}}}
	for _, tt := range []struct {
		name   string
		sent   []quantity.Sample
		change meterChange
		want   []quantity.ID
	}{
		{"a short list", nil, sameMeter, []quantity.ID{quantity.ImportEnergy, quantity.ExportEnergy}},
		{"a list with one of the counters", []quantity.Sample{{ID: quantity.ImportEnergy, Value: obis.Decimal{Coef: 1001}}}, sameMeter, []quantity.ID{quantity.ExportEnergy}},
		{"a counter that is rejected", []quantity.Sample{{ID: quantity.ImportEnergy, Value: obis.Decimal{Coef: 1}}}, sameMeter, []quantity.ID{quantity.ExportEnergy}},
		{"another meter", nil, otherSinceLastStart, nil},
	} {
		g := newCounterGuard(25)
		g.restore(&guard.Snapshot{Received: start.UnixMilli(), Counters: counters}, []Value{value(quantity.ImportEnergy), value(quantity.ExportEnergy)})
		for i, want := range [][]quantity.ID{tt.want, nil} {
			var got []quantity.ID
			checked := g.check(guard.Telegram{Received: start.Add(time.Second), Samples: slices.Clone(tt.sent)}, []meterChange{tt.change, sameMeter}[i])
			for _, v := range checked.earlier {
				got = append(got, v.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, telegram %d: got counters %v, want %v", tt.name, i+1, got, want)
			}
		}
	}
}
