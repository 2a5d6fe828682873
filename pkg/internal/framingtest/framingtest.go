// Package framingtest holds checks that the tests of p1, hdlc and mbus share.
package framingtest

// T is implemented by *testing.T, *testing.F and *rapid.T.
type T interface {
	Fatalf(format string, args ...any)
}

// Final fails the test if a result of length is not final. length is the function Length of a framing, which returns 0 until it knows the
// length. Any other result must not change when more bytes follow, and must not be larger than the number of bytes.
func Final(t T, length func([]byte) int, b []byte) {
	want := length(b)
	for k := 1; k < len(b); k++ {
		if n := length(b[:k]); n != 0 && (n != want || n > k) {
			t.Fatalf("Length of the first %d bytes = %d, Length of all %d bytes = %d", k, n, len(b), want)
		}
	}
}
