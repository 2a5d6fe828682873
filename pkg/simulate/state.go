package simulate

import "time"

// A State is what a meter knows at one second. Arrays are L1, L2, L3; in a household of one phase the others stay zero.
type State struct {
	// Time is a whole second, in UTC. What follows is what holds in the second that ends here.
	Time time.Time
	// Power is in W, positive where it is taken from the grid.
	Power [3]int64
	// Reactive is in var, positive where it is taken from the grid.
	Reactive [3]int64
	// Voltage is in 0.1 V, to the neutral.
	Voltage [3]int64
	// Current is in mA, negative where Power is.
	Current [3]int64
	// Energies are counted up to Time.
	Energies Energies
	// Hour is the last whole hour, or Time itself, and HourEnergies are those at that time, which some meters send once an hour.
	Hour         time.Time
	HourEnergies Energies
	// Frequency is in 0.01 Hz.
	Frequency int64
	Registers
	// wrongKey is for a meter that encrypts with another key than everyone thinks.
	wrongKey bool
}

// Energies are the four registers of a meter, in Ws and in var·s, so that a sum over seconds is exact. Each second counts
// towards one direction alone: that of the sum of its phases.
type Energies struct {
	Import, Export                 int64
	ImportReactive, ExportReactive int64
}

// Net returns active and reactive power summed over the phases, in W and var, positive where taken from the grid.
func (s *State) Net() (watts, vars int64) {
	for i := range s.Power {
		watts += s.Power[i]
		vars += s.Reactive[i]
	}
	return watts, vars
}

// add counts a second with these powers.
func (e *Energies) add(watts, vars int64) {
	e.Import += max(watts, 0)
	e.Export += max(-watts, 0)
	e.ImportReactive += max(vars, 0)
	e.ExportReactive += max(-vars, 0)
}

// Times returns what a meter shows behind which so many households do all the same.
func (s *State) Times(n int64) State {
	all := *s
	for i := range all.Power {
		all.Power[i] *= n
		all.Reactive[i] *= n
		all.Current[i] *= n
	}
	counters := []*Energies{&all.Energies, &all.HourEnergies}
	for i := range all.Tariffs {
		counters = append(counters, &all.Tariffs[i])
	}
	for i := range all.Phases {
		counters = append(counters, &all.Phases[i])
	}
	for _, e := range counters {
		*e = Energies{n * e.Import, n * e.Export, n * e.ImportReactive, n * e.ExportReactive}
	}
	for i := range all.Quadrants {
		all.Quadrants[i] *= n
	}
	return all
}
