// Command hanbridge reads the customer port of electricity meters and publishes every reading to home-automation hubs over MQTT.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

func main() {
	os.Exit(run(cli.SignalContext(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command in args and returns the exit code. environ contains entries "NAME=value".
func run(ctx context.Context, args, environ []string, in io.Reader, out, errOut io.Writer) int {
	p := &cli.Program{Environ: environ, In: in, Out: out, Err: errOut}
	root := commands(p)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	code, printed := cli.ExitCode(err)
	if printed {
		return code
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(errOut, "hanbridge: %s\n", safetext.Redact(strings.TrimRight(line, "\r\n")))
	}
	return code
}

func commands(p *cli.Program) *cobra.Command {
	root := &cobra.Command{
		Use:     "hanbridge",
		Short:   "Reads the customer port of electricity meters and publishes every reading to home-automation hubs over MQTT",
		Example: "  hanbridge demo\n  hanbridge run --config config.yaml",
		Args:    knownCommand,
		// run prints each error once, without the usage text that cobra would add.
		SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(
		runCommand(p), doctorCommand(p), demoCommand(p), decodeCommand(p), simulateCommand(p), captureCommand(p), replayCommand(p), checkCommand(p), healthCommand(p),
		quantitiesCommand(p), ratesCommand(p), discoveryCommand(p), takeoverCommand(p), versionCommand(p),
	)
	version := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(*cobra.Command, []string) error {
		if *version {
			printVersion(p)
			return nil
		}
		return printOverview(p)
	}
	root.SetFlagErrorFunc(flagError)
	cli.WrapHelp(root)
	cli.CompleteFlags(root)
	return root
}

// knownCommand returns an error if there are args. args[0] is then no command, because cobra removes the names of commands from args. The error
// suggests a similar command, if there is one.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("%q is not a command%s: see %s --help", args[0], cli.DidYouMean(args[0], names), root.CommandPath())
}

// argCount returns a check that a command has at least minArgs and at most maxArgs arguments.
func argCount(minArgs, maxArgs int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < minArgs:
			return fmt.Errorf("write %s: see %s --help", c.UseLine(), c.CommandPath())
		case len(args) > maxArgs:
			return fmt.Errorf("%q is one argument too many, write %s: see %s --help", args[maxArgs], c.UseLine(), c.CommandPath())
		}
		return nil
	}
}

// flagError returns an error about a flag, with the command that prints the help. It removes the text of package strconv, because users do not
// understand that text.
func flagError(c *cobra.Command, err error) error {
	text, _, _ := strings.Cut(err.Error(), ": strconv.")
	return fmt.Errorf("%s: see %s --help", text, c.CommandPath())
}

func versionCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Prints the version", Example: "  hanbridge version --json", Args: argCount(0, 0),
	}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(*cobra.Command, []string) error {
		if !*asJSON {
			printVersion(p)
			return nil
		}
		return json.NewEncoder(p.Out).Encode(map[string]string{"version": cli.Version(), "go": runtime.Version(), "platform": platform})
	}
	return c
}

const platform = runtime.GOOS + "/" + runtime.GOARCH

func printVersion(p *cli.Program) {
	fmt.Fprintf(p.Out, "hanbridge %s (%s, %s)\n", cli.Version(), runtime.Version(), platform)
}
