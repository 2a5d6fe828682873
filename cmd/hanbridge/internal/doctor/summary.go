package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// summary returns the kinds of quantities that a meter sends, such as "power, energy ×4; voltage ×3 phases".
func summary(ids []quantity.ID) string {
	var (
		totalKinds []string // kinds of quantities that are not of a single phase
		phaseKinds []string // kinds of quantities of single phases
		phases     []string // "_l1", "_l2", "_l3"
	)
	counters := 0 // number of energy counters
	for _, id := range ids {
		name, row := id.String(), id.Row()
		if row.Diagnostic || !row.Numeric() {
			continue
		}
		// The name of a value of one phase ends with _l1, _l2 or _l3.
		if i := strings.LastIndex(name, "_l"); i >= 0 && i == len(name)-len("_l1") {
			phases = appendUnique(phases, name[i:])
			phaseKinds = appendUnique(phaseKinds, kindOf(row))
			continue
		}
		totalKinds = appendUnique(totalKinds, kindOf(row))
		if kindOf(row) == energy {
			counters++
		}
	}
	if i := slices.Index(totalKinds, energy); counters > 1 {
		totalKinds[i] += fmt.Sprintf(" ×%d", counters)
	}
	parts := []string{strings.Join(totalKinds, ", ")}
	if len(phases) > 0 {
		parts = append(parts, strings.Join(phaseKinds, ", ")+" ×"+cli.Count(len(phases), "phase"))
	}
	return strings.TrimPrefix(strings.Join(parts, "; "), "; ")
}

// appendUnique appends a word unless all contains it.
func appendUnique(all []string, word string) []string {
	if slices.Contains(all, word) {
		return all
	}
	return append(all, word)
}

const energy = "energy"

// kindOf returns the kind of a quantity in plain words, such as "power".
func kindOf(row *quantity.Row) string {
	switch class := row.Units[0].DeviceClass; class {
	case "reactive_power":
		return "reactive"
	case "apparent_power":
		return "apparent"
	case "reactive_energy":
		return energy
	case "":
		return strings.ToLower(row.Title)
	default:
		return strings.ReplaceAll(class, "_", " ")
	}
}
