package render

import (
	"fmt"
	"io"
	"regexp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// NoTelegramReason says why a recording possibly has no telegram, if nothing more is known.
const NoTelegramReason = "it is empty, or was recorded with another line setting or an inverted signal"

// lineSettingAdvice names the likely reasons why bytes contain no telegram.
const lineSettingAdvice = "is it the right file? If it is a recording of the port: was it made at another line setting, or is the signal inverted? " +
	"hanbridge doctor finds out"

// headLength is how many of the first bytes of a file are stored. They show what kind of file it is.
const headLength = 512

// headReader stores the first bytes of its input, and counts all bytes.
type headReader struct {
	io.Reader
	name string
	head []byte // the first bytes, at most headLength
	size int64  // bytes read
}

// Name returns the name of the file, for messages.
func (h *headReader) Name() string { return h.name }

func (h *headReader) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.size += int64(n)
	h.head = append(h.head, p[:min(n, headLength-len(h.head))]...)
	return n, err
}

// advice returns the message about a file without readings or from a telnet gateway, or "".
func (n *tally) advice() string {
	const (
		// If fewer than one in ten bytes belong to telegrams, the damaged telegrams are most likely random bytes that look like telegrams.
		maxBytesPerTelegramByte = 10
		// A file of at most 4096 bytes is possibly one long telegram with a damaged header. Most of its bytes then belong to no telegram.
		minSize = 4096
	)
	onlyDamaged := n.good == 0 && n.rejected > 0 && n.intact == 0
	switch {
	case n.telnet && n.noTelegram:
		return "no telegram in it: " + line.Telnet.Advice()
	case n.noTelegram:
		return "no telegram in it: " + n.noTelegramReason()
	case n.telnet:
		return line.Telnet.Advice()
	case onlyDamaged && n.rejectedBytes*maxBytesPerTelegramByte < n.contentSize && n.contentSize > minSize:
		return fmt.Sprintf("nearly all of its %d bytes belong to no telegram: %s", n.contentSize, lineSettingAdvice)
	}
	return ""
}

// noTelegramReason returns the most likely reason why a file has no telegram.
func (n *tally) noTelegramReason() string {
	switch {
	case len(n.head) == 0:
		return "it is empty"
	case dataLinePattern.Match(n.contentHead):
		return "its lines are those of a meter, but the first one, which begins with / and names the make, is missing or damaged: " +
			"record complete telegrams with hanbridge capture --for 60s --out FILE. If that line is missing there too, the meter does not send it: " +
			"the Swedish meter Star STZ351 sends damaged characters in its place, and cannot be read"
	case safetext.IsUTF16(n.head):
		return "it is in UTF-16, the encoding of files that PowerShell writes with >: record the bytes with hanbridge capture --out FILE, or save " +
			"the file as UTF-8 without a change of its line ends"
	case safetext.IsText(n.head) && !safetext.IsText(n.contentHead): // the text was read as hexadecimal digits
		return "its hexadecimal digits are bytes without a telegram: are the first or the last bytes missing (an HDLC frame begins and ends with 7E, an M-Bus frame " +
			"begins with 68, a message without a frame begins with 0F or DB), or was it recorded with another line setting, or an inverted signal?"
	case base64Pattern.Match(n.head):
		return "it looks like Base64: type base64 -d FILE | hanbridge decode -"
	case safetext.IsText(n.head) && hexPattern.Match(n.head):
		return "it is text with numbers, but the numbers contain no complete telegram: is a byte missing, or is other text between the bytes? Write " +
			"two hexadecimal digits for each byte and nothing else, as xxd -p does"
	case safetext.IsText(n.head):
		return "it is text, but neither a telegram nor only hexadecimal digits: write two digits for each byte and nothing else, as xxd -p does"
	}
	return lineSettingAdvice
}

// dataLinePattern matches the beginning of a data line with a value in an ASCII telegram.
var dataLinePattern = regexp.MustCompile(`(?m)^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}([.*]\d{1,3})?\(`)

var (
	// base64Pattern matches text that is entirely Base64.
	base64Pattern = regexp.MustCompile(`^\s*(?:[A-Za-z0-9+/]{40,}={0,2}\s*)+$`)

	// hexPattern matches eight hexadecimal numbers of 2 to 8 digits one after another, or 16 hexadecimal digits without a separator.
	hexPattern = regexp.MustCompile(`(?i)(?:\b(?:0x)?[0-9a-f]{2,8}\b\W{1,8}){8}|[0-9a-f]{16}`)
)

// keyAdvice returns the advice for telegrams that no key decrypts. It names the flags for keys.
func (n *tally) keyAdvice() string {
	switch {
	case n.encryptedErr.Tried && n.decrypted > 0:
		return fmt.Sprintf("%d of %d encrypted telegrams could not be decrypted with the key of the others: they are damaged, or from another meter",
			n.undecrypted, n.undecrypted+n.decrypted)
	case n.encryptedErr.AuthKey:
		return "telegrams are encrypted, and the key fits, but its authentication key does not (or a telegram is damaged): compare " +
			"--auth-key, or the second key in a line of the key file, with what the grid company gave you, " + OmitAuthKeyAdvice
	case n.encryptedErr.Tried:
		return "telegrams are encrypted, and no key that was given fits: ask the grid company for the key of this meter (a new " +
			"meter has another key), and give it with --key-file FILE or --key HEX; " + SwappedKeysAdvice
	}
	return "telegrams are encrypted: the grid company gives you the key; write the key into a file, and name the file with --key-file FILE " +
		"(or give the key with --key HEX, which other users of the machine can see)"
}

// Parts of the advice about keys that do not fit. Several commands use them.
const (
	OmitAuthKeyAdvice = "or leave it out: then telegrams are not authenticated, so values are published only after a second telegram has confirmed the first"
	SwappedKeysAdvice = "if you were given two keys, the key and the authentication key are possibly swapped"
)
