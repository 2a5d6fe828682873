package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

func versionCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Prints the version", Example: "  hanbridge version --json", Args: takes(0, 0),
	}
	asJSON := c.Flags().Bool("json", false, "as JSON")
	c.RunE = func(*cobra.Command, []string) error {
		platform := runtime.GOOS + "/" + runtime.GOARCH
		if !*asJSON {
			fmt.Fprintf(p.Out, "hanbridge %s (%s, %s)\n", cli.Version(), runtime.Version(), platform)
			return nil
		}
		return json.NewEncoder(p.Out).Encode(map[string]string{
			"version": cli.Version(), "go": runtime.Version(), "platform": platform,
		})
	}
	return c
}
