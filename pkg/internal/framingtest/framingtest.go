// Package framingtest holds checks that the tests of p1, hdlc and mbus share.
package framingtest

// T is implemented by *testing.T, *testing.F and *rapid.T.
type T interface {
	Fatalf(format string, args ...any)
}

// Final tests length, the function Length of a framing, with the first k bytes of b, for each k. Each result must be 0 (more bytes are needed), or
// equal the result for all bytes of b. No result must be larger than k.
func Final(t T, length func([]byte) int, b []byte) {
	want := length(b)
	for k := 1; k < len(b); k++ {
		if n := length(b[:k]); n != 0 && (n != want || n > k) {
			t.Fatalf("Length of the first %d bytes = %d, Length of all %d bytes = %d", k, n, len(b), want)
		}
	}
}
