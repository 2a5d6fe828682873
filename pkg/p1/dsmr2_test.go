package p1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestParseDSMR2 tests that Parse reads the value of a gas or heat meter from one line or two lines, as DSMR 2.2 sends it.
func TestParseDSMR2(t *testing.T) {
	at := obis.Time{Year: 2022, Month: 11, Day: 1, Hour: 21}
	gas := obis.Record{Code: code(t, "0-2:24.2.1"), Kind: obis.Number, Time: at, Value: obis.Decimal{Coef: 908123, Exp: -3}, Unit: obis.CubicMetre, Text: []byte("00908.123")}
	heat := obis.Record{Code: code(t, "0-1:24.2.1"), Kind: obis.Number, Time: at, Value: obis.Decimal{Coef: 3, Exp: 9}, Unit: obis.Joule, Text: []byte("3")}
	notNumber := obis.Record{Code: code(t, "0-2:24.2.1"), Kind: obis.Text, Text: []byte("---")}
	withoutValue := obis.Record{Code: code(t, "0-2:24.3.0"), Kind: obis.Text, Text: []byte("(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)")}
	invalidStamp := obis.Record{Code: code(t, "0-2:24.3.0"), Kind: obis.Text, Text: []byte("(000000000000)(00)(60)(1)(0-2:24.2.1)(m3)")}
	power := obis.Record{Code: code(t, "1-0:1.7.0"), Kind: obis.Number, Value: obis.Decimal{Coef: 1, Exp: 3}, Unit: obis.Watt, Text: []byte("1*kW")}
	lineRecord := func(text string) obis.Record { return obis.Record{Kind: obis.Line, Text: []byte(text)} }
	for _, tt := range []struct {
		name  string
		lines []string
		want  []obis.Record
		// wantRefused is true if Parse must refuse the telegram without a checksum.
		wantRefused bool
	}{
		{"two lines", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(00908.123)"}, []obis.Record{gas}, false},
		{"one line", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)(00908.123)"}, []obis.Record{gas}, false},
		{"data line after the value", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(00908.123)", "1-0:1.7.0(1*kW)"}, []obis.Record{gas, power}, false},
		{"heat", []string{"0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(GJ)", "(3)"}, []obis.Record{heat}, false},
		{"value that is not a number", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(---)"}, []obis.Record{notNumber}, false},
		{"no value", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "1-0:1.7.0(1*kW)"}, []obis.Record{withoutValue, power}, false},
		{"invalid time stamp", []string{"0-2:24.3.0(000000000000)(00)(60)(1)(0-2:24.2.1)(m3)", "(00908.123)"}, []obis.Record{invalidStamp, lineRecord("(00908.123)")}, false},
		{"value before all other lines", []string{"(00908.123)", "1-0:1.7.0(1*kW)"}, []obis.Record{lineRecord("(00908.123)"), power}, true},
		{"value after a line of another code", []string{"1-0:1.7.0(1*kW)", "(00908.123)"}, []obis.Record{power, lineRecord("(00908.123)")}, true},
		{"two lines with a value", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(00908.123)", "(00908.124)"}, []obis.Record{gas, lineRecord("(00908.124)")}, true},
		{"two values in the second line", []string{"0-2:24.3.0(221101210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(1)(2)"}, []obis.Record{withoutValue, lineRecord("(1)(2)")}, true},
	} {
		var got p1.Telegram
		if err := got.Parse([]byte(withChecksum(append([]string{"/ABC3", ""}, tt.lines...)...))); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got.Records); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
		err := got.Parse([]byte("/ABC3\r\n\r\n" + strings.Join(tt.lines, "\r\n") + "\r\n!\r\n"))
		if (err != nil) != tt.wantRefused {
			t.Errorf("%s, without a checksum: got error %v, want an error: %v", tt.name, err, tt.wantRefused)
		}
		if diff := cmp.Diff(tt.want, got.Records); err == nil && diff != "" {
			t.Errorf("%s, without a checksum, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestParseUnchecked tests that ParseUnchecked ignores a wrong checksum and sets Checked to false.
func TestParseUnchecked(t *testing.T) {
	body := "/SAG5SAG-METER\r\n\r\n1-0:1.7.0(1*kW)\r\n!"
	for _, tt := range []struct {
		name, in    string
		wantOK      bool
		wantChecked bool
	}{
		{"right checksum", body + checksumText(body) + "\r\n", true, true},
		{"wrong checksum", body + "0000\r\n", true, false},
		{"no checksum", body + "\r\n", true, false},
		{"checksum of two digits", body + "12\r\n", true, false},
		{"wrong checksum, malformed line", strings.Replace(body, "kW)", "kW", 1) + "0000\r\n", false, false},
		{"wrong checksum, no lines", "/ABC5\r\n\r\n!0000\r\n", false, false},
		{"no '!'", body[:len(body)-1], false, false},
	} {
		var got p1.Telegram
		err := got.ParseUnchecked([]byte(tt.in))
		if (err == nil) != tt.wantOK || got.Checked != tt.wantChecked {
			t.Errorf("%s: got Checked %v and error %v, want Checked %v and success %v", tt.name, got.Checked, err, tt.wantChecked, tt.wantOK)
		}
		if got := len(got.Records); err != nil && got > 0 {
			t.Errorf("%s: got %d records after an error, want none", tt.name, got)
		}
		wantParsed := tt.wantChecked || tt.name == "no checksum"
		if err := got.Parse([]byte(tt.in)); (err == nil) != wantParsed {
			t.Errorf("%s: Parse: got error %v, want success %v", tt.name, err, wantParsed)
		}
	}
}
