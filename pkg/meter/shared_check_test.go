package meter_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// checkReading wants exactly one reading, with all that is expected, and returns how many values were compared.
func checkReading(t *testing.T, c *capture) int {
	t.Helper()
	d := c.decoder(t)
	r, err := d.Next()
	if err != nil {
		t.Errorf("%s: %v", c.File, err)
		return 0
	}
	if r.Checked != c.checked() {
		t.Errorf("%s: checked: %v, want %v", c.File, r.Checked, c.checked())
	}
	if problem := c.compareTime(r); problem != "" {
		t.Errorf("%s: %s", c.File, problem)
	}
	compared := compareAll(t, c, r) + compareSource(t, c, r)
	if compared == 0 {
		t.Errorf("%s: no value was compared", c.File)
	}
	if _, err := d.Next(); isTelegramError(err) || err == nil {
		t.Errorf("%s: behind the telegram: got %v, want the end", c.File, err)
	}
	return compared
}

// checked tells if something vouches for the capture: a checksum, or, where it is encrypted, a tag.
func (c *capture) checked() bool {
	if c.Cipher != nil {
		return c.AuthKey != ""
	}
	return c.CRC == "ok" || strings.HasPrefix(c.Check, "frames ok")
}

// compareTime compares with the time in the head of a notification: "2023-07-24T19:40:25 dev=-120 status=80". A clock among
// the records comes before that, and is compared there.
func (c *capture) compareTime(r *meter.Reading) string {
	if slices.ContainsFunc(r.Records, func(rec obis.Record) bool { return rec.Kind == obis.Clock }) {
		return ""
	}
	got, deviation := r.Time, int16(0)
	local, rest, _ := strings.Cut(c.Time, " ")
	n, _ := fmt.Sscanf(rest, "dev=%d", &deviation)
	zoned := got.Zone
	got.Zone = false
	switch {
	case local == "" || strings.Contains(local, "None"):
		return ""
	case got.String() != local:
		return fmt.Sprintf("time %v, want %s", got, local)
	case zoned != (n == 1), zoned && got.Offset != -deviation:
		return fmt.Sprintf("zone of the time: %v, %d min; want %s", zoned, got.Offset, rest)
	}
	return ""
}

func isTelegramError(err error) bool {
	var damaged *meter.TelegramError
	return errors.As(err, &damaged)
}

// checkLocked wants nothing but errors that name the system title.
func checkLocked(t *testing.T, c *capture) {
	t.Helper()
	readings, all := drain(c.decoder(t))
	if len(readings) != 0 || len(all) == 0 {
		t.Errorf("%s: %d readings and %d errors without a key", c.File, len(readings), len(all))
	}
	for _, e := range all {
		var locked *dlms.EncryptedError
		if !errors.As(e, &locked) || locked.Tried || hex.EncodeToString(locked.Title[:]) != c.Cipher.Title || !e.Intact {
			t.Errorf("%s: got %v (sound: %v), want an EncryptedError of %s", c.File, e, e.Intact, c.Cipher.Title)
		}
	}
}

// checkMissed wants errors alone: a capture that is decoded is no miss.
func checkMissed(t *testing.T, c *capture) {
	t.Helper()
	if readings, all := drain(c.decoder(t)); len(readings) != 0 || len(all) == 0 {
		t.Errorf("%s: %d readings and %d errors: it is in the table of misses", c.File, len(readings), len(all))
	}
}

// checkOdd wants the good telegrams that the table knows and nothing of the damaged ones.
func checkOdd(t *testing.T, c *capture) {
	t.Helper()
	readings, _ := drain(c.decoder(t))
	if got, want := len(readings), odds[c.name()]; got != want {
		t.Errorf("odd/%s: %d readings, want %d", c.File, got, want)
	}
	for _, offset := range readings {
		if c.damaged(offset) {
			t.Errorf("odd/%s: a reading of a telegram whose checksum is wrong", c.File)
		}
	}
}

// drain decodes to the end and returns where the readings stand, and the errors.
func drain(d *meter.Decoder) (readings []int64, all []*meter.TelegramError) {
	for {
		r, err := d.Next()
		var damaged *meter.TelegramError
		switch {
		case errors.As(err, &damaged):
			all = append(all, damaged)
		case err != nil:
			return readings, all
		default:
			readings = append(readings, r.Offset)
		}
	}
}

// A tally counts captures by country and make.
type tally map[string]*[3]int

const (
	decodedColumn = iota
	allColumn
	lockedColumn
)

func (s tally) add(c *capture, decoded bool) {
	key := fmt.Sprintf("%-18s %s", strings.Fields(c.Country)[0], makeOf(c))
	if s[key] == nil {
		s[key] = &[3]int{}
	}
	s[key][allColumn]++
	switch {
	case decoded:
		s[key][decodedColumn]++
	case c.locked() && misses[c.name()] == "":
		s[key][lockedColumn]++
	}
}

// makeOf is who made the meter, as far as the capture tells.
func makeOf(c *capture) string {
	text := strings.ToLower(c.Meter)
	for _, m := range []string{"aidon", "kaifa", "kamstrup", "landis", "iskra", "sagemcom", "nes ", "easymeter", "energomera"} {
		if strings.Contains(text, m) {
			return strings.TrimSpace(m)
		}
	}
	return "others"
}

func (s tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-12s %8s %4s %8s\n", "country", "make", "decoded", "all", "no key")
	total := [3]int{}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		n := s[key]
		fmt.Fprintf(&b, "%-31s %8d %4d %8d\n", key, n[decodedColumn], n[allColumn], n[lockedColumn])
		for i := range n {
			total[i] += n[i]
		}
	}
	fmt.Fprintf(&b, "%-31s %8d %4d %8d\n", "all", total[decodedColumn], total[allColumn], total[lockedColumn])
	return b.String()
}

// checkUnread wants no reading: what looks like a telegram among the bytes of another protocol is none.
func checkUnread(t *testing.T, c *capture) {
	t.Helper()
	if readings, _ := drain(c.decoder(t)); len(readings) != 0 {
		t.Errorf("%s: %d readings of %s, which is not read", c.File, len(readings), c.Framing)
	}
}
