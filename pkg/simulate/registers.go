package simulate

import "time"

// Registers are the values of a meter besides powers, voltages, currents and total energies.
type Registers struct {
	// Tariff is the tariff in use: 1 at night and on weekends, 2 otherwise.
	Tariff int64
	// TariffEnergies are counted in tariffs 1 and 2. Their sum is State.Energies.
	TariffEnergies [2]Energies
	// PhaseEnergies are the counters of each phase. Each phase counts import or export by the power of this phase. The sum of PhaseEnergies can be
	// more than State.Energies, because State.Energies count import or export by the sum of the phases.
	PhaseEnergies [3]Energies
	// QuadrantEnergies are the reactive energies of quadrants I to IV, in var·s. Active power is imported in quadrants I and IV, reactive
	// power in quadrants I and II.
	QuadrantEnergies [4]int64
	// QuarterEnergy is the imported and the exported energy since the present quarter of an hour began, in Ws.
	QuarterEnergy [2]int64
	// LastQuarterPower is the average imported and the average exported power of the previous quarter of an hour, in W.
	LastQuarterPower [2]int64
	// Peaks are the peaks of this month and of the four months before it, newest first.
	Peaks [5]Peak
	// MediaTime is when the gas, water and heat meters were read: every five minutes.
	MediaTime time.Time
	// Gas and Water are in litres, Heat is in MJ, all at MediaTime.
	Gas, Water, Heat int64
	// HourGas is Gas at State.Hour.
	HourGas int64
	// Failures counts power failures. LongFailures counts power failures of more than three minutes.
	Failures, LongFailures int64
	// Sags count how often the voltage of each phase was too low. Swells count how often the voltage was too high.
	Sags, Swells [3]int64
}

// A Peak is the quarter of an hour with the highest average import of a month.
type Peak struct {
	// At is when the quarter of an hour ended.
	At time.Time
	// Watts is the average imported power of the quarter of an hour, in W.
	Watts int64
}

// initialRegisters returns the registers of a household that has used its meter for some years. now is Unix time. e is the result of
// initialEnergies.
func (c randomSource) initialRegisters(e *Energies, now int64) Registers {
	r := Registers{
		Failures: c.draw(drawCounter+4, 0, 2, 12), LongFailures: c.draw(drawCounter+4, 1, 1, 6),
		Gas: c.draw(drawCounter+5, 0, 800_000, 9_000_000), Water: c.draw(drawCounter+5, 1, 50_000, 900_000),
		Heat: c.draw(drawCounter+5, 2, 20_000, 300_000),
	}
	tariff1Share := c.draw(drawCounter+6, 0, 350, 550) // in thousandths
	r.TariffEnergies[0] = e.fraction(tariff1Share)
	r.TariffEnergies[1] = e.minus(r.TariffEnergies[0])
	for i := range r.PhaseEnergies {
		r.PhaseEnergies[i] = e.fraction(c.draw(drawCounter+6, int64(i+1), 320, 380))
		r.Sags[i], r.Swells[i] = c.draw(drawCounter+7, int64(i), 0, 9), c.draw(drawCounter+7, int64(i+3), 0, 3)
	}
	// activeImportShare is the share of the reactive energies that was counted while active power was imported, in thousandths.
	activeImportShare := c.draw(drawCounter+6, 4, 500, 800)
	r.QuadrantEnergies[0] = e.ImportReactive / 1000 * activeImportShare
	r.QuadrantEnergies[1] = e.ImportReactive - r.QuadrantEnergies[0]
	r.QuadrantEnergies[3] = e.ExportReactive / 1000 * activeImportShare
	r.QuadrantEnergies[2] = e.ExportReactive - r.QuadrantEnergies[3]
	month := firstOfMonth(time.Unix(now, 0))
	for i := range r.Peaks {
		quarterEnd := 15 * time.Minute * time.Duration(c.draw(drawCounter+8, int64(i), 1, 4*24)) // on the first day of the month
		r.Peaks[i] = Peak{At: month.AddDate(0, -i, 0).Add(quarterEnd), Watts: c.draw(drawCounter+9, int64(i), 3000, 9000)}
	}
	if at := time.Unix(now, 0).UTC(); r.Peaks[0].At.After(at) {
		r.Peaks[0].At = at
	}
	return r
}

// fraction returns each of the four counters, divided by 1000 and multiplied by thousandths.
func (e *Energies) fraction(thousandths int64) Energies {
	return Energies{
		Import: e.Import / 1000 * thousandths, Export: e.Export / 1000 * thousandths,
		ImportReactive: e.ImportReactive / 1000 * thousandths, ExportReactive: e.ExportReactive / 1000 * thousandths,
	}
}

func (e *Energies) minus(p Energies) Energies {
	return Energies{
		Import: e.Import - p.Import, Export: e.Export - p.Export,
		ImportReactive: e.ImportReactive - p.ImportReactive, ExportReactive: e.ExportReactive - p.ExportReactive,
	}
}

// monthOf returns the first day of the month of a quarter of an hour that ends at t. The quarter that ends at midnight on the first day of a
// month belongs to the previous month.
func monthOf(t time.Time) time.Time { return firstOfMonth(t.Add(-time.Second)) }

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
}

// countSecond adds the powers of one second to all counters.
func (h *Household) countSecond() {
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
		h.readMediaMeters()
	}
	if h.now%(15*minute) == 0 {
		h.endQuarter()
	}
}

// quadrant returns the quadrant of a power: 0 to 3 for quadrants I to IV (IEC 62056-61).
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

// readMediaMeters updates the readings of the gas, water and heat meters.
func (h *Household) readMediaMeters() {
	s := &h.state
	s.MediaTime = time.Unix(h.now, 0).UTC()
	s.Gas += h.random.draw(drawMedia, h.now, 0, 25)
	s.Heat += h.random.draw(drawMedia+1, h.now, 0, 2)
	s.Water += max(0, h.random.draw(drawMedia+2, h.now, -15, 8))
}

// endQuarter ends a quarter of an hour. At the end of the first quarter of an hour of a month, it adds a peak for the new month.
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

// tariffAt returns the tariff: 2 on weekdays from 7 to 23 o'clock, 1 otherwise. local is Unix time plus the offset of local time, in seconds.
func tariffAt(local int64) int64 {
	second, weekday := local%fullDay, (local/fullDay+4)%7 // 1 January 1970 was a Thursday
	if weekday == 0 || weekday == 6 || second < 7*hour || second >= 23*hour {
		return 1
	}
	return 2
}

// A State has all values of a meter at one second. Arrays are in the order L1, L2, L3. In a household of one phase, L2 and L3 stay zero.
type State struct {
	// Time is a whole second, in UTC. The powers are those of the second that ends at Time.
	Time time.Time
	// Power is active power in W, positive if it is taken from the grid.
	Power [3]int64
	// ReactivePower is in var, positive if it is taken from the grid.
	ReactivePower [3]int64
	// Voltage is in 0.1 V, to the neutral.
	Voltage [3]int64
	// Current is in mA, with the sign of Power.
	Current [3]int64
	// Energies are the counters at Time.
	Energies Energies
	// Hour is the last whole hour up to Time.
	Hour time.Time
	// HourEnergies are the counters at Hour. Some meters send them instead of the present counters.
	HourEnergies Energies
	// Frequency is in 0.01 Hz.
	Frequency int64
	Registers
	// wrongKey is true if the meter encrypts with a key that is not Key. See the fault "key".
	wrongKey bool
}

// Energies are counters of active energy in Ws and of reactive energy in var·s. Each second is counted either as import or as export.
type Energies struct {
	Import, Export                 int64
	ImportReactive, ExportReactive int64
}

// Net returns the active and the reactive power of all phases together, in W and var. They are positive if taken from the grid.
func (s *State) Net() (watts, vars int64) {
	for i := range s.Power {
		watts += s.Power[i]
		vars += s.ReactivePower[i]
	}
	return watts, vars
}

// add adds the energies of one second with these powers.
func (e *Energies) add(watts, vars int64) {
	e.Import += max(watts, 0)
	e.Export += max(-watts, 0)
	e.ImportReactive += max(vars, 0)
	e.ExportReactive += max(-vars, 0)
}

// Multiply returns the state of a meter that n equal households share: powers, currents and electrical energies are n times as high. Values of
// a quarter of an hour and peaks stay those of one household, because no simulated meter sends them for several households.
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
