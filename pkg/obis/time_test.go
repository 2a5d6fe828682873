package obis_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

func TestTimeString(t *testing.T) {
	for _, tt := range []struct {
		in   obis.Time
		want string
	}{
		{obis.Time{Year: 2019, Month: 12, Day: 16, Hour: 7, Minute: 59, Second: 40, Zone: true, Offset: 60}, "2019-12-16T07:59:40+01:00"},
		{obis.Time{Year: 2019, Month: 12, Day: 16, Hour: 7, Minute: 59, Second: 40}, "2019-12-16T07:59:40"},
		{obis.Time{Year: 2024, Month: 2, Day: 29, Zone: true}, "2024-02-29T00:00:00+00:00"},
		{obis.Time{Year: 2024, Month: 1, Day: 2, Hour: 3, Minute: 4, Second: 5, Zone: true, Offset: -210}, "2024-01-02T03:04:05-03:30"},
		{obis.Time{Year: 2024, Month: 1, Day: 2, Zone: true, Offset: -30}, "2024-01-02T00:00:00-00:30"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("String = %q, want %q", got, tt.want)
		}
		if got := string(tt.in.Append([]byte("x"))); got != "x"+tt.want {
			t.Errorf("Append = %q, want %q", got, "x"+tt.want)
		}
	}
}

func TestTimeValid(t *testing.T) {
	valid := obis.Time{Year: 2024, Month: 2, Day: 29, Hour: 23, Minute: 59, Second: 59, Zone: true, Offset: 60}
	for _, tt := range []struct {
		name   string
		change func(t *obis.Time)
		want   bool
	}{
		{"unchanged", func(*obis.Time) {}, true},
		{"february 29 of 2023", func(t *obis.Time) { t.Year = 2023 }, false},
		{"february 29 of 2000", func(t *obis.Time) { t.Year = 2000 }, true},
		{"february 29 of 2100", func(t *obis.Time) { t.Year = 2100 }, false},
		{"month 0", func(t *obis.Time) { t.Month = 0 }, false},
		{"month 13", func(t *obis.Time) { t.Month = 13 }, false},
		{"december 31", func(t *obis.Time) { t.Month, t.Day = 12, 31 }, true},
		{"april 31", func(t *obis.Time) { t.Month, t.Day = 4, 31 }, false},
		{"day 0", func(t *obis.Time) { t.Day = 0 }, false},
		{"hour 24", func(t *obis.Time) { t.Hour = 24 }, false},
		{"minute 60", func(t *obis.Time) { t.Minute = 60 }, false},
		{"second 60", func(t *obis.Time) { t.Second = 60 }, false},
		{"offset of 24 h", func(t *obis.Time) { t.Offset = 24 * 60 }, false},
		{"offset of -24 h", func(t *obis.Time) { t.Offset = -24 * 60 }, false},
		{"zero", func(t *obis.Time) { *t = obis.Time{} }, false},
	} {
		at := valid
		tt.change(&at)
		if got := at.Valid(); got != tt.want {
			t.Errorf("%s: Valid = %v, want %v", tt.name, got, tt.want)
		}
	}
	if valid.IsZero() || !(obis.Time{}).IsZero() {
		t.Error("IsZero is wrong for a time or for the zero Time")
	}
}

// TestFromTime tests that FromTime and then Time return the same instant, and that String returns it in the format of RFC 3339.
func TestFromTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "minutes"))
		want := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), 0).In(zone)
		at := obis.FromTime(want)
		if got := at.Time(time.UTC); !got.Equal(want) || !at.Valid() {
			t.Fatalf("FromTime(%v).Time = %v, valid %v", want, got, at.Valid())
		}
		if got, err := time.Parse(time.RFC3339, at.String()); err != nil || !got.Equal(want) {
			t.Fatalf("String of %v = %q, which is %v, %v", want, at, got, err)
		}
		at.Zone = false
		if got := at.Time(zone); !got.Equal(want) {
			t.Fatalf("without a zone, in %v: got %v, want %v", zone, got, want)
		}
	})
}
