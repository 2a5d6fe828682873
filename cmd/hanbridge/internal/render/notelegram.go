package render

import (
	"fmt"
	"io"
	"regexp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// NoTelegramReason is why there is none in a recording, as far as nothing more is known.
const NoTelegramReason = "it is empty, or was recorded with another line setting or an inverted signal"

// anotherLine names the likely reasons why bytes are no telegrams.
const anotherLine = "is it the right file? If it is a recording of the port: was it made at another line setting, or is the signal inverted? " +
	"hanbridge doctor finds out"

// headLength is how many bytes tell text from others.
const headLength = 512

// headReader keeps the beginning of what is read, and counts all of it.
type headReader struct {
	io.Reader
	name  string
	start []byte // at most headLength
	size  int64
}

// Name returns the name of the file, for messages.
func (h *headReader) Name() string { return h.name }

func (h *headReader) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.size += int64(n)
	h.start = append(h.start, p[:min(n, headLength-len(h.start))]...)
	return n, err
}

// advice is what is said of a file that gave nothing, and "" where there is nothing to say.
func (n *tally) advice() string {
	const (
		nearlyAll = 10   // of which one part may look like telegrams by chance
		longest   = 4096 // bytes: of a telegram whose head is damaged the rest belongs to none
	)
	switch {
	case n.telnet && n.empty:
		return "no telegram in it: " + line.Telnet.Advice()
	case n.empty:
		return "no telegram in it: " + n.noTelegram()
	case n.telnet:
		return line.Telnet.Advice()
	case n.good == 0 && n.damaged > 0 && n.sound == 0 && n.inside*nearlyAll < n.size && n.size > longest:
		return fmt.Sprintf("nearly all of its %d bytes belong to no telegram: %s", n.size, anotherLine)
	}
	return ""
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
	case safetext.IsUTF16(n.start):
		return "it is in UTF-16, as > of PowerShell writes it: record bytes with hanbridge capture --out FILE, or save it as UTF-8, " +
			"with its line ends as they are"
	case safetext.IsText(n.start) && !safetext.IsText(n.bytes): // its digits were understood
		return "its digits were read as bytes, and these are no telegram: are the first or the last missing (a frame begins and ends with 7E or begins with 68, a message " +
			"alone begins with 0F or DB), or was it recorded with another line setting, or an inverted signal?"
	case base64Text.Match(n.start):
		return "it looks like Base64: base64 -d FILE | hanbridge decode - reads it"
	case safetext.IsText(n.start) && hexText.Match(n.start):
		return "it is text with hexadecimal or other numbers in it, but no whole telegram is in these: is a byte missing, or something between them? Write " +
			"two hexadecimal digits for each byte and nothing else, as xxd -p does"
	case safetext.IsText(n.start):
		return "it is text, but neither a telegram nor hexadecimal digits alone: write two for each byte and nothing else, as xxd -p does"
	}
	return anotherLine
}

// dataLine is the beginning of one with a value, in ASCII.
var dataLine = regexp.MustCompile(`(?m)^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}([.*]\d{1,3})?\(`)

var (
	// base64Text is a text of nothing but Base64.
	base64Text = regexp.MustCompile(`^\s*(?:[A-Za-z0-9+/]{40,}={0,2}\s*)+$`)

	// hexText has eight bytes or more as numbers.
	hexText = regexp.MustCompile(`(?i)(?:\b(?:0x)?[0-9a-f]{2,8}\b\W{1,8}){8}|[0-9a-f]{16}`)
)

// lockedAdvice says which flag opens encrypted telegrams.
func (n *tally) lockedAdvice() string {
	switch {
	case n.locked.Tried && n.opened > 0:
		return fmt.Sprintf("%d of %d encrypted telegrams did not open with the key that opened the others: they are damaged, or another meter's",
			n.sealed, n.sealed+n.opened)
	case n.locked.AuthKey:
		return "telegrams are encrypted, and the key fits, but its authentication key does not (or a telegram is damaged): compare " +
			"--auth-key, or the second key in its line of the file, with what the grid company gave you, " + OmitAuthKeyAdvice
	case n.locked.Tried:
		return "telegrams are encrypted, and no key that was given fits: ask the grid company for the key of this meter (an old one " +
			"ends with a change of meter), and name it with --key-file FILE or --key HEX; " + SwappedKeysAdvice
	}
	return "telegrams are encrypted: the grid company gives you the key; write it into a file, and name that with --key-file FILE " +
		"(or --key HEX, which other users of the machine can see)"
}

// What is said of keys that do not fit, wherever it is.
const (
	OmitAuthKeyAdvice = "or leave it out: then values are read, but nothing proves them, so that they are published after two alike"
	SwappedKeysAdvice = "where you were given two, key and authentication key may be swapped"
)
