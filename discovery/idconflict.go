package discovery

import (
	"strings"
	"sync"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An IDConflict is a name that two devices would both give to an entity: a hub would take one for the other.
type IDConflict struct {
	// Meter and Other are the places of the two ids in the list. Other is -1 for the bridge's own device.
	Meter, Other int
	// Name is the unique id or the entity id that both give.
	Name string
}

// A split is a quantity's name that begins as another meter's id may end: "long" and "power_failures" of long_power_failures.
type split struct{ id, key string }

var splits = sync.OnceValue(func() (all []split) {
	for _, row := range quantity.Rows() {
		for end, r := range row.Name {
			if _, known := quantity.ByName(row.Name[end+1:]); r == '_' && known {
				all = append(all, split{row.Name[:end], row.Name[end+1:]})
			}
		}
	}
	return all
})

// IDConflicts returns, for each of the ids of meters, the first conflict with an id before it or with the bridge. Equal ids are none: they are one
// meter. "house" with the quantity long_power_failures and "house_long" with power_failures are both hanbridge_house_long_power_failures.
func IDConflicts(ids []string) (all []IDConflict) {
	first := map[string]int{} // by slug
	for i, id := range ids {
		if c := conflict(ids, i, first); c.Name != "" {
			all = append(all, c)
		} else if _, known := first[slug(id)]; !known {
			first[slug(id)] = i
		}
	}
	return all
}

// conflict compares an id with those before it; without a Name where there is none.
func conflict(ids []string, i int, first map[string]int) IDConflict {
	s := slug(ids[i])
	switch other, ok := first[s]; {
	case s == program:
		return IDConflict{i, -1, binarySensor + "." + program + "_" + Connection}
	case ok && ids[other] == ids[i]:
		return IDConflict{}
	case ok:
		return IDConflict{i, other, sensor + "." + s + "_" + quantity.Rows()[0].Name}
	}
	for _, both := range splits() {
		if short, ok := strings.CutSuffix(s, "_"+both.id); ok {
			if other, ok := first[short]; ok {
				return IDConflict{i, other, shared(ids[other], ids[i], both)}
			}
		}
		if other, ok := first[s+"_"+both.id]; ok {
			return IDConflict{i, other, shared(ids[i], ids[other], both)}
		}
	}
	return IDConflict{}
}

// shared returns the name that two meters both give.
func shared(short, long string, both split) string {
	if long == short+"_"+both.id {
		return program + "_" + long + "_" + both.key
	}
	return sensor + "." + slug(long) + "_" + both.key
}
