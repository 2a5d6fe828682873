package render

import (
	"fmt"
)

// lockedAdvice says which flag opens encrypted telegrams.
func (n *tally) lockedAdvice() string {
	switch {
	case n.locked.Tried && n.opened > 0:
		return fmt.Sprintf("%d of %d encrypted telegrams did not open with the key that opened the others: they are damaged, or another meter's",
			n.sealed, n.sealed+n.opened)
	case n.locked.AuthKey:
		return "telegrams are encrypted, and the key fits, but its authentication key does not (or a telegram is damaged): compare " +
			"--auth-key, or the second key in its line of the file, with what the grid company gave you, " + WithoutAuthKey
	case n.locked.Tried:
		return "telegrams are encrypted, and no key that was given fits: ask the grid company for the key of this meter (an old one " +
			"ends with a change of meter), and name it with --key-file FILE or --key HEX; " + MaybeSwapped
	}
	return "telegrams are encrypted: the grid company gives you the key; write it into a file, and name that with --key-file FILE " +
		"(or --key HEX, which other users of the machine can see)"
}

// What is said of keys that do not fit, wherever it is.
const (
	WithoutAuthKey = "or leave it out: then values are read, but nothing proves them, so that they are published after two alike"
	MaybeSwapped   = "where you were given two, key and authentication key may be swapped"
)
