// Command hanbridge reads the customer port of electricity meters and gives every reading to home-automation hubs over
// MQTT.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(stoppable(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitGood  = 0
	exitData  = 1 // it ran, and found bad data or no broker
	exitUsage = 2 // wrong usage or configuration
)

// errData ends a command that has printed all there is to say.
var errData = errors.New("bad data")

// failure is an error that says with which code the program ends.
type failure struct {
	error
	code int
}

func (f failure) Unwrap() error { return f.error }

// dataError ends the program with the code for bad data, or for a broker that is not there.
func dataError(err error) error { return failure{err, exitData} }

// usageError ends the program with the code for wrong usage, or a wrong configuration.
func usageError(err error) error { return failure{err, exitUsage} }

// exitCode returns the code with which the program ends, and whether err has been printed already.
func exitCode(err error) (code int, printed bool) {
	var f failure
	switch {
	case err == nil:
		return exitGood, true
	case errors.Is(err, errData):
		return exitData, true
	case errors.As(err, &f):
		return f.code, false
	}
	return exitUsage, false
}

// program is what the commands have of the world.
type program struct {
	environ  []string
	in       io.Reader
	out, err io.Writer
}

// run is the whole program: it returns its exit code. environ is "NAME=value".
func run(ctx context.Context, args, environ []string, in io.Reader, out, errOut io.Writer) int {
	p := &program{environ: environ, in: in, out: out, err: errOut}
	root := p.commands()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	code, printed := exitCode(err)
	if printed {
		return code
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(errOut, "hanbridge: %s\n", concealed(strings.TrimRight(line, "\r\n")))
	}
	return code
}

// complain writes a line about what was found.
func (p *program) complain(format string, args ...any) {
	fmt.Fprintf(p.err, "hanbridge: %s\n", concealed(fmt.Sprintf(format, args...)))
}

func (p *program) commands() *cobra.Command {
	root := &cobra.Command{
		Use:     "hanbridge",
		Short:   "Reads the customer port of electricity meters and gives every reading to home-automation hubs over MQTT",
		Example: "  hanbridge demo\n  hanbridge run --config config.yaml",
		Args:    knownCommand,
		RunE:    func(*cobra.Command, []string) error { return p.greet() },
		// Errors are printed once, by run, and without a page of usage behind them.
		SilenceErrors: true, SilenceUsage: true,
	}
	root.AddCommand(
		p.runCommand(), p.doctorCommand(), p.demoCommand(), p.decodeCommand(), p.simulateCommand(), p.captureCommand(), p.replayCommand(), p.checkCommand(),
		p.quantitiesCommand(), p.ratesCommand(), p.discoveryCommand(), p.takeoverCommand(), p.versionCommand(),
	)
	root.SetFlagErrorFunc(flagError)
	return root
}

// knownCommand is asked about what no command is called.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("%q is not a command%s: see %s --help", args[0], didYouMean(args[0], names), root.CommandPath())
}

// takes checks how many arguments a command has.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("write %s: see %s --help", c.UseLine(), c.CommandPath())
		case len(args) > most:
			return fmt.Errorf("%q is one argument too many, write %s: see %s --help", args[most], c.UseLine(), c.CommandPath())
		}
		return nil
	}
}

// flagError says where the flags are explained. How a number is read inside is nobody's business.
func flagError(c *cobra.Command, err error) error {
	text, _, _ := strings.Cut(err.Error(), ": strconv.")
	return fmt.Errorf("%s: see %s --help", text, c.CommandPath())
}
