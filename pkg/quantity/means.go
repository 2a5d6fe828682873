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
	if p == 0 || p == unusable || !f.Means && !slices.ContainsFunc(records, isPeriodMean) {
		return dst
	}
	i := start + int(p) - 1
	return slices.Delete(dst, i, i+1)
}

func isPeriodMean(r obis.Record) bool { return r.Code[0] == 1 && r.Code[3] == periodMean }
