package guard

import "github.com/hanbridge/hanbridge/pkg/quantity"

var (
	importEnergy, exportEnergy = named("import_energy"), named("export_energy")
	absoluteEnergy             = named("absolute_energy")

	importPower, exportPower, netPower = named("import_power"), named("export_power"), named("net_power")
)

func named(name string) quantity.ID {
	id, ok := quantity.Named(name)
	if !ok {
		panic("guard: no quantity " + name)
	}
	return id
}

// sight is what one telegram as a whole shows.
type sight struct {
	watts    int64 // the largest power, -1 where there is none
	imports  bool  // it has import_energy
	imported bool  // which is not zero
	counted  bool  // a counter is not zero
}

func look(samples []quantity.Sample) sight {
	v := sight{watts: -1}
	for i := range samples {
		s := &samples[i]
		switch s.ID {
		case importPower, exportPower, netPower:
			v.watts = max(v.watts, magnitude(s.Value))
		case importEnergy:
			v.imports, v.imported = true, s.Value.Coef != 0
		}
		if s.Value.Coef != 0 && kinds[s.ID] != noCounter && kinds[s.ID] != plain {
			v.counted = true
		}
	}
	return v
}

// odd tells if a counter that is seen for the first time had better not be believed: a zero that may be that of a meter which is still
// starting. The export of a house without solar cells is zero for ever, and stands beside an import that is not.
func (v *sight) odd(s *quantity.Sample) bool {
	switch {
	case s.Value.Coef != 0:
		return false
	case kindOf(s).slow():
		return true
	case v.imports:
		return !v.imported
	}
	return !v.counted
}
