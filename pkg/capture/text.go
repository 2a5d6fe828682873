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
	// telegramText matches a line of a P1 telegram: an identification line, a data line or the end of a data line. Text with such a line is not
	// searched for bytes.
	telegramText = regexp.MustCompile(`(?m)^/[A-Za-z]{3}|^[\d:.*-]*\.\d{1,3}(?:\*\d{1,3})?\(|^[[:xdigit:]]*\)`)

	// someBytes matches eight or more bytes as separate numbers, or as digits without separators, or four or more escapes.
	someBytes = regexp.MustCompile(`(?i)(?:\b(?:0?x)?[0-9a-f]{1,8}h?\b\W{1,8}){8}|[0-9a-f]{16}|(?:\\x[0-9a-f]{2}.?){4}`)

	// quotedText matches text between quotes.
	quotedText = regexp.MustCompile(`'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"`)
)

// isText reports whether a recording with this beginning is text in which bytes are written. A P1 telegram is not such text.
func isText(start []byte) bool {
	if isEscaped(start) {
		return true
	}
	isControl := func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n\x1b", r) }
	return !bytes.ContainsFunc(start, isControl) && someBytes.Match(start) && !telegramText.Match(start)
}

// isEscaped reports whether text has two or more line ends as escapes, as programs print them. A telegram never contains the four characters
// \r\n.
func isEscaped(text []byte) bool { return bytes.Count(text, []byte(`\r\n`)) > 1 }

// bytesInText returns the bytes that are written in a text, such as prose, terminal output, a log with times, JSON, source code. It uses
// the extractor that gives most telegrams. If no extractor gives a complete telegram, it returns the text, and replaces the escapes in the
// text if isEscaped is true for the text.
func bytesInText(text []byte) []byte {
	const maxSample = 1 << 18 // bytes of text with which extractors are compared
	sample := text[:min(len(text), maxSample)]
	var best extractor
	maxCount := 0
	for _, e := range extractorsFor(sample) {
		if n := countTelegrams(e.all(sample)); n > maxCount {
			best, maxCount = e, n
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

// An extractor returns the bytes that are written in a line of text. nothingElse is true if the line contains only these bytes.
type extractor func(line []byte) (b []byte, nothingElse bool)

// extractorsFor returns the extractors to try on a text.
func extractorsFor(text []byte) []extractor {
	all := []extractor{quoted}
	for _, n := range []numbers{{number: hexNumber}, {number: decimalNumber}} {
		for _, separator := range n.separators(text) {
			n.separator = separator
			n.column = n.commonColumn(text)
			all = append(all, n.extract)
		}
	}
	return all
}

// all returns the bytes of all lines. contiguous is true if only line ends are between these bytes.
func (e extractor) all(text []byte) (all []byte, contiguous bool) {
	runs, lineContinues := 0, false // lineContinues is true if the bytes of the next line can continue the run
	for line := range bytes.Lines(text) {
		b, nothingElse := e(bytes.TrimSpace(line))
		if len(b) > 0 && (!lineContinues || !nothingElse) {
			runs++
		}
		lineContinues = len(b) > 0 && nothingElse
		all = append(all, b...)
	}
	return all, runs == 1
}

// countTelegrams returns how many telegrams are in b. Telegrams without a checksum count only if contiguous is true, because a byte can be
// missing between the bytes of two lines, and only a checksum shows that.
func countTelegrams(b []byte, contiguous bool) (n int) {
	for d := meter.NewDecoder(bytes.NewReader(b), meter.Options{AcceptUnverified: true}); ; {
		r, err := d.Next()
		telegramErr, isTelegramErr := errors.AsType[*meter.TelegramError](err)
		switch {
		case err == nil && (r.Checked || contiguous), isTelegramErr && telegramErr.Intact: // an intact telegram that cannot be read counts too
			n++
		case err != nil && !isTelegramErr:
			return n
		}
	}
}

// quoted is an extractor. It returns the longest text between quotes with its escapes replaced, such as a string in a program or in JSON.
func quoted(line []byte) ([]byte, bool) {
	all := quotedText.FindAll(line, -1)
	if len(all) == 0 {
		return nil, false
	}
	text := slices.MaxFunc(all, func(a, b []byte) int { return len(a) - len(b) })
	return unescaped(text[1 : len(text)-1]), len(text) == len(line)
}

// escapes replaces the escapes that Python, C and JSON share. It removes real line ends, with or without a '\' before them. It does not change a
// '\' before any other character, because the identification lines of Dutch meters contain a '\'.
var escapes = func() *strings.Replacer {
	pairs := []string{`\r`, "\r", `\n`, "\n", `\t`, "\t", `\\`, `\`, `\'`, `'`, `\"`, `"`, "\\\r", "", "\\\n", "", "\r", "", "\n", ""}
	for x := range 256 {
		b := string([]byte{byte(x)})
		pairs = append(pairs, fmt.Sprintf(`\x%02x`, x), b, fmt.Sprintf(`\x%02X`, x), b)
	}
	return strings.NewReplacer(pairs...)
}()

// unescaped returns text with its escapes replaced.
func unescaped(text []byte) []byte { return []byte(escapes.Replace(string(text))) }
