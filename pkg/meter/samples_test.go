package meter_test

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A sample is one telegram of a simulated meter.
type sample struct {
	family   simulate.Family
	telegram []byte
}

// samples returns one telegram of each family, always the same: on a day in May with more sun than the house needs.
func samples() []sample {
	at := time.Date(2026, 5, 10, 10, 20, 30, 0, time.UTC)
	families := simulate.Families()
	out := make([]sample, len(families))
	for i, f := range families {
		h := simulate.NewHousehold(1, at, f.Phases)
		s := h.State()
		out[i] = sample{f, f.Append(nil, &s)}
	}
	return out
}
