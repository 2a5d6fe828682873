package config

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateOff is the state_dir of a bridge that stores no state. An empty state_dir is refused, because it is most likely a mistake.
const stateOff = "off"

// StateDirToWrite returns the folder in which a bridge that starts now keeps its state, or "" if state_dir is off.
func (c Config) StateDirToWrite() string {
	if c.StateDir == stateOff {
		return ""
	}
	return cmp.Or(c.UserStateDir, c.StateDir)
}

// StateDirToRead returns the folder in which a bridge has stored its state, or "" if state_dir is off. It returns UserStateDir only if that
// folder exists. Otherwise the bridge possibly runs as another user, with a StateDir to which the present user must not write.
func (c Config) StateDirToRead() string {
	if _, err := os.Stat(c.UserStateDir); err == nil || c.StateDir == stateOff {
		return c.StateDirToWrite()
	}
	return c.StateDir
}

// userState returns the state folder of the present user, to be used in place of dir. It returns "" if the user can write to dir, or has no
// writable state folder. Source: XDG Base Directory Specification.
func userState(dir string, environ []string) string {
	if writable(dir) {
		return ""
	}
	variables := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	state := variables["XDG_STATE_HOME"]
	if !filepath.IsAbs(state) {
		state = filepath.Join(variables["HOME"], ".local", "state")
	}
	own := filepath.Join(state, "hanbridge")
	if !filepath.IsAbs(own) || !writable(own) {
		return ""
	}
	return own
}

// writable reports whether this program can create files in a folder. If the folder does not exist, it reports whether the program can
// create the folder.
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
