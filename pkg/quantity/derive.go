package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// derive appends net powers, and total energies as the sum of the tariffs, to the samples dst[start:] of one telegram. It does not append a
// quantity that the meter has sent.
func derive(dst []Sample, start int, at *sampleIndex, extra *extraTariffs, scale *Scale) []Sample {
	for i := range netPowers {
		p := &netPowers[i]
		plus, minus := at[p.plus], at[p.minus]
		if plus == 0 || minus == 0 || plus == unusable || minus == unusable || at[p.id] != 0 {
			continue
		}
		if net, ok := dst[start+int(plus)-1].Value.Add(dst[start+int(minus)-1].Value.Neg()); ok {
			dst = append(dst, Sample{ID: p.id, Value: net, Derived: true})
		}
	}
	for i := range tariffSums {
		t := &tariffSums[i]
		if at[t.id] != 0 {
			continue // the meter sends the total itself
		}
		sum, anySent, ok := sumTariffs(dst[start:], t.tariffs[:], at)
		if ok && extra.sent[i] != 0 { // the meter has also sent tariffs without a row
			sum, ok = extra.addTo(sum, anySent, i, t.tariffs[0], scale)
			anySent = true
		}
		if ok && anySent {
			dst = append(dst, Sample{ID: t.id, Value: sum, Derived: true})
		}
	}
	return appendNetOfPhases(dst, start, at)
}

// appendNetOfPhases appends the net power of a meter that sends only the powers of its phases, as early meters of Lithuania do: the net power is
// the sum of the net powers of the phases.
func appendNetOfPhases(dst []Sample, start int, at *sampleIndex) []Sample {
	if total := &netPowers[0]; at[total.id] != 0 || at[total.plus] != 0 || at[total.minus] != 0 {
		return dst
	}
	var sum obis.Decimal
	for _, phase := range netPowers[1:] {
		k := indexOf(dst[start:], phase.id)
		if k < 0 {
			return dst
		}
		var ok bool
		if sum, ok = sum.Add(dst[start+k].Value); !ok { // overflow
			return dst
		}
	}
	return append(dst, Sample{ID: netPowers[0].id, Value: sum, Derived: true})
}

// extraTariffs sums the counters of tariffs that have no row in the table, such as tariff 5 in Belgium and 11 to 13 in Israel. The arrays
// have the indexes of tariffSums.
type extraTariffs struct {
	sent     [4]uint64 // bit n is set if tariff n was sent; if a tariff is sent twice, the first record counts
	unusable [4]bool   // a tariff was sent without a usable value
	sums     [4]obis.Decimal
}

// add adds a record without a row if the record is the counter of a tariff.
func (e *extraTariffs) add(r *obis.Record) {
	const electricity, counter, maxTariff = 1, 8, 63 // group A, group D, and the number of bits in sent
	c := &r.Code
	i, tariff := c[2]-1, c[4] // groups C 1 to 4 are the indexes 0 to 3 of tariffSums; for 0, i is 255
	isTariff := c[0] == electricity && i < byte(len(e.sums)) && c[3] == counter && tariff >= 1 && tariff <= maxTariff
	if !isTariff || c[5] != obis.Any {
		return
	}
	bit := uint64(1) << tariff
	if e.sent[i]&bit != 0 {
		return
	}
	e.sent[i] |= bit
	sum, ok := e.sums[i].Add(r.Value)
	e.sums[i] = sum
	e.unusable[i] = e.unusable[i] || !ok || r.Kind != obis.Number || r.Unit != rows[tariffSums[i].id].Units[0].Base
}

// firstGroup has bits 1 to 10, one for each tariff of the first group. Tariffs 1 to 10 divide the total energy. Tariffs 11 to 20 divide the
// same energy in another way, and so on. Tariffs of different groups are not added, because the sum would count the same energy twice.
const firstGroup = 1<<11 - 2

// inOneGroup reports whether all tariffs in sent, one bit each, belong to one group of ten. sent must not be 0.
func inOneGroup(sent uint64) bool {
	const groupSize = 10
	for sent&firstGroup == 0 {
		sent >>= groupSize
	}
	return sent&^firstGroup == 0
}

// addTo adds the tariffs without a row to sum, the sum of the tariffs with a row. i is the index in tariffSums. anySent is true if the
// meter has sent a tariff with a row. tariff1 is the ID of tariff 1, whose scale factor applies to the tariffs without a row.
func (e *extraTariffs) addTo(sum obis.Decimal, anySent bool, i int, tariff1 ID, scale *Scale) (obis.Decimal, bool) {
	s := Sample{ID: tariff1}
	row := &rows[tariff1]
	sent := e.sent[i]
	if anySent {
		sent |= 1 << 1 // tariff 1 stands for all tariffs with a row, because they are in the same group
	}
	if e.unusable[i] || !inOneGroup(sent) || !s.setNumber(e.sums[i], &row.Units[0], row.maxMagnitude, scale) {
		return sum, false
	}
	return sum.Add(s.Value)
}

// sumTariffs adds the tariffs that were sent. anySent is false if none was sent. ok is false if the sum overflows, or if a tariff was sent
// without a usable value, because the sum would be too low.
func sumTariffs(samples []Sample, tariffs []ID, at *sampleIndex) (sum obis.Decimal, anySent, ok bool) {
	for _, id := range tariffs {
		switch p := at[id]; p {
		case 0: // not sent
		case unusable:
			return sum, anySent, false
		default:
			v := samples[p-1].Value
			if !anySent {
				sum, anySent = v, true
				continue
			}
			if sum, ok = sum.Add(v); !ok {
				return sum, anySent, false
			}
		}
	}
	return sum, anySent, true
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
	id      ID
	tariffs [4]ID
}{
	{ImportEnergy, [4]ID{ImportEnergyT1, ImportEnergyT2, ImportEnergyT3, ImportEnergyT4}},
	{ExportEnergy, [4]ID{ExportEnergyT1, ExportEnergyT2, ExportEnergyT3, ExportEnergyT4}},
	{ImportReactiveEnergy, [4]ID{ImportReactiveEnergyT1, ImportReactiveEnergyT2, ImportReactiveEnergyT3, ImportReactiveEnergyT4}},
	{ExportReactiveEnergy, [4]ID{ExportReactiveEnergyT1, ExportReactiveEnergyT2, ExportReactiveEnergyT3, ExportReactiveEnergyT4}},
}

// SplitSignedPower is for a meter that sends import and export as one power with a sign, with the code of the import power. It appends export power
// and net power, and sets an import power below zero to 0. It does so for the total and for each phase. SplitSignedPower changes nothing if
// samples have no ExportEnergy. It changes samples in place, and its result possibly uses the same array.
func SplitSignedPower(samples []Sample) []Sample {
	if indexOf(samples, ExportEnergy) < 0 {
		return samples
	}
	for i := range netPowers {
		p := &netPowers[i]
		k := indexOf(samples, p.plus)
		if k < 0 || indexOf(samples, p.minus) >= 0 || indexOf(samples, p.id) >= 0 {
			continue
		}
		net := samples[k]
		export := Sample{ID: p.minus, UnitIndex: net.UnitIndex, Value: net.Value.Neg(), Time: net.Time}
		if net.Value.Sign() < 0 {
			samples[k].Value.Coef = 0
		} else {
			export.Value.Coef = 0
		}
		net.ID = p.id
		samples = append(samples, export, net)
	}
	return samples
}

// indexOf returns the index of the sample of a quantity, -1 if there is none.
func indexOf(samples []Sample, id ID) int {
	return slices.IndexFunc(samples, func(s Sample) bool { return s.ID == id })
}

// Groups D of code 31.4.0 and of means. Lithuanian meters send the mean current of the last period as 31.4.0, as IEC 62056-61 defines group D 4.
// Meters of other countries send the limit of their fuse as 31.4.0. Lithuanian meters also send means of power and voltage, with group D 24.
const (
	limitGroupD = 4
	meanGroupD  = 24
)

// dropMeanCurrent removes FuseLimit from dst[start:] if the value is a mean current. It also removes a value below zero, which is a limit of
// export, and 0 A, which means no limit.
func (c *Converter) dropMeanCurrent(dst []Sample, start int, at *sampleIndex, records []obis.Record) []Sample {
	p := at[FuseLimit]
	if p == 0 || p == unusable {
		return dst
	}
	i := start + int(p) - 1
	if dst[i].Value.Sign() > 0 && !c.MeanCurrents && !sendsMeans(records) {
		return dst
	}
	return slices.Delete(dst, i, i+1)
}

// sendsMeans reports whether a meter sends mean values. The telegram then has a value with group D 24, or different currents with group D 4 for
// the phases, because limits are the same for all phases. If two consecutive currents have the same code, only the first of
// them is compared, because the second is the limit of export.
func sendsMeans(records []obis.Record) bool {
	var first *obis.Record // the first current of a phase with group D 4
	lastC := byte(0)       // group C of the last of these currents
	for i := range records {
		r := &records[i]
		c := &r.Code
		if c[0] != 1 {
			continue
		}
		if c[3] == meanGroupD {
			return true
		}
		isPhaseCurrent := r.Kind == obis.Number && (c[2] == 31 || c[2] == 51 || c[2] == 71)
		if !isPhaseCurrent || c[3] != limitGroupD || c[4] != 0 || c[5] != obis.Any || c[2] == lastC {
			continue
		}
		lastC = c[2]
		if first == nil {
			first = r
		}
		if first.Unit == r.Unit && first.Value.Cmp(r.Value) != 0 {
			return true
		}
	}
	return false
}
