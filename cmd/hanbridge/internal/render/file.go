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

// tally counts the telegrams of one file, or of all files.
type tally struct {
	good          int   // telegrams with a reading
	rejected      int   // telegrams without a reading
	intact        int   // rejected telegrams that are not damaged: of an unknown kind, or encrypted
	rejectedBytes int64 // bytes of all rejected telegrams

	decrypted    int                  // encrypted telegrams that a key decrypts
	undecrypted  int                  // encrypted telegrams that no key decrypts
	encryptedErr *dlms.EncryptedError // the first error of a telegram that no key decrypts

	head        []byte // the first bytes of the file
	contentHead []byte // the first bytes of the content: the bytes of the file, or the bytes that hexadecimal text or a capture denotes
	contentSize int64  // length of the content
	telnet      bool   // the file was recorded from a gateway in telnet mode
	noTelegram  bool   // a file has no telegram
	err         error  // why a file could not be read to its end
}

// decodeFile prints the telegrams of one file, after the name of the file if printName is true. An error of standard output is in d.err.
func (d *decoding) decodeFile(name string, printName bool) (n tally) {
	in, done, err := d.Open("decode", name)
	if err != nil {
		return tally{err: err}
	}
	defer done()
	if printName {
		d.buf = d.file(d.buf, name)
	}
	file := &headReader{Reader: flushingReader{in, d}, name: name}
	content := &headReader{Reader: capture.NewBytesReader(file)}
	keyReader := &testKeyReader{Reader: content, file: file}
	dec := meter.NewDecoder(keyReader, meter.Options{Keys: d.keys, AcceptUnverified: true})
	keyReader.decoder = dec
	n.err = d.printAll(dec, &n)
	n.telnet = dec.TelnetNegotiated()
	n.head, n.contentHead, n.contentSize = file.head, content.head, content.size
	n.noTelegram = n.good == 0 && n.rejected == 0 && n.err == nil
	return n
}

// printAll prints all telegrams of a file. It returns the error of the input if the input could not be read to its end.
func (d *decoding) printAll(from *meter.Decoder, n *tally) error {
	for d.err == nil {
		r, err := from.Next()
		if err == nil {
			n.addReading(r)
			d.buf = d.reading(d.buf, r)
		} else if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			n.addRejected(bad)
			d.printRejected(bad)
		} else if errors.Is(err, io.EOF) || d.err != nil { // err is d.err if the reader could not flush the output
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

// printRejected prints a telegram that gave no reading.
func (d *decoding) printRejected(bad *meter.TelegramError) {
	var message string
	if d.buf, message = d.rejected(d.buf, bad); message != "" {
		_ = d.flush() // the message must not come before the output of earlier telegrams; the caller checks d.err
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

// addRejected counts a telegram that gave no reading.
func (n *tally) addRejected(e *meter.TelegramError) {
	n.rejected++
	n.rejectedBytes += int64(e.Bytes)
	if e.Intact {
		n.intact++
	}
	if encrypted, ok := errors.AsType[*dlms.EncryptedError](e); ok {
		n.undecrypted++
		n.encryptedErr = cmp.Or(n.encryptedErr, encrypted)
	}
}

// add adds the counts of another file that are needed after the last file.
func (n *tally) add(other tally) {
	n.rejected += other.rejected
	n.decrypted += other.decrypted
	n.undecrypted += other.undecrypted
	n.encryptedErr = cmp.Or(n.encryptedErr, other.encryptedErr)
	n.noTelegram = n.noTelegram || other.noTelegram
	n.err = errors.Join(n.err, other.err)
}

// testKeyReader gives the public test key to the decoder if the first bytes of the file contain capture.TestKeyPrefix. An anonymised capture
// contains this prefix if its telegrams are encrypted with the public test key.
type testKeyReader struct {
	io.Reader
	file    *headReader
	decoder *meter.Decoder
	done    bool // the key was added, or the first headLength bytes do not contain the prefix
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
