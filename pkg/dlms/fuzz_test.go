package dlms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// FuzzNotification tests that there are never more records than bytes, and that the Notification is empty after an error. A Notification that
// was used before must give the same result as a new Notification.
func FuzzNotification(f *testing.F) {
	for _, s := range shapes {
		f.Add([]byte(start+s.body), []byte(start+shapes[0].body))
	}
	f.Add([]byte(start+"\x02\x82\xFF\xFF\x00"), []byte{})
	f.Add([]byte("\x0F0000\x00\x01\x01\x00"), []byte{}) // an item of one byte
	f.Fuzz(func(t *testing.T, apdu, earlier []byte) {
		var used, fresh dlms.Notification
		_ = used.Parse(earlier)
		errUsed, err := used.Parse(apdu), fresh.Parse(apdu)
		if (err == nil) != (errUsed == nil) || err != nil && err.Error() != errUsed.Error() {
			t.Fatalf("got error %v from a Notification that was used before, want %v as from a new Notification", errUsed, err)
		}
		if diff := cmp.Diff(fresh, used, compareAll); diff != "" {
			t.Fatalf("-fresh +used before:\n%s", diff)
		}
		if err != nil && (len(fresh.Records) > 0 || len(fresh.Layout) > 0 || len(fresh.ListName) > 0 || !fresh.Time.IsZero()) {
			t.Fatalf("got %+v after an error, want an empty Notification", fresh)
		}
		if len(fresh.Records) > len(apdu) || len(fresh.Layout) != 0 && len(fresh.Layout) != len(fresh.Records) {
			t.Fatalf("got %d records and %d layout letters from %d bytes", len(fresh.Records), len(fresh.Layout), len(apdu))
		}
		for _, r := range fresh.Records {
			if r.Kind == obis.Clock && !r.Time.Valid() {
				t.Fatalf("got invalid time %v in a Clock", r.Time)
			}
		}
	})
}
