package recorder

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// report prints what was captured, and returns the error of the command. err is the error of the capture.
func (l *listener) report(err error) error {
	_, isWriteError := errors.AsType[writeError](err)
	switch {
	case err != nil && l.bytes == 0 && (l.recorded || isWriteError):
		return err // the file of --from or --out cannot be read or written
	case err != nil && l.bytes == 0:
		return cli.DataError(err)
	case err == nil && l.lastOpened == "":
		return nil // the capture ended before an endpoint was open
	}
	text := fmt.Sprintf("%d bytes; telegrams: %d good, %d damaged", l.bytes, l.good, l.damaged)
	if l.unreadable > 0 {
		text += fmt.Sprintf(", %d that could not be read", l.unreadable)
	}
	if l.mask != nil {
		text = l.maskedSummary()
	}
	l.print("%s: %s", l.out.name, text)
	if l.telnet && l.good > 0 {
		l.print("%s", line.Telnet.Advice())
	}
	if l.mask != nil && l.good == 0 {
		l.out.remove()
	}
	undamaged := l.good + l.unreadable // an anonymised capture does not contain the unreadable telegrams
	switch {
	case err != nil: // returned below
	case l.good > 0, undamaged > 0 && l.mask == nil:
		return nil
	case undamaged > 0:
		err = errors.New("nothing could be masked, so there is nothing to show")
	case l.recorded:
		err = errors.New("no telegram in it: " + render.NoTelegramReason)
	default:
		err = errors.New("no telegram" + l.advice())
	}
	return cli.DataError(err)
}

// advice says what to do if there was no telegram. Its text continues the words "no telegram".
func (l *listener) advice() string {
	best, _ := l.findings.Best()
	if len(l.findings) > 1 && best.Verdict.SuggestsOtherSetting() {
		return fmt.Sprintf(" at the %d settings tried: hanbridge doctor tries them all, and says what is most likely wrong", len(l.findings))
	}
	return ": " + probe.Advice(best.Verdict)
}

// encryptedAdvice says what happens to telegrams that no key decrypts, and how to give the key.
func (l *listener) encryptedAdvice() string {
	treatment, omitAdvice := "they are kept as they are", render.OmitAuthKeyAdvice
	if l.mask != nil {
		treatment, omitAdvice = "they are left out, because their content cannot be masked", "or leave it out"
	}
	switch {
	case l.encryptedErr.AuthKey:
		return "encrypted telegrams, and the key fits, but its authentication key does not: " + treatment + ". Compare auth_key (--auth-key) " +
			"with what your grid company gave you, " + omitAdvice
	case l.encryptedErr.Tried:
		return "encrypted telegrams, and no key fits: " + treatment + "; " + render.SwappedKeysAdvice
	case l.mask != nil:
		return "encrypted telegrams: without the key " + treatment + ". Give the key with --key-file FILE. The file is encrypted with a " +
			"public test key, not with yours"
	}
	return "encrypted telegrams: " + treatment + ", and the number of the meter is readable in them (--anonymise masks the number)"
}

// maskedSummary says how many telegrams were masked, and how many bytes and telegrams are not in the file.
func (l *listener) maskedSummary() string {
	text := fmt.Sprintf("telegrams: %d masked; left out: %d damaged, %d that could not be read or masked, %d bytes between telegrams",
		l.good, l.damaged, l.unreadable, max(l.bytes-l.mask.telegramBytes, 0))
	if l.mask.encrypted {
		text += "; encrypted telegrams are encrypted again with a public test key, which the file names"
	}
	return text
}
