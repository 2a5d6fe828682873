package quantity

import "slices"

// AppendExports completes the samples of a meter that counts both directions and sends its powers with a sign, as import: of one
// below zero it makes an export, and appends the exports and net powers that the meter did not send. The samples of a meter
// that counts no export stay as they are.
func AppendExports(samples []Sample) []Sample {
	if index(samples, exportEnergy) < 0 {
		return samples
	}
	for i := range differences {
		d := &differences[i]
		k := index(samples, d.plus)
		if k < 0 || index(samples, d.minus) >= 0 || index(samples, d.id) >= 0 {
			continue
		}
		net := samples[k]
		export := Sample{ID: d.minus, As: net.As, Value: net.Value.Neg(), Time: net.Time}
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

var exportEnergy = must("export_energy")

// index returns where the sample of a quantity is, -1 when there is none.
func index(samples []Sample, id ID) int {
	return slices.IndexFunc(samples, func(s Sample) bool { return s.ID == id })
}
