package recorder

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// report says what was captured, and returns how the program ends.
func (l *listener) report(err error) error {
	_, unkept := errors.AsType[errKeep](err)
	switch {
	case err != nil && l.bytes == 0 && (l.recorded || unkept):
		return err // a file was named that cannot be read or written
	case err != nil && l.bytes == 0:
		return cli.DataError(err)
	case err == nil && l.named == "":
		return nil // it was ended before a wire was open
	}
	text := fmt.Sprintf("%d bytes; telegrams: %d good, %d damaged", l.bytes, l.good, l.bad)
	if l.sealed > 0 {
		text += fmt.Sprintf(", %d that could not be read", l.sealed)
	}
	if l.mask != nil {
		text = l.masked()
	}
	l.say("%s: %s", l.out.name, text)
	if l.telnet && l.good > 0 {
		l.say("%s", line.Telnet.Advice())
	}
	if l.mask != nil && l.good == 0 {
		l.out.remove()
	}
	sound := l.good + l.sealed
	switch {
	case err != nil:
	case l.good > 0, sound > 0 && l.mask == nil:
		return nil
	case sound > 0:
		err = errors.New("nothing could be masked, so there is nothing to show")
	case l.recorded:
		err = errors.New("no telegram in it: " + render.NoTelegramReason)
	default:
		err = errors.New("no telegram" + l.advice())
	}
	return cli.DataError(err)
}

// advice says what to do where there was no telegram. To try another setting helps only where one alone was tried.
func (l *listener) advice() string {
	best, _ := l.tried.Best()
	if len(l.tried) > 1 && best.Verdict.SuggestsOtherSetting() {
		return fmt.Sprintf(" at the %d settings tried: hanbridge doctor tries them all, and says what is most likely wrong", len(l.tried))
	}
	return ": " + probe.Advice(best.Verdict)
}

// lockedAdvice says what becomes of encrypted telegrams.
func (l *listener) lockedAdvice() string {
	kept, without := "they are kept as they are", render.OmitAuthKeyAdvice
	if l.mask != nil {
		kept, without = "they are left out, since what is in them cannot be masked", "or leave it out"
	}
	switch {
	case l.locked.AuthKey:
		return "encrypted telegrams, and the key fits, but its authentication key does not: " + kept + ". Compare auth_key (--auth-key) " +
			"with what your grid company gave you, " + without
	case l.locked.Tried:
		return "encrypted telegrams, and no key fits: " + kept + "; " + render.SwappedKeysAdvice
	case l.mask != nil:
		return "encrypted telegrams: without the key " + kept + ". Name it with --key-file FILE: what is written is encrypted with a " +
			"public test key, never with yours"
	}
	return "encrypted telegrams: " + kept + ", with the number of the meter in clear (--anonymise masks it)"
}

// masked says what was written and what was left out.
func (l *listener) masked() string {
	text := fmt.Sprintf("telegrams: %d masked; left out: %d damaged, %d that could not be read or masked, %d bytes between telegrams",
		l.good, l.bad, l.sealed, max(l.bytes-l.mask.inside, 0))
	if l.mask.ciphered {
		text += "; what was ciphered is ciphered with a public test key, which stands in the file"
	}
	return text
}
