package bridge

import (
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// finding is what an endpoint gave instead of telegrams.
type finding struct {
	probe.Endpoint
	verdict line.Verdict
	bytes   int64
}

// findings are those of all endpoints since the meter last spoke, the latest of each.
type findings []finding

func (f findings) with(n finding) findings {
	for i := range f {
		if f[i].Is(n.Endpoint) {
			f[i] = n
			return f
		}
	}
	return append(f, n)
}

// best returns the finding that says most, and how many bytes came in all.
func (f findings) best() (best finding, bytes int64) {
	for i, n := range f {
		bytes += n.bytes
		if i == 0 || line.Compare(n.verdict, best.verdict) < 0 {
			best = n
		}
	}
	return best, bytes
}

// advice says what to do about bytes that hold no telegram. To try another setting helps only where not all have been tried.
func (f findings) advice(v line.Verdict) string {
	if len(f) > 1 && v.AboutSetting() {
		return "bytes but no telegram at any setting tried: most likely the cable or the adapter does not fit. A P1 port (RJ12) needs an " +
			"inverting cable, an M-Bus port (RJ45) an M-Bus adapter; or the port belongs to another device: name the meter's"
	}
	return "bytes but no telegram: " + v.Advice()
}
