package bridge

import (
	"slices"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// TestIdentify checks what the step says about each telegram of a sequence: whether another meter has sent it, and the description.
func TestIdentify(t *testing.T) {
	aidon := func(serial string) meter.Reading {
		return meter.Reading{Protocol: "hdlc", Family: "aidon", Meter: meter.Meter{Make: "Aidon", Serial: serial}}
	}
	kaifa := meter.Reading{Protocol: "hdlc", Family: "kaifa", Meter: meter.Meter{Make: "Kaifa"}}
	tests := []struct {
		name    string
		earlier Description
		sent    []meter.Reading
		change  meterChange // of the last telegram
		want    Description // after the last telegram
		events  []string    // of all telegrams
	}{
		{"a first meter", Description{}, []meter.Reading{aidon("1")}, sameMeter, Description{Make: "Aidon", Serial: "1", Protocol: "hdlc"}, nil},
		{"the meter of the earlier run", Description{Make: "Aidon", Serial: "1", Protocol: "hdlc"}, []meter.Reading{aidon("")}, sameMeter,
			Description{Make: "Aidon", Serial: "1", Protocol: "hdlc"}, nil},
		{"not the meter of the earlier run", Description{Make: "Aidon", Serial: "1", Protocol: "hdlc"}, []meter.Reading{aidon("2")}, otherSinceLastStart,
			Description{Make: "Aidon", Serial: "2", Protocol: "hdlc"}, []string{"meter_changed 1 > 2"}},
		{"another make, but only one of the lists has a name", Description{Make: "Landis+Gyr", List: "E450", Protocol: "hdlc"}, []meter.Reading{aidon("")},
			sameMeter, Description{Make: "Landis+Gyr", List: "E450", Protocol: "hdlc"}, nil},
		{"one telegram with another number", Description{}, []meter.Reading{aidon("1"), aidon("2")}, sameMeter,
			Description{Make: "Aidon", Serial: "1", Protocol: "hdlc"}, nil},
		{"two telegrams with another number", Description{}, []meter.Reading{aidon("1"), aidon("2"), aidon("2")}, otherSerial,
			Description{Make: "Aidon", Serial: "2", Protocol: "hdlc"}, []string{"meter_changed 1 > 2"}},
		{"another make", Description{}, []meter.Reading{aidon(""), kaifa, kaifa, kaifa}, otherMake,
			Description{Make: "Kaifa", Protocol: "hdlc"}, []string{"profile_changed aidon hdlc > kaifa hdlc"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var i identifier
			i.restore(tt.earlier, tt.earlier.Serial)
			var got identified
			var events []string
			for _, r := range tt.sent {
				got = i.check(&r, start)
				for _, e := range got.events {
					events = append(events, e.Name+" "+e.From+" > "+e.To)
				}
			}
			if got.change != tt.change || got.description != tt.want || !slices.Equal(events, tt.events) {
				t.Errorf("got change %d, %+v and events %q, want change %d, %+v and events %q", got.change, got.description, events, tt.change, tt.want, tt.events)
			}
		})
	}
}
