package cli

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// CompleteFlags lets shells complete the values of flags of a command and of all below it, by the flags' names.
func CompleteFlags(c *cobra.Command) {
	values := map[string][]cobra.Completion{
		"family": families(), "then": families(), "fault": faults(),
		"format": {"table", "json", "csv"},
		"to":     {"stdout", "pty", "tcp://"},
		"meter":  nil,
	}
	for name, all := range values {
		if c.LocalFlags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)) // no error: the flag is there
		}
	}
	if c.LocalFlags().Lookup("config") != nil {
		_ = c.MarkFlagFilename("config", "yaml", "yml") // nor here
	}
	for _, sub := range c.Commands() {
		CompleteFlags(sub)
	}
}

func families() (all []cobra.Completion) {
	for _, f := range simulate.Families() {
		all = append(all, cobra.CompletionWithDesc(f.Name, f.Title))
	}
	return all
}

func faults() (all []cobra.Completion) {
	for _, k := range simulate.FaultKinds() {
		all = append(all, cobra.CompletionWithDesc(k.Name, k.Does))
	}
	return all
}
