package meter_test

import "testing"

// TestNoAllocations: once a Decoder knows its meter, a telegram costs no memory, of whatever family.
func TestNoAllocations(t *testing.T) {
	for _, s := range samples() {
		d := newDecoder(&endless{telegram: s.telegram})
		if _, err := d.Next(); err != nil {
			t.Errorf("%s: %v", s.family.Name, err)
			continue
		}
		n := testing.AllocsPerRun(100, func() {
			if _, err := d.Next(); err != nil {
				t.Fatalf("%s: %v", s.family.Name, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for a telegram, want 0", s.family.Name, n)
		}
	}
}
