package discovery

import (
	"strings"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Clash is a name that two devices would both give to an entity: a hub would take one for the other.
type Clash struct {
	// Meter and Other are the places of the two ids in the list. Other is -1 for the bridge's own device.
	Meter, Other int
	// Name is the unique id or the entity id that both give.
	Name string
}

// Clashes returns, for each of the ids of meters, the first clash with an id before it or with the bridge. Equal ids are none: they are one
// meter. "house" with the quantity long_power_failures and "house_long" with power_failures are both hanbridge_house_long_power_failures.
func Clashes(ids []string) (all []Clash) {
	first, longer := map[string]int{}, map[string][]int{} // by slug, and by what a slug begins with
	for i, id := range ids {
		if c, ok := clash(ids, i, first, longer); ok {
			all = append(all, c)
			continue
		}
		s := slug(id)
		if _, ok := first[s]; ok {
			continue // equal ids
		}
		first[s] = i
		for end, r := range s {
			if r == '_' {
				longer[s[:end]] = append(longer[s[:end]], i)
			}
		}
	}
	return all
}

// clash compares an id with those before it that it could clash with.
func clash(ids []string, i int, first map[string]int, longer map[string][]int) (Clash, bool) {
	s := slug(ids[i])
	if s == program {
		return Clash{i, -1, binarySensor + "." + program + "_" + Connection}, true
	}
	if other, ok := first[s]; ok {
		return Clash{i, other, sensor + "." + s + "_" + quantity.Rows()[0].Name}, ids[other] != ids[i]
	}
	for end, r := range s {
		if other, ok := first[s[:end]]; ok && r == '_' {
			if name := shared(ids[other], ids[i]); name != "" {
				return Clash{i, other, name}, true
			}
		}
	}
	for _, other := range longer[s] {
		if name := shared(ids[i], ids[other]); name != "" {
			return Clash{i, other, name}, true
		}
	}
	return Clash{}, false
}

// shared returns a name that two meters both give, where the slug of the second begins with that of the first.
func shared(short, long string) string {
	rest := strings.TrimPrefix(slug(long), slug(short)+"_") + "_"
	for _, row := range quantity.Rows() {
		key, ok := strings.CutPrefix(row.Name, rest)
		if _, known := quantity.Named(key); !ok || !known {
			continue
		}
		if short+"_"+row.Name == long+"_"+key {
			return program + "_" + long + "_" + key
		}
		return sensor + "." + slug(long) + "_" + key
	}
	return ""
}
