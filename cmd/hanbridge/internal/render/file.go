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

// A tally counts the telegrams of one file, or of all files.
type tally struct {
	good, damaged int   // telegrams with and without a reading
	intact        int   // telegrams without a reading that are not damaged: of an unknown kind, or without their key
	damagedBytes  int64 // bytes of all telegrams without a reading

	decrypted, encrypted int                  // encrypted telegrams that a key decrypts, and that none does
	encryptedErr         *dlms.EncryptedError // the first error of a telegram that no key decrypts

	head    []byte // the beginning of the file
	content []byte // the beginning of its bytes: the file may be hexadecimal text or a capture
	size    int64  // number of these bytes in the whole file
	telnet  bool   // the file was recorded from a gateway in telnet mode
	empty   bool   // a file has no telegram
	err     error  // why a file could not be read to its end
}

// decodeFile prints the telegrams of one file. An error of standard output is in d.err.
func (d *decoding) decodeFile(name string, several bool) (n tally) {
	in, done, err := d.Open("decode", name)
	if err != nil {
		return tally{err: err}
	}
	defer done()
	if several {
		d.buf = d.file(d.buf, name)
	}
	file := &headReader{Reader: flushingReader{in, d}, name: name}
	content := &headReader{Reader: capture.NewBytesReader(file)}
	keyReader := &testKeyReader{Reader: content, file: file}
	dec := meter.NewDecoder(keyReader, meter.Options{Keys: d.keys, AcceptUnverified: true})
	keyReader.decoder = dec
	n.err = d.printAll(dec, &n)
	n.telnet = dec.TelnetNegotiated()
	n.head, n.content, n.size = file.head, content.head, content.size
	n.empty = n.good == 0 && n.damaged == 0 && n.err == nil
	return n
}

// printAll prints all telegrams of a file. It returns the error of the input, if it could not be read to its end.
func (d *decoding) printAll(from *meter.Decoder, n *tally) error {
	for d.err == nil {
		r, err := from.Next()
		if err == nil {
			n.addReading(r)
			d.buf = d.reading(d.buf, r)
		} else if bad, damaged := errors.AsType[*meter.TelegramError](err); damaged {
			n.addError(bad)
			d.printDamaged(bad)
		} else if errors.Is(err, io.EOF) || d.err != nil {
			return nil
		} else {
			return err
		}
		if len(d.buf) >= flushSize {
			_ = d.flush() // the loop checks d.err
		}
	}
	return nil
}

func (d *decoding) printDamaged(bad *meter.TelegramError) {
	var message string
	if d.buf, message = d.damaged(d.buf, bad); message != "" {
		_ = d.flush() // the caller checks d.err; on a terminal, output and messages so stay in the order of the telegrams
		d.PrintMessage("%s", message)
	}
}

// addReading counts a decoded telegram.
func (n *tally) addReading(r *meter.Reading) {
	n.good++
	if r.Cipher != (meter.Cipher{}) {
		n.decrypted++
	}
}

// addError counts a telegram that gave no reading.
func (n *tally) addError(e *meter.TelegramError) {
	n.damaged++
	n.damagedBytes += int64(e.Bytes)
	if e.Intact {
		n.intact++
	}
	if encrypted, ok := errors.AsType[*dlms.EncryptedError](e); ok {
		n.encrypted++
		n.encryptedErr = cmp.Or(n.encryptedErr, encrypted)
	}
}

// add adds the counts of another file that are needed after the last file.
func (n *tally) add(other tally) {
	n.damaged += other.damaged
	n.decrypted += other.decrypted
	n.encrypted += other.encrypted
	n.encryptedErr = cmp.Or(n.encryptedErr, other.encryptedErr)
	n.empty = n.empty || other.empty
	n.err = errors.Join(n.err, other.err)
}

// testKeyReader gives the decoder the public test key, if the head of a capture says that the capture is encrypted with it.
type testKeyReader struct {
	io.Reader
	file    *headReader
	decoder *meter.Decoder
	done    bool // the key was added, or the whole head was searched
}

func (t *testKeyReader) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if !t.done && bytes.Contains(t.file.head, []byte(capture.TestKeyPrefix)) {
		t.done = true
		t.decoder.AddKey(mask.NewTestKey())
	}
	t.done = t.done || len(t.file.head) == headLength
	return n, err
}
