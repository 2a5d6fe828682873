package meter

import "github.com/hanbridge/hanbridge/pkg/obis"

// aidon sends {code, value, scaler-unit} in HDLC, and ASCII where the utility has chosen it (Aidon RJ12 HAN interface
// description 1.7A; RJ45 1.4A).
var aidon = family{
	name: "aidon", make: "Aidon",
	flags:  []string{"ADN"},
	lists:  []string{"AIDON"},
	frames: []addresses{{[]byte{0x41}, []byte{0x08, 0x83}}},
	repair: repairAidon,
}

// repairAidon sets the zone of the clock. The Swedish list (EFS, the one without a name) leaves it out, and is in Swedish
// normal time all year. The Norwegian lists say 0 although they send local time: that zone is not known.
func repairAidon(r *Reading) {
	zone, offset := false, int16(0)
	if r.Meter.List == "" {
		zone, offset = true, 60
	}
	for i := range r.Records {
		if t := &r.Records[i].Time; r.Records[i].Kind == obis.Clock && (!t.Zone || t.Offset == 0) {
			t.Zone, t.Offset = zone, offset
			r.Time = *t
		}
	}
}
