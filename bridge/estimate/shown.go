package estimate

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// shown returns what the simulated household shows of a quantity, in the published unit. What it does not know moves as
// another quantity of its kind does. Nil for what hardly ever changes.
func shown(id quantity.ID) func(*simulate.State) obis.Decimal {
	row := id.Row()
	if row.Kind == quantity.Status {
		return nil
	}
	switch row.Name { // these have no code of their own
	case "gas":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Gas, Exp: -3} }
	case "water":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Water, Exp: -3} }
	case "thermal_energy", "cooling_energy":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Heat, Exp: -3} }
	}
	show := register(row)
	for i := range quantity.Rows() {
		if other := &quantity.Rows()[i]; show == nil && other.Kind == row.Kind {
			show = register(other)
		}
	}
	return show
}

func register(row *quantity.Row) func(*simulate.State) obis.Decimal {
	if len(row.Codes) == 0 {
		return nil
	}
	c := row.Codes[0]
	code := obis.Code{1, 0, c[0], c[1], c[2], obis.Any}
	if _, known := new(simulate.State).Value(code); !known {
		return nil
	}
	prefix := row.Measures[0].Prefix
	return func(s *simulate.State) obis.Decimal {
		v, _ := s.Value(code)
		return v.Shift(-prefix)
	}
}
