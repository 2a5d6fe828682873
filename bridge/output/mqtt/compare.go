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
	// usualHourlyRise is the largest usual rise of a household's counter, in kWh or kvarh per hour. If a counter has risen faster, only an
	// equal serial number shows that the meter is the same.
	usualHourlyRise = 10
	// maxHourlyRise is the largest possible rise, in kWh or kvarh per hour: three phases of 63 A at 230 V are 43 kW.
	maxHourlyRise = 45
	// minConfirmingCounter is the smallest retained counter, in kWh or kvarh, that can show that the meter is the same. Two new meters can both
	// have smaller counters.
	minConfirmingCounter = 100
	// maxRetainedAge is the largest age of retained values that can show, without an equal serial number, that the meter is the same.
	maxRetainedAge = 50 * time.Hour
	// compareTimeout limits reading the retained values, because the session waits for them.
	compareTimeout = 5 * time.Second
)

// compareWithRetained compares the meter with the values that the broker retains. The result is inconclusive if the values cannot be read.
func (s *session) compareWithRetained(ctx context.Context, m *meter) comparison {
	ctx, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	all, err := Retained(ctx, s.config, m.ID)
	if err != nil {
		return inconclusive
	}
	return compareMeter(all[m.ID], m.description.Serial, slices.Collect(maps.Values(m.withheldCounters)), time.Now())
}

// compareMeter compares counters and the serial number of a meter with the retained topics of the same meter id. The keys of retained are the
// topics below the topic of the meter. A counter that has fallen or has risen too far means another meter, even if the serial numbers are
// equal. The serial number alone is not enough, because all meters of some manufacturers send the same serial number.
func compareMeter(retained map[string]string, serial string, counters []bridge.Value, now time.Time) comparison {
	info := parseJSON[struct{ Serial string }]([]byte(retained["info"]))
	sameSerial := info.Serial != "" && info.Serial == serial
	if info.Serial != "" && serial != "" && !sameSerial {
		return anotherMeter
	}
	lastTelegram, timeErr := time.Parse(time.RFC3339, retained[discovery.LastTelegram])
	age := max(now.Sub(lastTelegram), 0)
	hours := int64(age/time.Hour) + 2 // one to round up, and one because a counter is possibly an hour older than the last telegram
	// confirmed is true if the serial number or a counter shows that the meter is the same. If confirmed, compareMeter returns result.
	result, confirmed := sameMeter, sameSerial
	for i := range counters {
		v := &counters[i]
		oldCounter, parseErr := obis.ParseDecimal([]byte(retained[v.ID.String()]))
		if parseErr != nil {
			continue
		}
		unit := v.ID.Row().Units[v.UnitIndex].Symbol
		isEnergy := unit == "kWh" || unit == "kvarh"
		rise, fits := v.Number.Add(oldCounter.Neg()) // fits is false if the rise is too large for a Decimal
		roseFaster := func(perHour int64) bool {
			return isEnergy && (!fits || rise.Cmp(obis.Decimal{Coef: perHour * hours}) > 0)
		}
		switch {
		case v.Number.Cmp(oldCounter) < 0, timeErr == nil && roseFaster(maxHourlyRise):
			return anotherMeter
		case sameSerial: // the serial number confirms the meter, even if the rise is not usual
		case timeErr != nil || age > maxRetainedAge || roseFaster(usualHourlyRise): // the counter does not show whether the meter is the same
			result = inconclusive
		}
		confirmed = confirmed || isEnergy && oldCounter.Cmp(obis.Decimal{Coef: minConfirmingCounter}) >= 0
	}
	if !confirmed {
		return inconclusive
	}
	return result
}
