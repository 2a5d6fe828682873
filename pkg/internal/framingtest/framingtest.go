// Package framingtest holds checks that the tests of p1, hdlc and mbus share.
package framingtest

// T is implemented by *testing.T, *testing.F and *rapid.T.
type T interface {
	Fatalf(format string, args ...any)
}

// Final tests a function Length of a framing with the beginnings of b. length is that function. It returns 0 as long as it needs more bytes to
// know the length of the telegram. Final fails the test if any other result changes when more bytes follow, or is larger than the number of
// bytes.
func Final(t T, length func([]byte) int, b []byte) {
	want := length(b)
	for k := 1; k < len(b); k++ {
		if n := length(b[:k]); n != 0 && (n != want || n > k) {
			t.Fatalf("Length of the first %d bytes = %d, Length of all %d bytes = %d", k, n, len(b), want)
		}
	}
}
