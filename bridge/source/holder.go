package source

import (
	"fmt"
	"os"
	"strings"
)

// A holder is a program that has a device open.
type holder struct {
	name string
	pid  int
}

// holdersOf returns who has the port at path open, as far as this program may know.
func holdersOf(path string) []holder { return holders().of(path) }

// busy says who reads a port; by may be empty.
func busy(path string, by []holder) error {
	var who []string
	for _, h := range by {
		if h.pid == os.Getpid() {
			return fmt.Errorf("open %s: another meter of this bridge reads it: a port has one meter", path)
		}
		who = append(who, fmt.Sprintf("%s (process %d)", h.name, h.pid))
	}
	if len(who) == 0 {
		return fmt.Errorf("open %s: another program reads it (sudo fuser %s shows which): stop that one, a port has one reader", path, path)
	}
	return fmt.Errorf("open %s: another program reads it, %s: stop that one, a port has one reader", path, strings.Join(who, ", "))
}
