package meter_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// textTelegram returns an ASCII telegram without a checksum: the identification line, the lines, and a line with a power.
func textTelegram(ident string, lines ...string) string {
	return "/" + ident + "\r\n\r\n" + strings.Join(lines, "\r\n") + "\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
}

// TestIdentification tests that make, model and serial number are read from a telegram. Padding must be removed, and texts in hexadecimal digits
// must be decoded.
func TestIdentification(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ident string
		lines []string
		want  meter.Meter
	}{
		{"mode before the model", `ISK5\2M550T-1012`, nil, meter.Meter{Make: "Iskraemeco", Model: "M550T-1012"}},
		{"model without a mode", `Ene5\T210-D ESMR5.0`, nil, meter.Meter{Make: "Sagemcom", Model: "T210-D ESMR5.0"}},
		{"number in place of a model", `FLU5\253769484_A`, nil, meter.Meter{Model: "253769484_A"}},
		{"no backslash", "ADN9 6534", nil, meter.Meter{Make: "Aidon", Model: "6534"}},
		{"nothing after the backslash", `ISK5\`, nil, meter.Meter{Make: "Iskraemeco"}},
		{"16 hexadecimal digits of a text with a letter: too short to be decoded", "ISK5X", []string{"0-0:96.1.1(4530303434303033)", "0-0:96.1.7(A)"}, meter.Meter{Make: "Iskraemeco", Model: "A", Serial: "4530303434303033"}},
		{"hexadecimal, padded with a blank", "KMP5X", []string{"0-0:96.1.1(204B413655303031363630323937393132)"}, meter.Meter{Make: "Kamstrup", Model: "X", Serial: "KA6U001660297912"}},
		{"hexadecimal, padded with zero bytes", "KMP5X", []string{"0-0:96.1.1(4B413655303031363630000000000000)"}, meter.Meter{Make: "Kamstrup", Model: "X", Serial: "KA6U001660"}},
		{"only zeros", "KMP5X", []string{"0-0:96.1.1(00000000000000000000000000)"}, meter.Meter{Make: "Kamstrup", Model: "X", Serial: "00000000000000000000000000"}},
		{"error code in place of the serial number", "ISK5X", []string{"0-0:42.0.0(ISK1030000000001)", "0-0:96.1.0(ER23)"}, meter.Meter{Make: "Iskraemeco", Model: "X", Serial: "ISK1030000000001"}},
		{"error code in two parentheses", "ISK5X", []string{"0-0:96.1.0((ER11))", "0-0:96.1.1(1000001)"}, meter.Meter{Make: "Iskraemeco", Model: "X", Serial: "1000001"}},
		{"device name before the serial number", "ISK5X", []string{"0-0:42.0.0(ISK1030000000001)", "0-0:96.1.1(1000001)"}, meter.Meter{Make: "Iskraemeco", Model: "X", Serial: "1000001"}},
	} {
		r, err := newDecoder(strings.NewReader(textTelegram(tt.ident, tt.lines...))).Next()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, r.Meter); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}
