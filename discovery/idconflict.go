package discovery

import (
	"strings"
	"sync"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An IDConflict is a unique id or entity id that two devices would both use. A hub would confuse their entities.
type IDConflict struct {
	// Meter and Other are the indices of the two meter ids. Other is -1 for the device of the bridge.
	Meter, Other int
	// Name is the unique id or entity id that both devices would use.
	Name string
}

// A nameSplit is the name of a quantity that ends with the name of another quantity, split before the other name. For example,
// long_power_failures is split into the id "long" and the key "power_failures".
type nameSplit struct{ id, key string }

// splits returns the splits of all names in the quantity table that end with another name.
var splits = sync.OnceValue(func() (all []nameSplit) {
	for _, row := range quantity.Rows() {
		for i, r := range row.Name {
			if _, known := quantity.ByName(row.Name[i+1:]); r == '_' && known {
				all = append(all, nameSplit{row.Name[:i], row.Name[i+1:]})
			}
		}
	}
	return all
})

// IDConflicts returns, for each meter id, its first conflict with an earlier id or with the bridge. Equal ids do not conflict, because they
// stand for one meter. For example, "house" and "house_long" conflict. The quantity long_power_failures of "house" and the quantity
// power_failures of "house_long" both have the unique id hanbridge_house_long_power_failures.
func IDConflicts(ids []string) (all []IDConflict) {
	first := map[string]int{} // by slug, the index of the first id that has this slug and no conflict
	for i, id := range ids {
		if c := findConflict(ids, i, first); c.Name != "" {
			all = append(all, c)
		} else if _, known := first[slug(id)]; !known {
			first[slug(id)] = i
		}
	}
	return all
}

// findConflict returns the conflict of ids[i] with an earlier id or with the bridge. If there is no conflict, the Name of the result is "". The map
// first is that of IDConflicts.
func findConflict(ids []string, i int, first map[string]int) IDConflict {
	s := slug(ids[i])
	switch other, ok := first[s]; {
	case s == program:
		// The entity ids of the device of the bridge begin with program.
		return IDConflict{i, -1, binarySensorPlatform + "." + program + "_" + Connection}
	case ok && ids[other] == ids[i]:
		return IDConflict{}
	case ok:
		// All entity ids are equal. The Name is that of the first quantity.
		return IDConflict{i, other, sensorPlatform + "." + s + "_" + quantity.Rows()[0].Name}
	}
	for _, split := range splits() {
		// ids[i] is an earlier id with split.id after it, or an earlier id is ids[i] with split.id after it.
		if shorter, ok := strings.CutSuffix(s, "_"+split.id); ok {
			if other, ok := first[shorter]; ok {
				return IDConflict{i, other, sharedName(ids[other], ids[i], split)}
			}
		}
		if other, ok := first[s+"_"+split.id]; ok {
			return IDConflict{i, other, sharedName(ids[i], ids[other], split)}
		}
	}
	return IDConflict{}
}

// sharedName returns the unique id or entity id that two meters would both use. If longID is shortID + "_" + split.id, the two meters share a
// unique id. Otherwise they share only an entity id, because slug has removed the difference of the ids.
func sharedName(shortID, longID string, split nameSplit) string {
	if longID == shortID+"_"+split.id {
		return program + "_" + longID + "_" + split.key
	}
	return sensorPlatform + "." + slug(longID) + "_" + split.key
}
