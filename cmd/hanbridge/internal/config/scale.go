package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Scale holds the factors by which quantities are multiplied. The zero ScaleConfig has none.
type Scale struct {
	Factors *quantity.Scale
}

// UnmarshalText reads factors such as "import_energy=0.1,export_energy=0.1".
func (s *Scale) UnmarshalText(text []byte) error {
	*s = Scale{}
	for item := range strings.SplitSeq(string(text), ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, number, found := strings.Cut(item, "=")
		if !found {
			return fmt.Errorf("%q is not a quantity and its factor: write for example import_energy=0.1", item)
		}
		if err := s.set(strings.TrimSpace(name), strings.TrimSpace(number)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scale) set(name, number string) error {
	id, ok := quantity.Named(name)
	if !ok {
		return fmt.Errorf("%q is not a quantity%s", name, nearQuantities(name))
	}
	if !id.Row().Numeric() {
		return fmt.Errorf("%s is text: only numbers can be multiplied", name)
	}
	factor, err := obis.ParseDecimal([]byte(number))
	if err != nil || factor.Sign() <= 0 {
		return fmt.Errorf("%s: %q is not a factor: write a decimal number above 0, such as 0.1, 10 or 60", name, number)
	}
	if s.Factors == nil {
		s.Factors = new(quantity.Scale)
	}
	if s.Factors[id].Sign() != 0 {
		return fmt.Errorf("%s has two factors: keep one of them", name)
	}
	s.Factors[id] = factor
	return nil
}

// String returns the factors as UnmarshalText reads them, in the order of the table of quantities.
func (s Scale) String() string {
	var items []string
	for id := range quantity.Count() {
		if s.Factors != nil && s.Factors[id].Sign() != 0 {
			items = append(items, quantity.ID(id).String()+"="+s.Factors[id].String())
		}
	}
	return strings.Join(items, ",")
}

// nearQuantities returns a hint for a quantity that does not exist: what it is a slip of, else those that it is a part of.
func nearQuantities(name string) string {
	var all, near []string
	for _, row := range quantity.Rows() {
		all = append(all, row.Name)
		if name != "" && strings.Contains(row.Name, strings.ToLower(name)) && len(near) < 4 {
			near = append(near, row.Name)
		}
	}
	if best := cli.Nearest(name, all); best != "" {
		near = slices.Insert(slices.DeleteFunc(near, func(s string) bool { return s == best }), 0, best)
	}
	if len(near) == 0 {
		return " (hanbridge quantities shows them all)"
	}
	return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, ", "))
}

// table reads a mapping as the value of k, whose text form is "name=value,…". YAML's own reading of a number is not used:
// factors are exact.
func (l *loader) table(n *yaml.Node, k key, path string) (any, bool) {
	if k.isRates() {
		return l.rates(n, path)
	}
	var scale Scale
	before := len(l.found)
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
		name, value := n.Content[i].Value, target(n.Content[i+1])
		at := place{l.file, n.Content[i].Line}
		var err error
		if value.Kind != yaml.ScalarNode || isNull(value) {
			err = errors.New("want a number behind the colon")
		}
		if strings.Contains(value.Value, ",") { // it parts the factors in the text form
			err = fmt.Errorf("%s: %q is not a factor: write a decimal number with a point, such as 0.1", name, value.Value)
		}
		if err == nil {
			err = scale.set(strings.TrimSpace(name), strings.TrimSpace(value.Value))
		}
		if err != nil {
			l.add(at, path, "%s", err)
		}
	}
	return scale.String(), len(l.found) == before
}
