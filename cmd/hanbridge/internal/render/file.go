package render

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"io"
	"slices"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// TestKeyNote is how the line of a capture begins that says with what it is ciphered. decode looks for it.
const TestKeyNote = "# ciphered with a public test key"

// A tally counts the telegrams of a file, or of all.
type tally struct {
	good, damaged int
	sound         int   // of the damaged: whole, of a kind that is not read, or without their key
	inside        int64 // bytes of the damaged

	opened, sealed int               // ciphered telegrams that a key opens, and that none does
	locked         *dlms.LockedError // the first of these

	start  []byte // of the file
	bytes  []byte // that this stands for
	size   int64  // of these, all of them
	telnet bool   // it was recorded from a gateway in telnet mode
	empty  bool   // a file without telegrams is among them
	fault  error  // why not all was read
}

// decodeFile prints the telegrams of one file. An error is one of the output; that of the file is in the tally.
func decodeFile(p *cli.Program, name string, several bool, to printer, keys []*dlms.Key) (n tally, err error) {
	in, done, err := p.Open("decode", name)
	if err != nil {
		return tally{fault: err}, nil
	}
	defer done()
	if several {
		if err := to.file(name); err != nil {
			return n, err
		}
	}
	g := &glimpse{Reader: in, name: name}
	heard := &glimpse{Reader: capture.Bytes(g)}
	unlocked := &testKeyed{Reader: heard, file: g}
	d := meter.NewDecoder(unlocked)
	d.Options = meter.Options{Keys: keys}
	unlocked.options = &d.Options
	err = n.count(d, to)
	n.telnet = d.Telnet()
	n.start, n.bytes, n.size = g.start, heard.start, heard.size
	n.empty = n.good == 0 && n.damaged == 0 && n.fault == nil
	return n, err
}

// count prints telegrams until they end.
func (n *tally) count(d *meter.Decoder, to printer) error {
	for {
		r, err := d.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case err == nil:
			n.read(r)
			err = to.reading(r)
		case damaged:
			n.failed(bad)
			err = to.damaged(bad)
		case errors.Is(err, io.EOF):
			return nil
		default:
			n.fault = err
			return nil
		}
		if err != nil {
			return err
		}
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
	if e.Sound {
		n.sound++
	}
	if locked, ok := errors.AsType[*dlms.LockedError](e); ok {
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
	file    *glimpse
	options *meter.Options
	added   bool
}

func (t *testKeyed) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if !t.added && bytes.Contains(t.file.start, []byte(TestKeyNote)) {
		t.added = true
		t.options.Keys = append(slices.Clip(t.options.Keys), testKey()) // the others belong to all files
	}
	return n, err
}

func testKey() *dlms.Key {
	b, err := hex.DecodeString(mask.TestKey)
	if err != nil {
		panic(err)
	}
	k, err := dlms.NewKey(b, b)
	if err != nil {
		panic(err)
	}
	return k
}
