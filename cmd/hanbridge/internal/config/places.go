package config

import (
	"os"
	"strings"
)

// Places are where a configuration is looked for when none is named.
var Places = []string{"config.yaml", "/etc/hanbridge/config.yaml"}

// Found returns the named file, else the first of configPlaces that is there, else "".
func Found(named string) string {
	if named != "" {
		return named
	}
	for _, place := range Places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return ""
}

// CountVariables returns how many variables of an environment ("NAME=value") configure the program.
func CountVariables(environ []string) int {
	n := 0
	for _, e := range environ {
		if strings.HasPrefix(e, "HANBRIDGE_") {
			n++
		}
	}
	return n
}
