package meter_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// listWithoutCodes returns a data-notification with a list without codes. items has a letter for each value: 't' for a text, 'c' for a
// date-time, 'f' for a date-time whose bytes are all FF (not specified), '0' for null, 'w' for an unsigned number of 16 bits, 'u' for an unsigned
// number of 32 bits. The value of a number is its index in the list.
func listWithoutCodes(items string) []byte {
	b := dlms.AppendStructure(dlms.AppendNotification(nil, 0), len(items))
	for i, item := range items {
		switch item {
		case 't':
			b = dlms.AppendOctetString(b, "10000001")
		case 'c':
			b = dlms.AppendOctetString(b, "\x07\xEA\x06\x0E\x07\x0C\x00\x00\x00\xFF\x88\x80")
		case 'f':
			b = dlms.AppendOctetString(b, strings.Repeat("\xFF", 12))
		case '0':
			b = dlms.AppendNull(b)
		case 'w':
			b = dlms.AppendNumber(b, dlms.Uint16, int64(i))
		case 'u':
			b = dlms.AppendNumber(b, dlms.Uint32, int64(i))
		}
	}
	return b
}

// TestAmbiguousLayouts tests that a list without codes is read if exactly one layout fits. A null value fits any type, so that several layouts
// possibly fit. A date-time that is not specified fits only a date-time. The system title begins with the manufacturer code.
func TestAmbiguousLayouts(t *testing.T) {
	for _, tt := range []struct {
		name, title, items string
		want               string // import_energy in kWh, or import_energy_t1 if the list has tariffs; "" for a LayoutError
	}{
		{"Vienna, Siemens", "SMSg\x00\x00\x00\x01", "tcuuuuuuuu", "0.002"},
		{"Vienna, Siemens, clock not specified", "SMSg\x00\x00\x00\x01", "tfuuuuuuuu", "0.002"},
		{"Vienna, Siemens, clock is null", "SMSg\x00\x00\x00\x01", "t0uuuuuuuu", ""},
		{"Vienna, Landis+Gyr", "LGZg\x00\x00\x00\x01", "cuuuuuuuu", "0.001"},
		{"Vienna, Landis+Gyr, clock not specified", "LGZg\x00\x00\x00\x01", "fuuuuuuuu", "0.001"},
		{"Vienna, Landis+Gyr, clock is null", "LGZg\x00\x00\x00\x01", "0uuuuuuuu", ""},
		{"Slovenia, Landis+Gyr", "LGZg\x00\x00\x00\x01", "tuuuuuuuu", "0.005"},
		{"list of Slovenia from an unknown make", "ABCg\x00\x00\x00\x01", "tuuuuuuuu", ""},
		{"Ljubljana, tariffs", "ISKg\x00\x00\x00\x01", "ttuuuuuuuu", "0.002"},
		{"Ljubljana, tariffs, last values are null", "ISKg\x00\x00\x00\x01", "ttuuuu0000", ""},
	} {
		glo := dlms.AppendCiphered(nil, simulate.Key(), []byte(tt.title), 0x30, 7, listWithoutCodes(tt.items))
		d := meter.NewDecoder(bytes.NewReader(glo), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
		r, err := d.Next()
		if tt.want == "" {
			if !errors.As(err, new(*meter.LayoutError)) {
				t.Errorf("%s: got %v, want a LayoutError", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := ""
		for i := range r.Samples {
			s := &r.Samples[i]
			value := string(s.Value.AppendFixed(nil, s.Decimals()))
			switch name := s.ID.String(); {
			case name == "import_energy_t1":
				got = value
			case name == "import_energy" && got == "":
				got = value
			}
		}
		if got != tt.want {
			t.Errorf("%s: got import energy %s, want %s; samples %+v", tt.name, got, tt.want, r.Samples)
		}
	}
}
