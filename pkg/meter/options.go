package meter

import (
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// Options are what the bytes of a meter cannot tell. The zero Options suit most meters.
type Options struct {
	// Keys open ciphered telegrams. They are tried in turn, the one that fitted last first. A Key serves one Decoder.
	Keys []*dlms.Key
	// Scale multiplies quantities: behind a transformer whose ratio the meter does not apply, or where a make counts in
	// 10 Wh and this meter does not. nil changes nothing.
	Scale *quantity.Scale
	// IgnoreChecksum takes ASCII telegrams with a wrong checksum for ones without: for the few meters that send a wrong one.
	IgnoreChecksum bool
	// RejectOld refuses ciphered telegrams whose frame counter is not above the last one. Without it they are read, and
	// marked as Repeated.
	RejectOld bool
}
