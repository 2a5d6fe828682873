package mqtt

import (
	"encoding/json"
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

// compareMeter tells if counters go on from those that the broker retains. A number alone proves nothing: some meters send that of their make.
func compareMeter(kept map[string]string, serial string, counters []bridge.Value, now time.Time) evidence {
	var info struct{ Serial string }
	_ = json.Unmarshal([]byte(kept["info"]), &info) // without one there is no number
	if info.Serial != "" && serial != "" && info.Serial != serial {
		return anotherMeter
	}
	numbered := info.Serial != "" && info.Serial == serial
	last, err := time.Parse(time.RFC3339, kept[discovery.LastTelegram])
	absent := max(now.Sub(last), 0)
	found, proof := sameMeter, numbered
	for i := range counters {
		v := &counters[i]
		before, failed := obis.ParseDecimal([]byte(kept[v.ID.String()]))
		if failed != nil {
			continue
		}
		switch rise := riseOf(v, before, absent); {
		case rise == backwards, rise == impossible && err == nil:
			return anotherMeter
		case !numbered && (err != nil || absent > longestAbsence || rise > usual):
			found = nothingKnown
		}
		proof = proof || energy(v) && before.Cmp(obis.Decimal{Coef: leastCounter}) >= 0
	}
	if !proof {
		return nothingKnown
	}
	return found
}

// A rise is how a counter went on.
type rise uint8

const (
	usual rise = iota
	unusual
	impossible
	backwards
)

func energy(v *bridge.Value) bool {
	unit := v.ID.Row().Measures[v.As].Unit
	return unit == "kWh" || unit == "kvarh"
}

func riseOf(v *bridge.Value, before obis.Decimal, absent time.Duration) rise {
	by, ok := v.Number.Add(before.Neg())
	hours := int64(absent/time.Hour) + 2 // values may have been published an hour before the last telegram
	above := func(perHour int64) bool { return !ok || by.Cmp(obis.Decimal{Coef: perHour * hours}) > 0 }
	switch {
	case v.Number.Cmp(before) < 0:
		return backwards
	case !energy(v):
		return usual
	case above(possibleRise):
		return impossible
	case above(usualRise):
		return unusual
	}
	return usual
}
