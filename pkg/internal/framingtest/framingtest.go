// Package framingtest holds checks that the tests of p1, hdlc and mbus share.
package framingtest

// T is implemented by *testing.T, *testing.F and *rapid.T.
type T interface {
	Fatalf(format string, args ...any)
}

// Final fails the test if a result of length other than 0 changes with the bytes that follow, or is larger than the number of bytes given.
func Final(t T, length func([]byte) int, b []byte) {
	whole := length(b)
	for k := 1; k < len(b); k++ {
		if n := length(b[:k]); n != 0 && (n != whole || n > k) {
			t.Fatalf("Length of the first %d bytes = %d, of all %d = %d", k, n, len(b), whole)
		}
	}
}
