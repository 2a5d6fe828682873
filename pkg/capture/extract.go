package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// People keep and post telegrams among other text: prose, prompts, a log with the time before the bytes, JSON, source code. Bytes
// are taken out of such text only where whole telegrams are in them. Otherwise the text stays as it is.

var (
	// telegramText matches text that is a telegram itself, or a part of one. It is never searched for bytes.
	telegramText = regexp.MustCompile(`(?m)^/[A-Za-z]{3}|^[\d:.*-]*\.\d{1,3}(?:\*\d{1,3})?\(|^[[:xdigit:]]*\)`)

	// someBytes matches eight bytes or more: in numbers, in digits without a gap, or in escapes.
	someBytes = regexp.MustCompile(`(?i)(?:\b(?:0?x)?[0-9a-f]{1,8}h?\b\W{1,8}){8}|[0-9a-f]{16}|(?:\\x[0-9a-f]{2}.?){4}`)

	// quotedText matches text between quotes.
	quotedText = regexp.MustCompile(`'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"`)
)

// mayHoldBytes reports whether a recording begins as text that is no telegram, and has bytes written in it.
func mayHoldBytes(start []byte) bool {
	if bytes.ContainsFunc(start, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n\x1b", r) }) {
		return false
	}
	return someBytes.Match(start) && !telegramText.Match(start) || isEscaped(start) && quotedText.Match(start)
}

// A way is one of taking bytes out of a line of text. nothingElse reports that the line has nothing besides.
type way func(line []byte) (b []byte, nothingElse bool)

// extract reads a text that may hold bytes.
type extract struct {
	r    io.Reader
	from io.Reader // what was found, once the text has been read
}

func (e *extract) Read(p []byte) (int, error) {
	if e.from == nil {
		text, err := readText(e.r)
		if err != nil {
			return 0, err
		}
		e.from = found(text)
	}
	return e.from.Read(p)
}

// readText reads text that somebody made, which is no longer than longestDump.
func readText(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, longestDump+1))
	if err == nil && len(text) > longestDump {
		err = fmt.Errorf("bytes among text, or a dump, are read up to %d MiB: write longer ones as xxd -p does", longestDump>>20)
	}
	return text, err
}

// found returns the bytes that are written in a text, taken out in the way that gives most telegrams; or the text itself.
func found(text []byte) io.Reader {
	const sample = 1 << 18 // bytes of text that tell the way
	head := text[:min(len(text), sample)]
	var best way
	most := 0
	for _, w := range waysOf(head) {
		if n := countTelegrams(w.all(head)); n > most {
			best, most = w, n
		}
	}
	switch {
	case best != nil:
		b, _ := best.all(text)
		return bytes.NewReader(b)
	case isEscaped(text):
		return &unescape{bufio.NewReader(bytes.NewReader(text))}
	default:
		return bytes.NewReader(text)
	}
}

// all returns the bytes of all lines. whole reports that nothing but line ends is between them.
func (w way) all(text []byte) (all []byte, whole bool) {
	runs, joined := 0, false
	for line := range bytes.Lines(text) {
		b, nothingElse := w(bytes.TrimSpace(line))
		if len(b) > 0 && (!joined || !nothingElse) {
			runs++
		}
		joined = len(b) > 0 && nothingElse
		all = append(all, b...)
	}
	return all, runs == 1
}

// countTelegrams returns how many telegrams are in b. Those for which no checksum vouches count only if b is whole: a byte too
// many or too few would not be noticed.
func countTelegrams(b []byte, whole bool) (n int) {
	d := meter.NewDecoder(bytes.NewReader(b))
	for {
		r, err := d.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case err == nil && (r.Checked || whole), damaged && bad.Sound:
			n++
		case err != nil && !damaged:
			return n
		}
	}
}

// waysOf returns the ways to try on a text.
func waysOf(text []byte) []way {
	ways := []way{quoted}
	for _, n := range []numbers{{one: hexNumber, base: 16}, {one: decimalNumber, base: 10}} {
		for _, n.between = range n.gaps(text) {
			n.column = n.commonColumn(text)
			ways = append(ways, n.take)
		}
	}
	return ways
}

// quoted takes the longest text between quotes, with escapes: as Python prints bytes, or a string in a program or in JSON.
func quoted(line []byte) ([]byte, bool) {
	all := quotedText.FindAll(line, -1)
	if len(all) == 0 {
		return nil, false
	}
	text := slices.MaxFunc(all, func(a, b []byte) int { return len(a) - len(b) })
	b, _ := io.ReadAll(&unescape{bufio.NewReader(bytes.NewReader(text[1 : len(text)-1]))}) // no error: it is in memory
	return b, len(text) == len(line)
}
