package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// noTelegram is why there is none in a recording, as far as nothing more is known.
const noTelegram = "it is empty, or was recorded with another line setting or an inverted signal"

// glimpse keeps the beginning of what is read.
type glimpse struct {
	io.Reader
	name  string
	start []byte
}

// Name returns the name of the file, for messages.
func (g *glimpse) Name() string { return g.name }

func (g *glimpse) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	const enough = 512 // bytes that tell text from others
	g.start = append(g.start, p[:min(n, enough-min(len(g.start), enough))]...)
	return n, err
}

// noTelegram says why there is most likely no telegram in a file.
func (n *tally) noTelegram() string {
	switch {
	case len(n.start) == 0:
		return "it is empty"
	case dataLine.Match(n.bytes):
		return "its lines are those of a meter, but the first one, which begins with / and names the make, is missing or damaged: " +
			"keep whole telegrams with hanbridge capture --for 60s --out FILE. Where they are no better, it is the meter: Star STZ351, " +
			"a Swedish one, sends that line as damaged characters, and cannot be read"
	case isText(n.start) && !isText(n.bytes): // its digits were understood
		return "its bytes are none: are the first or the last missing (a frame begins and ends with 7E or begins with 68, a message " +
			"alone begins with 0F or DB), or was it recorded with another line setting, or an inverted signal?"
	case isText(n.start):
		return "it is text, but neither a telegram nor hexadecimal digits alone: write two for each byte and nothing else, as xxd -p does"
	}
	return "was it recorded with another line setting, or an inverted signal?"
}

// dataLine is the beginning of one with a value, in ASCII.
var dataLine = regexp.MustCompile(`(?m)^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}([.*]\d{1,3})?\(`)

// isText tells that a person could read b, whose last character may be cut.
func isText(b []byte) bool {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(b); r == utf8.RuneError && size == 1 {
			b = b[:len(b)-1]
		}
	}
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}

// notAFile says what to do where a telegram itself stands in place of the name of its file.
func notAFile(name string, err error) error {
	const telegram = 16 // digits, which is more than in a name
	if len(name) < telegram || strings.Trim(name, "0123456789abcdefABCDEF :") != "" {
		return err
	}
	return fmt.Errorf("decode: %.16s… is not the name of a file: hexadecimal digits come through a pipe: echo %.16s… | hanbridge decode", name, name)
}
