package discovery

import (
	"strings"
	"sync"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An IDConflict is a unique id or entity id that two devices would both use. A hub would confuse their entities.
type IDConflict struct {
	// Meter and Other are the indices of the two meter ids. Other is -1 for the bridge's own device.
	Meter, Other int
	// Name is the unique id or entity id that both use.
	Name string
}

// A nameSplit is the name of a quantity that ends with the name of another one: long_power_failures is id "long" and key
// "power_failures".
type nameSplit struct{ id, key string }

var splits = sync.OnceValue(func() (all []nameSplit) {
	for _, row := range quantity.Rows() {
		for end, r := range row.Name {
			if _, known := quantity.ByName(row.Name[end+1:]); r == '_' && known {
				all = append(all, nameSplit{row.Name[:end], row.Name[end+1:]})
			}
		}
	}
	return all
})

// IDConflicts returns, for each meter id, its first conflict with an earlier id or with the bridge. Equal ids are one meter and do not
// conflict. An example: the quantity long_power_failures of "house" and the quantity power_failures of "house_long" both have the unique id
// hanbridge_house_long_power_failures.
func IDConflicts(ids []string) (all []IDConflict) {
	first := map[string]int{} // by slug
	for i, id := range ids {
		if c := findConflict(ids, i, first); c.Name != "" {
			all = append(all, c)
		} else if _, known := first[slug(id)]; !known {
			first[slug(id)] = i
		}
	}
	return all
}

// findConflict returns the conflict of ids[i] with an earlier id. Its Name is empty if there is none.
func findConflict(ids []string, i int, first map[string]int) IDConflict {
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
				return IDConflict{i, other, sharedName(ids[other], ids[i], both)}
			}
		}
		if other, ok := first[s+"_"+both.id]; ok {
			return IDConflict{i, other, sharedName(ids[i], ids[other], both)}
		}
	}
	return IDConflict{}
}

// sharedName returns the id that two meters both use.
func sharedName(short, long string, both nameSplit) string {
	if long == short+"_"+both.id {
		return program + "_" + long + "_" + both.key
	}
	return sensor + "." + slug(long) + "_" + both.key
}
