package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// summary tells in words what a meter sends: power, energy ×4; voltage ×3 phases.
func summary(ids []quantity.ID) string {
	var whole, phased, phases []string
	counters := 0
	for _, id := range ids {
		name, row := id.String(), id.Row()
		if row.Diagnostic || !row.Numeric() {
			continue
		}
		if i := strings.LastIndex(name, "_l"); i >= 0 && i == len(name)-len("_l1") {
			phases = withWord(phases, name[i:])
			phased = withWord(phased, word(row))
			continue
		}
		whole = withWord(whole, word(row))
		if word(row) == energy {
			counters++
		}
	}
	if i := slices.Index(whole, energy); counters > 1 {
		whole[i] += fmt.Sprintf(" ×%d", counters)
	}
	parts := []string{strings.Join(whole, ", ")}
	if len(phases) > 0 {
		parts = append(parts, strings.Join(phased, ", ")+" ×"+cli.Count(len(phases), "phase"))
	}
	return strings.TrimPrefix(strings.Join(parts, "; "), "; ")
}

// withWord adds a word that is not there yet.
func withWord(all []string, word string) []string {
	if slices.Contains(all, word) {
		return all
	}
	return append(all, word)
}

const energy = "energy"

// word is what people call a kind of quantity.
func word(row *quantity.Row) string {
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
