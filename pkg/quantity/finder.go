package quantity

import "github.com/hanbridge/hanbridge/pkg/obis"

// A Finder makes samples of the records of one meter. It remembers which quantity stands at which place of a telegram, since a meter
// sends the same list again and again: without that, decoding takes 6 to 9 % longer (BenchmarkDecode of pkg/meter). The zero
// Finder is ready. It is not safe for concurrent use.
type Finder struct {
	// Digits tells that the records are those of an ASCII telegram, where a text for people comes as hexadecimal digits.
	Digits bool
	// Means tells that the meter sends the mean currents of a period where others send the limits of their fuses.
	Means bool

	seen   [places]place
	plain  []byte // the text of a message
	line   []byte // a message in hexadecimal without the ends of its lines
	digits []byte // texts that nobody can read, in hexadecimal, and such that were
}

// places is how many records of a telegram are remembered; the few behind them are looked up each time.
const places = 96

type place struct {
	code obis.Code
	id   ID
	ok   bool
}

// Of returns what the function Of does for the code of record i.
func (f *Finder) Of(i int, c obis.Code) (ID, bool) {
	if uint(i) >= places {
		return Of(c)
	}
	p := &f.seen[i]
	if p.code != c {
		p.code = c
		p.id, p.ok = Of(c)
	}
	return p.id, p.ok
}
