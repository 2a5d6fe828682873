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

const (
	// usualHourlyRise is the largest usual rise of a household's counter, in kWh or kvarh per hour. After a larger one, only the serial number
	// shows that the meter is the same. maxHourlyRise is the largest possible rise, with three phases of 63 A.
	usualHourlyRise = 10
	maxHourlyRise   = 45
	// minProof is the counter, in kWh or kvarh, from which on continuing it is a proof: new meters have smaller ones.
	minProof = 100
	// maxAbsence is how old the values of another bridge may be to be a proof.
	maxAbsence = 50 * time.Hour
)

// compareWithRetained compares the meter with the values that the broker retains.
func (s *session) compareWithRetained(ctx context.Context, m *meter) comparison {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all, err := Retained(ctx, s.config, m.ID)
	if err != nil {
		return inconclusive
	}
	return compareMeter(all[m.ID], m.description.Serial, slices.Collect(maps.Values(m.keptCounters)), time.Now())
}

// compareMeter compares counters and the serial number of a meter with the retained topics of the same meters.id. A counter that has fallen or
// risen too far means another meter. That holds for equal serial numbers too, since some makes send the same one from every meter.
func compareMeter(kept map[string]string, serial string, counters []bridge.Value, now time.Time) comparison {
	info := parseJSON[struct{ Serial string }]([]byte(kept["info"]))
	sameSerial := info.Serial != "" && info.Serial == serial
	if info.Serial != "" && serial != "" && !sameSerial {
		return anotherMeter
	}
	last, err := time.Parse(time.RFC3339, kept[discovery.LastTelegram])
	absent := max(now.Sub(last), 0)
	hours := int64(absent/time.Hour) + 2 // values may have been published an hour before the last telegram
	found, proof := sameMeter, sameSerial
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
		case v.Number.Cmp(before) < 0, err == nil && above(maxHourlyRise):
			return anotherMeter
		case !sameSerial && (err != nil || absent > maxAbsence || above(usualHourlyRise)):
			found = inconclusive
		}
		proof = proof || energy && before.Cmp(obis.Decimal{Coef: minProof}) >= 0
	}
	if !proof {
		return inconclusive
	}
	return found
}
