package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

var phaseSuffixes = []string{"_l1", "_l2", "_l3"}

// summary tells in words what a meter sends: power, energy ×4; voltage ×3 phases.
func summary(ids []quantity.ID) string {
	var whole, phased words
	phases := map[string]bool{}
	for _, id := range ids {
		name, row := id.String(), id.Row()
		if row.Diagnostic || !row.Numeric() {
			continue
		}
		if end := name[max(0, len(name)-3):]; slices.Contains(phaseSuffixes, end) {
			phases[end] = true
			phased.add(word(row))
			continue
		}
		whole.add(word(row))
	}
	if len(phases) == 0 {
		return whole.text()
	}
	each := strings.Join(phased.all, ", ") + " ×" + cli.Count(len(phases), "phase")
	if len(whole.all) == 0 {
		return each
	}
	return whole.text() + "; " + each
}

// words are counted, in the order in which they came first.
type words struct {
	all   []string
	count map[string]int
}

func (w *words) add(word string) {
	if w.count == nil {
		w.count = map[string]int{}
	}
	if w.count[word]++; w.count[word] == 1 {
		w.all = append(w.all, word)
	}
}

// text lists the words; only counters are worth a number.
func (w *words) text() string {
	parts := slices.Clone(w.all)
	for i, word := range parts {
		if word == "energy" && w.count[word] > 1 {
			parts[i] += fmt.Sprintf(" ×%d", w.count[word])
		}
	}
	return strings.Join(parts, ", ")
}

// word is what people call a kind of quantity.
func word(row *quantity.Row) string {
	switch class := row.Measures[0].Class; class {
	case "reactive_power":
		return "reactive"
	case "apparent_power":
		return "apparent"
	case "reactive_energy":
		return "energy"
	case "":
		return strings.ToLower(row.Title)
	default:
		return strings.ReplaceAll(class, "_", " ")
	}
}
