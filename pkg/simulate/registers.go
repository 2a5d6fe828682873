package simulate

import "time"

// Registers are what meters count besides Energies.
type Registers struct {
	// Tariff is 1 at night and on Sundays, else 2, and says which of TariffEnergies counts: together they are the Energies.
	Tariff         int64
	TariffEnergies [2]Energies
	// PhaseEnergies are counted for each phase by its own direction, so that they are more than the Energies together.
	PhaseEnergies [3]Energies
	// QuadrantEnergies are of reactive energy, in var·s: while power is imported in the first and the fourth, while reactive power
	// is imported in the first two.
	QuadrantEnergies [4]int64
	// QuarterEnergy is what was imported and exported, in Ws, since the quarter of an hour began; LastQuarterPower what was on average
	// in the one before, in W.
	QuarterEnergy, LastQuarterPower [2]int64
	// Peaks are the highest quarters of this month and of those before.
	Peaks [5]Peak
	// Gas and Water are in litres, Heat in MJ, as their meters showed them at MediaTime, a multiple of five minutes. HourGas is
	// that of the Hour of a State.
	MediaTime        time.Time
	Gas, Water, Heat int64
	HourGas          int64
	// Failures of the supply: short ones, and those of over three minutes; Sags and Swells of the voltage of each phase.
	Failures, LongFailures int64
	Sags, Swells           [3]int64
}

// A Peak is the average power of a quarter of an hour, which ended at At.
type Peak struct {
	At    time.Time
	Watts int64
}

// firstRegisters are those of a house in which people have lived for some years, at a time.
func (c chance) firstRegisters(e *Energies, now int64) Registers {
	r := Registers{
		Failures: c.draw(drawCounter+4, 0, 2, 12), LongFailures: c.draw(drawCounter+4, 1, 1, 6),
		Gas: c.draw(drawCounter+5, 0, 800_000, 9_000_000), Water: c.draw(drawCounter+5, 1, 50_000, 900_000),
		Heat: c.draw(drawCounter+5, 2, 20_000, 300_000),
	}
	low := c.draw(drawCounter+6, 0, 350, 550) // of 1000
	r.TariffEnergies[0] = e.part(low)
	r.TariffEnergies[1] = e.without(r.TariffEnergies[0])
	for i := range r.PhaseEnergies {
		r.PhaseEnergies[i] = e.part(c.draw(drawCounter+6, int64(i+1), 320, 380))
		r.Sags[i], r.Swells[i] = c.draw(drawCounter+7, int64(i), 0, 9), c.draw(drawCounter+7, int64(i+3), 0, 3)
	}
	imported := c.draw(drawCounter+6, 4, 500, 800)
	r.QuadrantEnergies[0] = e.ImportReactive / 1000 * imported
	r.QuadrantEnergies[1] = e.ImportReactive - r.QuadrantEnergies[0]
	r.QuadrantEnergies[3] = e.ExportReactive / 1000 * imported
	r.QuadrantEnergies[2] = e.ExportReactive - r.QuadrantEnergies[3]
	month := firstOfMonth(time.Unix(now, 0))
	for i := range r.Peaks {
		quarter := 15 * time.Minute * time.Duration(c.draw(drawCounter+8, int64(i), 1, 4*24))
		r.Peaks[i] = Peak{At: month.AddDate(0, -i, 0).Add(quarter), Watts: c.draw(drawCounter+9, int64(i), 3000, 9000)}
	}
	if at := time.Unix(now, 0).UTC(); r.Peaks[0].At.After(at) {
		r.Peaks[0].At = at
	}
	return r
}

// part returns so many thousandths of all four.
func (e *Energies) part(of1000 int64) Energies {
	return Energies{
		Import: e.Import / 1000 * of1000, Export: e.Export / 1000 * of1000,
		ImportReactive: e.ImportReactive / 1000 * of1000, ExportReactive: e.ExportReactive / 1000 * of1000,
	}
}

func (e *Energies) without(p Energies) Energies {
	return Energies{
		Import: e.Import - p.Import, Export: e.Export - p.Export,
		ImportReactive: e.ImportReactive - p.ImportReactive, ExportReactive: e.ExportReactive - p.ExportReactive,
	}
}

// monthOf returns the month to which a quarter that ends at t belongs.
func monthOf(t time.Time) time.Time { return firstOfMonth(t.Add(-time.Second)) }

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
}

// count adds a second with its powers to what is counted.
func (h *Household) count() {
	s := &h.state
	watts, vars := s.Net()
	s.Energies.add(watts, vars)
	s.TariffEnergies[s.Tariff-1].add(watts, vars)
	for i := range s.PhaseEnergies {
		s.PhaseEnergies[i].add(s.Power[i], s.ReactivePower[i])
	}
	s.QuadrantEnergies[quadrant(watts, vars)] += max(vars, -vars)
	s.QuarterEnergy[0] += max(watts, 0)
	s.QuarterEnergy[1] += max(-watts, 0)
	if h.now%(5*minute) == 0 {
		h.setFive()
	}
	if h.now%(15*minute) == 0 {
		h.endQuarter()
	}
}

// quadrant returns 0 to 3 for those that are called one to four.
func quadrant(watts, vars int64) int {
	switch {
	case vars >= 0 && watts >= 0:
		return 0
	case vars >= 0:
		return 1
	case watts < 0:
		return 2
	}
	return 3
}

// setFive reads the meters of gas, water and heat.
func (h *Household) setFive() {
	s := &h.state
	s.MediaTime = time.Unix(h.now, 0).UTC()
	s.Gas += h.chance.draw(drawMedia, h.now, 0, 25)
	s.Heat += h.chance.draw(drawMedia+1, h.now, 0, 2)
	s.Water += max(0, h.chance.draw(drawMedia+2, h.now, -15, 8))
}

func (h *Household) endQuarter() {
	s := &h.state
	s.LastQuarterPower = [2]int64{s.QuarterEnergy[0] / (15 * minute), s.QuarterEnergy[1] / (15 * minute)}
	s.QuarterEnergy = [2]int64{}
	at := time.Unix(h.now, 0).UTC()
	if !monthOf(at).Equal(monthOf(s.Peaks[0].At)) {
		copy(s.Peaks[1:], s.Peaks[:])
		s.Peaks[0] = Peak{}
	}
	if s.LastQuarterPower[0] > s.Peaks[0].Watts {
		s.Peaks[0] = Peak{At: at, Watts: s.LastQuarterPower[0]}
	}
}

// tariff returns which holds at a second of the local week: 2 on weekdays from 7 to 23 o'clock.
func tariff(local int64) int64 {
	second, weekday := local%whole, (local/whole+4)%7 // 1 January 1970 was a Thursday
	if weekday == 0 || weekday == 6 || second < 7*hour || second >= 23*hour {
		return 1
	}
	return 2
}

// A State is what a meter knows at one second. Arrays are L1, L2, L3; in a household of one phase the others stay zero.
type State struct {
	// Time is a whole second, in UTC. What follows is what holds in the second that ends here.
	Time time.Time
	// Power is in W, positive where it is taken from the grid.
	Power [3]int64
	// ReactivePower is in var, positive where it is taken from the grid.
	ReactivePower [3]int64
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
		vars += s.ReactivePower[i]
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

// Multiply returns what a meter shows behind which so many households do all the same.
func (s *State) Multiply(n int64) State {
	all := *s
	for i := range all.Power {
		all.Power[i] *= n
		all.ReactivePower[i] *= n
		all.Current[i] *= n
	}
	counters := []*Energies{&all.Energies, &all.HourEnergies}
	for i := range all.TariffEnergies {
		counters = append(counters, &all.TariffEnergies[i])
	}
	for i := range all.PhaseEnergies {
		counters = append(counters, &all.PhaseEnergies[i])
	}
	for _, e := range counters {
		*e = Energies{n * e.Import, n * e.Export, n * e.ImportReactive, n * e.ExportReactive}
	}
	for i := range all.QuadrantEnergies {
		all.QuadrantEnergies[i] *= n
	}
	return all
}
