package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version string

// programVersion returns the release's version, else what the build knows of itself.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func (p *program) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Prints the version", Example: "  hanbridge version --json", Args: takes(0, 0),
	}
	asJSON := c.Flags().Bool("json", false, "as JSON")
	c.RunE = func(*cobra.Command, []string) error {
		platform := runtime.GOOS + "/" + runtime.GOARCH
		if !*asJSON {
			fmt.Fprintf(p.out, "hanbridge %s (%s, %s)\n", programVersion(), runtime.Version(), platform)
			return nil
		}
		return json.NewEncoder(p.out).Encode(map[string]string{
			"version": programVersion(), "go": runtime.Version(), "platform": platform,
		})
	}
	return c
}
