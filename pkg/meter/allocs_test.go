package meter_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// TestNoAllocations: once a Decoder knows its meter, a telegram costs no memory, of whatever family.
func TestNoAllocations(t *testing.T) {
	for _, s := range samples() {
		d := meter.NewDecoder(&endless{telegram: s.telegram})
		n := testing.AllocsPerRun(100, func() {
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for a telegram, want 0", s.name, n)
		}
	}
}
