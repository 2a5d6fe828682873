package cli

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// CompleteFlags lets shells complete the values of flags of a command and of all below it, by the flags' names.
func CompleteFlags(c *cobra.Command) {
	formats := cobra.FixedCompletions([]cobra.Completion{"table", "json", "csv"}, cobra.ShellCompDirectiveNoFileComp)
	places := cobra.FixedCompletions([]cobra.Completion{"stdout", "pty", "tcp://"}, cobra.ShellCompDirectiveNoFileComp)
	values := map[string]cobra.CompletionFunc{
		"family": families, "then": families, "fault": faults, "format": formats, "to": places, "meter": cobra.NoFileCompletions,
	}
	for name, complete := range values {
		if c.LocalFlags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, complete) // no error: the flag is there
		}
	}
	if c.LocalFlags().Lookup("config") != nil {
		_ = c.MarkFlagFilename("config", "yaml", "yml") // nor here
	}
	for _, sub := range c.Commands() {
		CompleteFlags(sub)
	}
}

// families are read when a shell asks for them, not at each start: they cost 0.2 MB.
func families(*cobra.Command, []string, string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, f := range simulate.Families() {
		all = append(all, cobra.CompletionWithDesc(f.Name, f.Title))
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

func faults(*cobra.Command, []string, string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, k := range simulate.FaultKinds() {
		all = append(all, cobra.CompletionWithDesc(k.Name, k.Effect))
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}
