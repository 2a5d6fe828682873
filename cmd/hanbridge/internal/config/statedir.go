package config

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateOff is the state_dir of a bridge that stores no state.
const stateOff = "off"

// StateDirToWrite returns the folder in which a bridge that starts now stores its state, or "" if state_dir is off.
func (c Config) StateDirToWrite() string {
	if c.StateDir == stateOff {
		return ""
	}
	return cmp.Or(c.UserStateDir, c.StateDir)
}

// StateDirToRead returns the folder in which a bridge has stored its state, or "" if state_dir is off. If UserStateDir does not exist, it
// returns StateDir, because the bridge possibly runs as another user who can write to StateDir.
func (c Config) StateDirToRead() string {
	if _, err := os.Stat(c.UserStateDir); err == nil || c.StateDir == stateOff {
		return c.StateDirToWrite()
	}
	return c.StateDir
}

// userState returns the folder that replaces the state folder dir if the user that runs the program cannot write to dir. The result is "" if
// the user can write to dir, or cannot write to the replacement either. Source: XDG Base Directory Specification.
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
	folder := filepath.Join(state, "hanbridge")
	if !filepath.IsAbs(folder) || !writable(folder) {
		return ""
	}
	return folder
}

// writable reports whether this program can create files in a folder. A missing folder is writable if the program can create the folder.
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
		p.add("state_dir", "must not be empty: write off to store no state, or remove this line for the default")
	case strings.HasPrefix(c.StateDir, "~"):
		p.add("state_dir", "%s: ~ does not work here: write the path of the home directory, or write off to store no state", c.StateDir)
	case c.StateDir != stateOff && err == nil && !info.IsDir():
		p.add("state_dir", "%s is a file: name a directory, or write off to store no state", c.StateDir)
	}
}
