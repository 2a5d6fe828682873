package mqtt

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// What a household's counter does in an hour, in kWh or kvarh: more than usual is not taken for the same meter without another proof, more than possible,
// on a fuse of 63 A with three phases, is another one.
const (
	usualRise    = 10
	possibleRise = 45
	// leastCounter is a value that no two new meters share.
	leastCounter = 100
	// longestAbsence is for how long the values of another bridge say something of its meter.
	longestAbsence = 50 * time.Hour
)

// compare looks whether the meter is the one that the broker has values of.
func (s *session) compare(ctx context.Context, m *meter) evidence {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all, err := Retained(ctx, s.config, m.ID)
	if err != nil {
		return nothingKnown
	}
	return compareMeter(all[m.ID], m.about.Serial, slices.Collect(maps.Values(m.held)), time.Now())
}

// compareMeter tells if counters go on from those that the broker retains. A number alone proves nothing: some meters send that of their make.
func compareMeter(kept map[string]string, serial string, counters []bridge.Value, now time.Time) evidence {
	info := parseJSON[struct{ Serial string }]([]byte(kept["info"]))
	numbered := info.Serial != "" && info.Serial == serial
	if info.Serial != "" && serial != "" && !numbered {
		return anotherMeter
	}
	last, err := time.Parse(time.RFC3339, kept[discovery.LastTelegram])
	absent := max(now.Sub(last), 0)
	hours := int64(absent/time.Hour) + 2 // values may have been published an hour before the last telegram
	found, proof := sameMeter, numbered
	for i := range counters {
		v := &counters[i]
		before, failed := obis.ParseDecimal([]byte(kept[v.ID.String()]))
		if failed != nil {
			continue
		}
		unit := v.ID.Row().Units[v.UnitIndex].Symbol
		energy := unit == "kWh" || unit == "kvarh"
		rise, ok := v.Number.Add(before.Neg())
		above := func(perHour int64) bool { return energy && (!ok || rise.Cmp(obis.Decimal{Coef: perHour * hours}) > 0) }
		switch {
		case v.Number.Cmp(before) < 0, err == nil && above(possibleRise):
			return anotherMeter
		case !numbered && (err != nil || absent > longestAbsence || above(usualRise)):
			found = nothingKnown
		}
		proof = proof || energy && before.Cmp(obis.Decimal{Coef: leastCounter}) >= 0
	}
	if !proof {
		return nothingKnown
	}
	return found
}
