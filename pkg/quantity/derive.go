package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// derive appends what follows from one telegram alone.
func derive(dst []Sample, start int, at *sampleIndex, more *extraTariffs, scale *Scale) []Sample {
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
		if ok && more.seen[i] != 0 {
			sum, ok = more.addTo(sum, some, i, t.parts[0], scale)
			some = true
		}
		if ok && some {
			dst = append(dst, Sample{ID: t.id, Value: sum, Derived: true})
		}
	}
	return appendNet(dst, start, at)
}

// appendNet appends the net power of a meter that sends that of its phases alone (early ones of Lithuania): registers of total
// import and export would be other sums, but their difference is the same.
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

// beyond are sums of tariffs without a row, in the order of tariffSums: a fifth in Belgium, 11 to 13 in Israel.
type extraTariffs struct {
	seen [4]uint64 // a bit for each tariff: of a code sent twice the first counts
	lost [4]bool
	sums [4]obis.Decimal
}

// add takes in a record that has no row.
func (m *extraTariffs) add(r *obis.Record) {
	c := &r.Code
	i := c[2] - 1
	if c[0] != 1 || i >= byte(len(m.sums)) || c[3] != 8 || c[4] == 0 || c[4] > 63 || c[5] != obis.Any {
		return
	}
	bit := uint64(1) << c[4]
	if m.seen[i]&bit != 0 {
		return
	}
	m.seen[i] |= bit
	sum, ok := m.sums[i].Add(r.Value)
	m.sums[i] = sum
	m.lost[i] = m.lost[i] || !ok || r.Kind != obis.Number || r.Unit != rows[tariffSums[i].id].Units[0].Base
}

// scheme has a bit for each of the tariffs 1 to 10. Tariffs 1 to 10 divide the total energy; tariffs 11 to 20 divide the same energy in
// another way, and so on. Only tariffs of one such group may be added: those of two groups would give twice the total.
const tariffGroup = 1<<11 - 2

// oneScheme reports whether all tariffs in seen belong to one group of ten. seen must not be 0.
func inOneGroup(seen uint64) bool {
	const tariffs = 10
	for seen&tariffGroup == 0 {
		seen >>= tariffs
	}
	return seen&^tariffGroup == 0
}

// addTo adds the tariffs that have no row to sum, the sum of those that have one. like is the quantity of the first of these, whose scaling
// counts for all; some reports whether the meter has sent any of them.
func (m *extraTariffs) addTo(sum obis.Decimal, some bool, i int, like ID, scale *Scale) (obis.Decimal, bool) {
	s := Sample{ID: like}
	row := &rows[like]
	seen := m.seen[i]
	if some {
		seen |= 1 << 1
	}
	if m.lost[i] || !inOneGroup(seen) || !s.setNumber(m.sums[i], &row.Units[0], row.maxMagnitude, scale) {
		return sum, false
	}
	return sum.Add(s.Value)
}

// sumOf adds the tariffs that were sent, if some were. ok is false when one came without a value: the sum would be a step back.
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

var netPowers = []struct{ id, plus, minus ID }{
	{NetPower, ImportPower, ExportPower},
	{NetPowerL1, ImportPowerL1, ExportPowerL1},
	{NetPowerL2, ImportPowerL2, ExportPowerL2},
	{NetPowerL3, ImportPowerL3, ExportPowerL3},
}

var tariffSums = []struct {
	id    ID
	parts [4]ID
}{
	{ImportEnergy, [4]ID{ImportEnergyT1, ImportEnergyT2, ImportEnergyT3, ImportEnergyT4}},
	{ExportEnergy, [4]ID{ExportEnergyT1, ExportEnergyT2, ExportEnergyT3, ExportEnergyT4}},
	{ImportReactiveEnergy, [4]ID{ImportReactiveEnergyT1, ImportReactiveEnergyT2, ImportReactiveEnergyT3, ImportReactiveEnergyT4}},
	{ExportReactiveEnergy, [4]ID{ExportReactiveEnergyT1, ExportReactiveEnergyT2, ExportReactiveEnergyT3, ExportReactiveEnergyT4}},
}

// SplitSignedPower completes the samples of a meter that counts both directions and sends its powers with a sign, as import: of one
// below zero it makes an export, and appends the exports and net powers that the meter did not send. The samples of a meter
// that counts no export stay as they are.
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

// index returns where the sample of a quantity is, -1 when there is none.
func indexOf(samples []Sample, id ID) int {
	return slices.IndexFunc(samples, func(s Sample) bool { return s.ID == id })
}

// In Lithuania 31.4.0 is the mean current of the last period (group D 4, as IEC 62056-61 has it), where the meters of other
// countries send the threshold of their fuse. Those meters send other means too, of power and voltage, in group D 24.

// periodMean is group D of the mean of the last period, in what Lithuanian meters send.
const meanGroupD = 24

// dropMeans takes the limit of current that is none out of the samples from start on.
func (f *Converter) dropMeanCurrent(dst []Sample, start int, at *sampleIndex, records []obis.Record) []Sample {
	p := at[FuseLimit]
	if p == 0 || p == unusable {
		return dst
	}
	i := start + int(p) - 1
	if dst[i].Value.Sign() > 0 && !f.MeanCurrents && !sendsMeans(records) { // a limit below zero is that of export, 0 A is none
		return dst
	}
	return slices.Delete(dst, i, i+1)
}

// sendsMeans tells if a meter sends other means, or what differs between the phases, as limits do not. Of each code the first counts.
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
