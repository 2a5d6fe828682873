package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func named(t testing.TB, name string) quantity.ID {
	t.Helper()
	id, ok := quantity.ByName(name)
	if !ok {
		t.Fatalf("no quantity %q", name)
	}
	return id
}

func TestValueIsWrittenTheSameWayEachTime(t *testing.T) {
	tests := []struct {
		name, quantity string
		sent           []obis.Decimal
		want           []string
	}{
		{"as many decimals as the row says", "voltage_l1", []obis.Decimal{{Coef: 230}, {Coef: 2307, Exp: -1}}, []string{"230.0", "230.7"}},
		{"as many as the meter first sent", "current_l1", []obis.Decimal{{Coef: 12, Exp: -1}, {Coef: 3}}, []string{"1.2", "3.0"}},
		{"none where it first sent none", "current_l1", []obis.Decimal{{Coef: 2}, {Coef: 3}}, []string{"2", "3"}},
		{"three at most", "current_l1", []obis.Decimal{{Coef: 12344, Exp: -4}}, []string{"1.234"}},
		{"negative", "net_power", []obis.Decimal{{Coef: -1727}}, []string{"-1727"}},
		{"watt-hours as kilowatt-hours", "import_energy", []obis.Decimal{{Coef: 10049414, Exp: -3}, {Coef: 10049414}}, []string{"10049.414", "10049414.000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var k descriptors
			id := named(t, tt.quantity)
			for i, sent := range tt.sent {
				v := k.value(&quantity.Sample{ID: id, Value: sent}, time.Now())
				if got := string(v.Append(nil)); got != tt.want[i] {
					t.Errorf("telegram %d: got %q, want %q", i, got, tt.want[i])
				}
			}
		})
	}
}

func TestValueOwnsItsText(t *testing.T) {
	var k descriptors
	text := []byte("tonight")
	id := quantity.TextMessage
	first := k.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	copy(text, "earlier")
	second := k.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	if first.Text != "tonight" || second.Text != "earlier" {
		t.Errorf("got %q and %q, want tonight and earlier", first.Text, second.Text)
	}
}
