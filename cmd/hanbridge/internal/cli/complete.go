package cli

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// CompleteFlags makes shells complete the values of the flags of a command and of its subcommands. Flags with the same name have the same
// values in all commands.
func CompleteFlags(c *cobra.Command) {
	formats := cobra.FixedCompletions([]cobra.Completion{"table", "json", "csv"}, cobra.ShellCompDirectiveNoFileComp)
	destinations := cobra.FixedCompletions([]cobra.Completion{"stdout", "pty", "tcp://"}, cobra.ShellCompDirectiveNoFileComp)
	values := map[string]cobra.CompletionFunc{
		"family": families, "then": families, "fault": faults, "format": formats, "to": destinations, "meter": cobra.NoFileCompletions,
	}
	for name, complete := range values {
		if c.LocalFlags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, complete) // never fails, because the flag exists
		}
	}
	if c.LocalFlags().Lookup("config") != nil {
		_ = c.MarkFlagFilename("config", "yaml", "yml") // never fails, because the flag exists
	}
	for _, sub := range c.Commands() {
		CompleteFlags(sub)
	}
}

// families returns the families of simulated meters. It runs only when a shell asks, because the list takes 0.2 MB of memory.
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
