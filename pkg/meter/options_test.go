package meter_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestIgnoreChecksum tests that an ASCII telegram with a wrong checksum is read with IgnoreChecksum, and is not Checked. A frame with a wrong
// checksum must be an error.
func TestIgnoreChecksum(t *testing.T) {
	text, _ := twoTelegrams(t, "p1-se-aidon")
	frame, _ := twoTelegrams(t, "aidon-se")
	damaged := frame.bytes[:300] + "\x55\x55" + frame.bytes[302:]
	wrong := text.bytes[:strings.LastIndexByte(text.bytes, '!')+1] + "0000\r\n"
	d := meter.NewDecoder(strings.NewReader(wrong+damaged+text.bytes), meter.Options{IgnoreChecksum: true, AcceptUnverified: true})
	got := outcomesOfDecoder(t, d)
	if len(got) != 3 || got[0].Text != text.content || got[0].Checked || got[1].Good || !got[2].Good {
		t.Errorf("got %+v, want a reading that is not Checked, an error, and a reading", got)
	}
	if got := outcomes(t, strings.NewReader(wrong)); len(got) != 1 || got[0].Good {
		t.Errorf("without IgnoreChecksum: got %+v, want an error", got)
	}
}

// TestScale tests that Options.Scale multiplies samples before other samples are derived from them.
func TestScale(t *testing.T) {
	const imported, net = quantity.ImportPower, quantity.NetPower
	var telegram string // with an export power of 0, so that the net power equals the import power
	for _, s := range sentTelegrams() {
		if s.family == "p1-se-aidon" && strings.Contains(s.content, "2.7.0 1 0×") { // code, kind Number, coefficient: see describe
			telegram = s.bytes
		}
	}
	sent := decimals(t, telegram, nil)
	var s quantity.Scale
	s[imported] = obis.Decimal{Coef: 25, Exp: -1}
	scaled := decimals(t, telegram, &s)
	want, ok := sent[imported].Mul(obis.Decimal{Coef: 25, Exp: -1})
	if !ok || want.Sign() == 0 || scaled[imported].Cmp(want) != 0 || scaled[net].Cmp(want) != 0 {
		t.Errorf("import power %v times 2.5: got import power %v and net power %v, want %v", sent[imported], scaled[imported], scaled[net], want)
	}
}

// decimals returns the values of the samples of a telegram. s is Options.Scale.
func decimals(t *testing.T, telegram string, s *quantity.Scale) map[quantity.ID]obis.Decimal {
	t.Helper()
	d := meter.NewDecoder(strings.NewReader(telegram), meter.Options{Scale: s, AcceptUnverified: true})
	r, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	out := map[quantity.ID]obis.Decimal{}
	for _, sample := range r.Samples {
		out[sample.ID] = sample.Value
	}
	return out
}
