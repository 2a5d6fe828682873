package config

import (
	"os"
	"strings"
)

// stateOff is the state_dir of who wants nothing remembered. An empty one is most likely a mistake.
const stateOff = "off"

// Remembered returns the directory for what must survive a restart, "" where nothing is to be remembered.
func (c Config) Remembered() string {
	if c.StateDir == stateOff {
		return ""
	}
	return c.StateDir
}

func (c Config) checkStateDir(p *Problems) {
	switch info, err := os.Stat(c.StateDir); {
	case c.StateDir == "":
		p.add("state_dir", "must not be empty: write off to remember nothing, or take the line out for the default")
	case strings.HasPrefix(c.StateDir, "~"):
		p.add("state_dir", "%s: nobody here knows what ~ stands for: write the whole path, or off to remember nothing", c.StateDir)
	case !printable(c.StateDir):
		p.add("state_dir", "%q has a character that cannot be in the name of a directory", c.StateDir)
	case c.StateDir != stateOff && err == nil && !info.IsDir():
		p.add("state_dir", "%s is a file: name a directory, or write off to remember nothing", c.StateDir)
	}
}
