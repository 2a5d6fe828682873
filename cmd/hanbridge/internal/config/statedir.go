package config

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateOff is the state_dir of who wants nothing remembered. An empty one is most likely a mistake.
const stateOff = "off"

// StateDirToWrite returns the directory where a bridge that starts now keeps what must survive a restart, "" where nothing is to be remembered.
func (c Config) StateDirToWrite() string {
	if c.StateDir == stateOff {
		return ""
	}
	return cmp.Or(c.UserStateDir, c.StateDir)
}

// StateDirToRead returns the directory where the bridge has kept it. That of this user counts only where it is there: the bridge may run as
// another user, in the directory that this one may not write to.
func (c Config) StateDirToRead() string {
	if _, err := os.Stat(c.UserStateDir); err == nil || c.StateDir == stateOff {
		return c.StateDirToWrite()
	}
	return c.StateDir
}

// userState returns the directory of this user in place of one that it may not write to, "" where it may, or has none.
func userState(dir string, environ []string) string {
	if writable(dir) {
		return ""
	}
	set := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		set[name] = value
	}
	state := set["XDG_STATE_HOME"]
	if !filepath.IsAbs(state) {
		state = filepath.Join(set["HOME"], ".local", "state")
	}
	own := filepath.Join(state, "hanbridge")
	if !filepath.IsAbs(own) || !writable(own) {
		return ""
	}
	return own
}

// writable reports whether this program may make files in a directory, or may make the directory.
func writable(dir string) bool {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		return writable(filepath.Dir(dir))
	}
	return err == nil && info.IsDir() && HasAccess(dir, WriteAccess)
}

func (c Config) checkStateDir(p *Problems) {
	switch info, err := os.Stat(c.StateDir); {
	case c.StateDir == "":
		p.add("state_dir", "must not be empty: write off to remember nothing, or take the line out for the default")
	case strings.HasPrefix(c.StateDir, "~"):
		p.add("state_dir", "%s: nobody here knows what ~ stands for: write the whole path, or off to remember nothing", c.StateDir)
	case c.StateDir != stateOff && err == nil && !info.IsDir():
		p.add("state_dir", "%s is a file: name a directory, or write off to remember nothing", c.StateDir)
	}
}
