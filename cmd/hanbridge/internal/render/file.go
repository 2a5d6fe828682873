package render

import (
	"bytes"
	"cmp"
	"errors"
	"io"

	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A tally counts the telegrams of a file, or of all.
type tally struct {
	good, damaged int
	sound         int   // of the damaged: whole, of a kind that is not read, or without their key
	inside        int64 // bytes of the damaged

	opened, sealed int                  // ciphered telegrams that a key opens, and that none does
	locked         *dlms.EncryptedError // the first of these

	start  []byte // of the file
	bytes  []byte // that this stands for
	size   int64  // of these, all of them
	telnet bool   // it was recorded from a gateway in telnet mode
	empty  bool   // a file without telegrams is among them
	fault  error  // why not all was read
}

// decodeFile prints the telegrams of one file. A fault of standard output is in d.err.
func (d *decoding) decodeFile(name string, several bool) (n tally) {
	in, done, err := d.Open("decode", name)
	if err != nil {
		return tally{fault: err}
	}
	defer done()
	if several {
		d.buf = d.file(d.buf, name)
	}
	file := &headReader{Reader: flushing{in, d}, name: name}
	content := &headReader{Reader: capture.NewBytesReader(file)}
	keyed := &testKeyed{Reader: content, file: file}
	dec := meter.NewDecoder(keyed, meter.Options{Keys: d.keys, AcceptUnverified: true})
	keyed.decoder = dec
	n.fault = d.printAll(dec, &n)
	n.telnet = dec.TelnetNegotiated()
	n.start, n.bytes, n.size = file.start, content.start, content.size
	n.empty = n.good == 0 && n.damaged == 0 && n.fault == nil
	return n
}

// printAll prints telegrams until they end, and returns why not all could be read.
func (d *decoding) printAll(from *meter.Decoder, n *tally) error {
	for d.err == nil {
		r, err := from.Next()
		if err == nil {
			n.read(r)
			d.buf = d.reading(d.buf, r)
		} else if bad, damaged := errors.AsType[*meter.TelegramError](err); damaged {
			n.failed(bad)
			d.printDamaged(bad)
		} else if errors.Is(err, io.EOF) || d.err != nil {
			return nil
		} else {
			return err
		}
		if len(d.buf) >= enough {
			_ = d.flush() // d.err ends it
		}
	}
	return nil
}

func (d *decoding) printDamaged(bad *meter.TelegramError) {
	var complaint string
	if d.buf, complaint = d.damaged(d.buf, bad); complaint != "" {
		_ = d.flush() // d.err ends it; on a terminal both stand in the order in which they came
		d.PrintMessage("%s", complaint)
	}
}

func (n *tally) read(r *meter.Reading) {
	n.good++
	if r.Cipher != (meter.Cipher{}) {
		n.opened++
	}
}

func (n *tally) failed(e *meter.TelegramError) {
	n.damaged++
	n.inside += int64(e.Bytes)
	if e.Intact {
		n.sound++
	}
	if locked, ok := errors.AsType[*dlms.EncryptedError](e); ok {
		n.sealed++
		n.locked = cmp.Or(n.locked, locked)
	}
}

// add takes in what another file gave, as far as it counts at the end.
func (n *tally) add(other tally) {
	n.damaged += other.damaged
	n.opened += other.opened
	n.sealed += other.sealed
	n.locked = cmp.Or(n.locked, other.locked)
	n.empty = n.empty || other.empty
	n.fault = errors.Join(n.fault, other.fault)
}

// testKeyed adds the public test key to those that are given, where the head of a capture says that it is ciphered with it.
type testKeyed struct {
	io.Reader
	file    *headReader
	decoder *meter.Decoder
	looked  bool // the whole head has been looked at
}

func (t *testKeyed) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if !t.looked && bytes.Contains(t.file.start, []byte(capture.TestKeyPrefix)) {
		t.looked = true
		t.decoder.AddKey(mask.NewTestKey())
	}
	t.looked = t.looked || len(t.file.start) == headLength
	return n, err
}
