package dlms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// FuzzNotification: nothing panics. There are never more records than bytes, an error leaves the Notification empty, and a Notification
// that was used before gives the same result as a fresh one.
func FuzzNotification(f *testing.F) {
	for _, s := range shapes {
		f.Add([]byte(start+s.body), []byte(start+shapes[0].body))
	}
	f.Add([]byte(start+"\x02\x82\xFF\xFF\x00"), []byte{})
	f.Add([]byte("\x0F0000\x00\x01\x01\x00"), []byte{}) // an item of one byte
	f.Fuzz(func(t *testing.T, apdu, before []byte) {
		var used, fresh dlms.Notification
		_ = used.Parse(before)
		errUsed, err := used.Parse(apdu), fresh.Parse(apdu)
		if (err == nil) != (errUsed == nil) || err != nil && err.Error() != errUsed.Error() {
			t.Fatalf("got %v, and %v from one that was used before", err, errUsed)
		}
		if diff := cmp.Diff(fresh, used, readable[:2]); diff != "" {
			t.Fatalf("-fresh +used before:\n%s", diff)
		}
		if err != nil && (len(fresh.Records) > 0 || len(fresh.Layout) > 0 || len(fresh.ListName) > 0 || !fresh.Time.IsZero()) {
			t.Fatalf("the notification holds something after its error: %+v", fresh)
		}
		if len(fresh.Records) > len(apdu) || len(fresh.Layout) != 0 && len(fresh.Layout) != len(fresh.Records) {
			t.Fatalf("%d records and %d letters of %d bytes", len(fresh.Records), len(fresh.Layout), len(apdu))
		}
		for _, r := range fresh.Records {
			if r.Kind == obis.Clock && !r.Time.Valid() {
				t.Fatalf("no time: %v", r.Time)
			}
		}
	})
}
