// Package framingtest holds what every framing must keep to, for the tests of p1, hdlc and mbus.
package framingtest

// A T is a *testing.T, *testing.F or *rapid.T.
type T interface {
	Fatalf(format string, args ...any)
}

// Final fails where an answer of length, once given, changes with the bytes that follow, or goes beyond those it was given for.
func Final(t T, length func([]byte) int, b []byte) {
	whole := length(b)
	for k := 1; k < len(b); k++ {
		if n := length(b[:k]); n != 0 && (n != whole || n > k) {
			t.Fatalf("Length of the first %d bytes = %d, of all %d = %d", k, n, len(b), whole)
		}
	}
}
