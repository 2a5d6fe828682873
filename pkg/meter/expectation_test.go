package meter_test

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An expectation is one record that a telegram must give. An empty field is not compared, except that a number must have no unit if Unit is
// empty.
type expectation struct {
	Code string `json:"code"`
	// Clock is a clock or the time stamp of a number in RFC 3339. It has no zone if the source states none.
	Clock string `json:"clock,omitempty"`
	// Value is an exact number in Unit, which has no prefix: Wh, not kWh.
	Value string `json:"value,omitempty"`
	Unit  string `json:"unit,omitempty"`
	// Text is a text or a value without a unit, as sent. Bytes that are no text are in hexadecimal.
	Text string `json:"text,omitempty"`
	// Masked is true for an identity number whose digits were replaced by zeros.
	Masked bool `json:"masked,omitempty"`
	// anyValue is true if the value is not compared.
	anyValue bool
}

// checkTelegram tests that a telegram gives one reading and no error. The reading must have exactly the expected records, and the samples that
// follow from them. checkTelegram returns the number of compared records.
func checkTelegram(t *testing.T, tg *telegram) int {
	t.Helper()
	d := tg.decoder(t)
	r, err := d.Next()
	if err != nil {
		t.Errorf("%s: %v", tg.name, err)
		return 0
	}
	if r.Checked != tg.Checked {
		t.Errorf("%s: checked: got %v, want %v", tg.name, r.Checked, tg.Checked)
	}
	if tg.Time != "" && r.Time.String() != tg.Time {
		t.Errorf("%s: time: got %v, want %s", tg.name, r.Time, tg.Time)
	}
	compareRecords(t, tg, r)
	compareSamples(t, tg, r)
	if _, err := d.Next(); err == nil || isTelegramError(err) {
		t.Errorf("%s: after the telegram: got %v, want the end of the stream", tg.name, err)
	}
	return len(tg.Expected)
}

// checkNoReading tests that a telegram gives an error and no reading.
func checkNoReading(t *testing.T, tg *telegram) {
	t.Helper()
	if readings, all := drain(tg.decoder(t)); len(readings) != 0 || len(all) == 0 {
		t.Errorf("%s: got %d readings and %d errors, want no reading and an error", tg.name, len(readings), len(all))
	}
}

// compareRecords compares each expectation with the next record of the same code. There must be no further records.
func compareRecords(t *testing.T, tg *telegram, r *meter.Reading) {
	t.Helper()
	used := make([]bool, len(r.Records))
	for _, want := range tg.Expected {
		found := false
		for i := range r.Records {
			if rec := &r.Records[i]; !found && !used[i] && rec.Code.String() == want.Code {
				found, used[i] = true, true
				if fault := want.compare(rec); fault != "" {
					t.Errorf("%s: %s: %s", tg.name, want.Code, fault)
				}
			}
		}
		if !found {
			t.Errorf("%s: %s: no record, want %+v", tg.name, want.Code, want)
		}
	}
	for i, rec := range r.Records {
		if !used[i] {
			t.Errorf("%s: %v: got a record that is not expected: %v %v %q", tg.name, rec.Code, rec.Value, rec.Unit, rec.Text)
		}
	}
}

// compare returns how a record differs from the expectation, or "" if it does not differ.
func (e *expectation) compare(r *obis.Record) string {
	equal := false
	switch {
	case e.anyValue:
		equal = true
	case e.Masked:
		isZero := r.Kind == obis.Number && r.Value.Sign() == 0
		equal = isZero || r.Kind == obis.Text && isMasked(string(r.Text))
	case e.Value != "":
		equal = r.Kind == obis.Number && e.sameNumber(r) && strings.HasPrefix(r.Time.String(), e.Clock)
	case e.Clock != "":
		equal = r.Kind == obis.Clock && strings.HasPrefix(r.Time.String(), e.Clock)
	case e.Text == "":
		equal = r.Kind == obis.Empty || r.Kind == obis.Text && len(r.Text) == 0
	default:
		value, err := obis.ParseDecimal([]byte(e.Text))
		isNumber := r.Kind == obis.Number && r.Unit == obis.None && err == nil && value.Cmp(r.Value) == 0
		equal = isNumber || e.Text == string(r.Text) || e.Text == hex.EncodeToString(r.Text)
	}
	if equal {
		return ""
	}
	return fmt.Sprintf("got kind %d, %v %v, time %v, %q; want %+v", r.Kind, r.Value, r.Unit, r.Time, r.Text, *e)
}

// sameNumber reports whether a record has the expected number and unit.
func (e *expectation) sameNumber(r *obis.Record) bool {
	want, err := obis.ParseDecimal([]byte(e.Value))
	return err == nil && want.Cmp(r.Value) == 0 && r.Unit.String() == e.Unit
}

// compareSamples tests that each sample that is not derived has the value of an expected record of its code. Net power must be the difference of
// import and export. Other derived samples are tested in pkg/quantity.
func compareSamples(t *testing.T, tg *telegram, r *meter.Reading) {
	t.Helper()
	want := tg.quantities()
	sent := map[string]obis.Decimal{}
	for i := range r.Samples {
		s := &r.Samples[i]
		if !s.ID.Row().Numeric() {
			continue
		}
		name, base := s.ID.String(), s.Value.Shift(s.Unit().Prefix)
		sent[name] = base
		equal := func(d obis.Decimal) bool { return d.Cmp(base) == 0 }
		if !s.Derived && !slices.ContainsFunc(slices.Concat(want[name], want[subMeters]), equal) {
			t.Errorf("%s: %s: got %v, which no expected record has", tg.name, name, base)
		}
	}
	imported, hasImport := sent["import_power"]
	exported, hasExport := sent["export_power"]
	net, hasNet := sent["net_power"]
	difference, ok := imported.Add(exported.Neg())
	if hasImport && hasExport && hasNet && (!ok || net.Cmp(difference) != 0) {
		t.Errorf("%s: net_power: got %v, want %v", tg.name, net, difference)
	}
}

// subMeters is the key for the values of sub-meters in the result of quantities, because their codes do not show the quantity.
const subMeters = ""

// quantities returns the expected numbers by the name of their quantity. If a meter sends import power, but neither export power nor net power, the
// import power possibly has a sign. The result then also has the export powers (0 or minus the import power) and the net power that are possible.
func (tg *telegram) quantities() map[string][]obis.Decimal {
	out := map[string][]obis.Decimal{}
	for _, e := range tg.Expected {
		number := cmp.Or(e.Value, e.Text) // a count of failures has no unit, so it is in Text
		value, err := obis.ParseDecimal([]byte(number))
		code, codeErr := obis.ParseCode(e.Code)
		if err != nil || codeErr != nil {
			continue
		}
		name := subMeters
		if id, ok := quantity.ByCode(code); ok {
			name = id.String()
		}
		out[name] = append(out[name], value)
	}
	for _, phase := range []string{"", "_l1", "_l2", "_l3"} {
		signed, exported, net := out["import_power"+phase], "export_power"+phase, "net_power"+phase
		if len(signed) == 1 && len(out[exported])+len(out[net]) == 0 {
			out[exported], out[net] = []obis.Decimal{{}, signed[0].Neg()}, signed // {} is 0
		}
	}
	return out
}

// isTelegramError reports whether err is a *TelegramError.
func isTelegramError(err error) bool {
	var e *meter.TelegramError
	return errors.As(err, &e)
}

// drain decodes to the end of the stream. It returns the offsets of the readings, and the errors.
func drain(d *meter.Decoder) (readings []int64, errs []*meter.TelegramError) {
	for {
		r, err := d.Next()
		var e *meter.TelegramError
		switch {
		case errors.As(err, &e):
			errs = append(errs, e)
		case err != nil:
			return readings, errs
		default:
			readings = append(readings, r.Offset)
		}
	}
}
