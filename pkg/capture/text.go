package capture

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

var (
	// telegramText matches text that is a telegram itself, or a part of one. It is never searched for bytes.
	telegramText = regexp.MustCompile(`(?m)^/[A-Za-z]{3}|^[\d:.*-]*\.\d{1,3}(?:\*\d{1,3})?\(|^[[:xdigit:]]*\)`)

	// someBytes matches eight bytes or more: in numbers, in digits without a gap, or in escapes.
	someBytes = regexp.MustCompile(`(?i)(?:\b(?:0?x)?[0-9a-f]{1,8}h?\b\W{1,8}){8}|[0-9a-f]{16}|(?:\\x[0-9a-f]{2}.?){4}`)

	// quotedText matches text between quotes.
	quotedText = regexp.MustCompile(`'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"`)
)

// isText reports whether a recording begins as text that is no telegram, and has bytes written in it.
func isText(start []byte) bool {
	if isEscaped(start) {
		return true
	}
	isControl := func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n\x1b", r) }
	return !bytes.ContainsFunc(start, isControl) && someBytes.Match(start) && !telegramText.Match(start)
}

// isEscaped tells if text is as programs print bytes: no telegram holds the four characters \r\n, let alone twice.
func isEscaped(text []byte) bool { return bytes.Count(text, []byte(`\r\n`)) > 1 }

// bytesInText returns the bytes that are written in a text: prose, prompts, a log with the time before the bytes, JSON, source code.
// They are taken out in the way that gives most telegrams. Where none gives a whole one, the text stays as it is.
func bytesInText(text []byte) []byte {
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
		text, _ = best.all(text)
	case isEscaped(text):
		text = unescaped(text)
	}
	return text
}

// A way is one of taking bytes out of a line of text. nothingElse reports that the line has nothing besides.
type way func(line []byte) (b []byte, nothingElse bool)

// waysOf returns the ways to try on a text.
func waysOf(text []byte) []way {
	ways := []way{quoted}
	for _, n := range []numbers{{one: hexNumber}, {one: decimalNumber}} {
		for _, n.between = range n.gaps(text) {
			n.column = n.commonColumn(text)
			ways = append(ways, n.take)
		}
	}
	return ways
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
	for d := meter.NewDecoder(bytes.NewReader(b), meter.Options{AcceptUnverified: true}); ; {
		r, err := d.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case err == nil && (r.Checked || whole), damaged && bad.Intact:
			n++
		case err != nil && !damaged:
			return n
		}
	}
}

// quoted takes the longest text between quotes, with escapes: as Python prints bytes, or a string in a program or in JSON.
func quoted(line []byte) ([]byte, bool) {
	all := quotedText.FindAll(line, -1)
	if len(all) == 0 {
		return nil, false
	}
	text := slices.MaxFunc(all, func(a, b []byte) int { return len(a) - len(b) })
	return unescaped(text[1 : len(text)-1]), len(text) == len(line)
}

// escapes replaces those that Python, C and JSON share, and drops the line ends of an editor, with a '\' before them or not. A '\'
// before anything else is a character of its own: Dutch meters have one in their name.
var escapes = func() *strings.Replacer {
	pairs := []string{`\r`, "\r", `\n`, "\n", `\t`, "\t", `\\`, `\`, `\'`, `'`, `\"`, `"`, "\\\r", "", "\\\n", "", "\r", "", "\n", ""}
	for x := range 256 {
		b := string([]byte{byte(x)})
		pairs = append(pairs, fmt.Sprintf(`\x%02x`, x), b, fmt.Sprintf(`\x%02X`, x), b)
	}
	return strings.NewReplacer(pairs...)
}()

// unescaped returns text with what its escapes stand for.
func unescaped(text []byte) []byte { return []byte(escapes.Replace(string(text))) }
