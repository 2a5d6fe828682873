package quantity

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// In Lithuania 31.4.0 is the mean current of the last period (group D 4, as IEC 62056-61 has it), where the meters of other
// countries send the threshold of their fuse. Those meters send other means too, of power and voltage, in group D 24.

var fuseLimit = must("fuse_limit")

// periodMean is group D of the mean of the last period, in what Lithuanian meters send.
const periodMean = 24

// dropMeans takes the limit of current that is none out of the samples from start on.
func (f *Finder) dropMeans(dst []Sample, start int, at *positions, records []obis.Record) []Sample {
	p := at[fuseLimit]
	if p == 0 || p == unusable {
		return dst
	}
	i := start + int(p) - 1
	if dst[i].Value.Sign() > 0 && !f.Means && !sendsMeans(records) { // a limit below zero is that of export, 0 A is none
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
			if c[0] == 1 && c[3] == periodMean {
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
