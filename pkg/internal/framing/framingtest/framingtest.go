// Package framingtest holds what every framing must keep to, for the tests of p1, hdlc and mbus.
package framingtest

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"testing/iotest"
)

// A T is a *testing.T, *testing.F or *rapid.T.
type T interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Tokens returns what a Scanner finds in r.
func Tokens(t T, split bufio.SplitFunc, r io.Reader) []string {
	s := bufio.NewScanner(r)
	s.Split(split)
	got := []string{}
	for s.Scan() {
		got = append(got, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// Sound returns the frames among the tokens that parse accepts.
func Sound[F any](tokens []string, parse func([]byte) (F, error)) []string {
	got := []string{}
	for _, b := range tokens {
		if _, err := parse([]byte(b)); err == nil {
			got = append(got, b)
		}
	}
	return got
}

// Chunks fails where it matters how the bytes of a stream arrive, and returns what is found in it.
func Chunks(t T, split bufio.SplitFunc, stream []byte) []string {
	whole := Tokens(t, split, bytes.NewReader(stream))
	if got := Tokens(t, split, iotest.OneByteReader(bytes.NewReader(stream))); !slices.Equal(got, whole) {
		t.Fatalf("byte by byte %q, as a whole %q", got, whole)
	}
	return whole
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
