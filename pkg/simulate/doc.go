// Package simulate is a household that consumes and produces, and the meters that would stand in it. It encodes itself as
// any family of meters it knows, byte for byte as they send, and so drives the demo, the tests and the benchmarks.
//
// Everything follows from a seed and a time: the same two give the same telegrams, in whatever steps the time is advanced.
package simulate
