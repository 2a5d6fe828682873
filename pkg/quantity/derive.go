package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// derive appends the values that follow from the samples of one telegram: net power, and total energy as the sum of the tariffs.
func derive(dst []Sample, start int, at *sampleIndex, extra *extraTariffs, scale *Scale) []Sample {
	for i := range netPowers {
		d := &netPowers[i]
		a, b := at[d.plus], at[d.minus]
		if a == 0 || b == 0 || a == unusable || b == unusable || at[d.id] != 0 {
			continue
		}
		if sum, ok := dst[start+int(a)-1].Value.Add(dst[start+int(b)-1].Value.Neg()); ok {
			dst = append(dst, Sample{ID: d.id, Value: sum, Derived: true})
		}
	}
	for i := range tariffSums {
		t := &tariffSums[i]
		if at[t.id] != 0 {
			continue // the meter sends the total itself
		}
		sum, some, ok := sumTariffs(dst[start:], t.parts[:], at)
		if ok && extra.seen[i] != 0 {
			sum, ok = extra.addTo(sum, some, i, t.parts[0], scale)
			some = true
		}
		if ok && some {
			dst = append(dst, Sample{ID: t.id, Value: sum, Derived: true})
		}
	}
	return appendNet(dst, start, at)
}

// appendNet appends the net power of a meter that sends the power of its phases alone, as early meters of Lithuania do. Total import and
// total export cannot be computed from the phases, but their difference can.
func appendNet(dst []Sample, start int, at *sampleIndex) []Sample {
	if total := &netPowers[0]; at[total.id] != 0 || at[total.plus] != 0 || at[total.minus] != 0 {
		return dst
	}
	var sum obis.Decimal
	for _, phase := range netPowers[1:] {
		k := indexOf(dst[start:], phase.id)
		if k < 0 {
			return dst
		}
		next, ok := sum.Add(dst[start+k].Value)
		if !ok {
			return dst
		}
		sum = next
	}
	return append(dst, Sample{ID: netPowers[0].id, Value: sum, Derived: true})
}

// extraTariffs sums the counters of tariffs that have no row, for each row of tariffSums. Belgium has a fifth tariff, Israel 11 to 13.
type extraTariffs struct {
	seen [4]uint64 // a bit for each tariff: if a code is sent twice, the first counts
	lost [4]bool   // a tariff came without a usable value
	sums [4]obis.Decimal
}

// add adds a record that has no row, if it is the counter of a tariff.
func (e *extraTariffs) add(r *obis.Record) {
	c := &r.Code
	i := c[2] - 1
	if c[0] != 1 || i >= byte(len(e.sums)) || c[3] != 8 || c[4] == 0 || c[4] > 63 || c[5] != obis.Any {
		return
	}
	bit := uint64(1) << c[4]
	if e.seen[i]&bit != 0 {
		return
	}
	e.seen[i] |= bit
	sum, ok := e.sums[i].Add(r.Value)
	e.sums[i] = sum
	e.lost[i] = e.lost[i] || !ok || r.Kind != obis.Number || r.Unit != rows[tariffSums[i].id].Units[0].Base
}

// tariffGroup has a bit for each of the tariffs 1 to 10. Tariffs 1 to 10 divide the total energy; tariffs 11 to 20 divide the same energy in
// another way, and so on. Only tariffs of one such group may be added: those of two groups would give twice the total.
const tariffGroup = 1<<11 - 2

// inOneGroup reports whether all tariffs in seen belong to one group of ten. seen must not be 0.
func inOneGroup(seen uint64) bool {
	const tariffs = 10
	for seen&tariffGroup == 0 {
		seen >>= tariffs
	}
	return seen&^tariffGroup == 0
}

// addTo adds the tariffs without a row to sum, the sum of the tariffs with a row. some is true if the meter has sent any tariff with a row.
// like is the first of these: the factor of its Scale counts for all.
func (e *extraTariffs) addTo(sum obis.Decimal, some bool, i int, like ID, scale *Scale) (obis.Decimal, bool) {
	s := Sample{ID: like}
	row := &rows[like]
	seen := e.seen[i]
	if some {
		seen |= 1 << 1
	}
	if e.lost[i] || !inOneGroup(seen) || !s.setNumber(e.sums[i], &row.Units[0], row.maxMagnitude, scale) {
		return sum, false
	}
	return sum.Add(s.Value)
}

// sumTariffs adds the tariffs that were sent. some is false if none was. ok is false if a tariff was sent without a usable value, because
// the sum would be too low.
func sumTariffs(samples []Sample, tariffs []ID, at *sampleIndex) (sum obis.Decimal, some, ok bool) {
	for _, id := range tariffs {
		switch p := at[id]; p {
		case 0:
		case unusable:
			return sum, some, false
		default:
			v := samples[p-1].Value
			if !some {
				sum, some = v, true
				continue
			}
			if sum, ok = sum.Add(v); !ok {
				return sum, some, false
			}
		}
	}
	return sum, some, true
}

// netPowers are the quantities id = plus - minus.
var netPowers = []struct{ id, plus, minus ID }{
	{NetPower, ImportPower, ExportPower},
	{NetPowerL1, ImportPowerL1, ExportPowerL1},
	{NetPowerL2, ImportPowerL2, ExportPowerL2},
	{NetPowerL3, ImportPowerL3, ExportPowerL3},
}

// tariffSums are the totals that are the sum of their tariffs.
var tariffSums = []struct {
	id    ID
	parts [4]ID
}{
	{ImportEnergy, [4]ID{ImportEnergyT1, ImportEnergyT2, ImportEnergyT3, ImportEnergyT4}},
	{ExportEnergy, [4]ID{ExportEnergyT1, ExportEnergyT2, ExportEnergyT3, ExportEnergyT4}},
	{ImportReactiveEnergy, [4]ID{ImportReactiveEnergyT1, ImportReactiveEnergyT2, ImportReactiveEnergyT3, ImportReactiveEnergyT4}},
	{ExportReactiveEnergy, [4]ID{ExportReactiveEnergyT1, ExportReactiveEnergyT2, ExportReactiveEnergyT3, ExportReactiveEnergyT4}},
}

// SplitSignedPower completes the samples of a meter that sends import and export as one power with a sign. Import power below zero becomes
// 0, and the export powers and net powers that the meter did not send are appended. The samples stay as they are if the meter has no
// counter of exported energy. It returns the result, which may share the memory of samples.
func SplitSignedPower(samples []Sample) []Sample {
	if indexOf(samples, ExportEnergy) < 0 {
		return samples
	}
	for i := range netPowers {
		d := &netPowers[i]
		k := indexOf(samples, d.plus)
		if k < 0 || indexOf(samples, d.minus) >= 0 || indexOf(samples, d.id) >= 0 {
			continue
		}
		net := samples[k]
		export := Sample{ID: d.minus, UnitIndex: net.UnitIndex, Value: net.Value.Neg(), Time: net.Time}
		if net.Value.Sign() < 0 {
			samples[k].Value.Coef = 0
		} else {
			export.Value.Coef = 0
		}
		net.ID = d.id
		samples = append(samples, export, net)
	}
	return samples
}

// indexOf returns the index of the sample of a quantity, -1 if there is none.
func indexOf(samples []Sample, id ID) int {
	return slices.IndexFunc(samples, func(s Sample) bool { return s.ID == id })
}

// In Lithuania 31.4.0 is the mean current of the last period, as group D 4 means in IEC 62056-61. Meters of other countries send the limit
// of their fuse with that code. Lithuanian meters also send means of power and voltage, with group D 24.

// meanGroupD is group D of the mean of the last period in Lithuanian meters.
const meanGroupD = 24

// dropMeanCurrent removes FuseLimit from the samples from start on if it is a mean current and not a limit.
func (c *Converter) dropMeanCurrent(dst []Sample, start int, at *sampleIndex, records []obis.Record) []Sample {
	p := at[FuseLimit]
	if p == 0 || p == unusable {
		return dst
	}
	i := start + int(p) - 1
	if dst[i].Value.Sign() > 0 && !c.MeanCurrents && !sendsMeans(records) { // a limit below zero is one of export, and 0 A means no limit
		return dst
	}
	return slices.Delete(dst, i, i+1)
}

// sendsMeans reports whether a meter sends mean values: some with group D 24, or currents with group D 4 that differ between the phases,
// which limits do not. The first record of each code counts.
func sendsMeans(records []obis.Record) bool {
	var first *obis.Record
	last := byte(0)
	for i := range records {
		r := &records[i]
		c := &r.Code
		if c[0] != 1 || c[3] != 4 {
			if c[0] == 1 && c[3] == meanGroupD {
				return true
			}
			continue
		}
		if r.Kind != obis.Number || c[2]%20 != 11 || c[2] < 31 || c[2] > 71 || c[4] != 0 || c[5] != obis.Any || c[2] == last {
			continue
		}
		last = c[2]
		if first == nil {
			first = r
		}
		if first.Unit == r.Unit && first.Value.Cmp(r.Value) != 0 {
			return true
		}
	}
	return false
}
