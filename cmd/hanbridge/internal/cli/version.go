package cli

import (
	"runtime/debug"
)

// version is set when a release is built.
var version string

// Version returns the release's version, else what the build knows of itself.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
