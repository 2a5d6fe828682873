package main

import (
	"fmt"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// printOverview prints the path of the configuration, the serial ports of this machine, and the command to type next. The program calls it
// if the user types no command.
func printOverview(p *cli.Program) error {
	fmt.Fprintf(p.Out, "hanbridge %s\n\n", cli.Version())
	file := config.FindFile("")
	if file != "" {
		fmt.Fprintf(p.Out, "configuration  %s\n", file)
	} else {
		fmt.Fprintf(p.Out, "configuration  none (looked for %s)\n", strings.Join(config.DefaultFiles, " and "))
	}
	variables := config.CountVariables(p.Environ)
	if variables > 0 {
		fmt.Fprintf(p.Out, "variables      %d that begin with HANBRIDGE_\n", variables)
	}
	ports := source.Ports()
	if len(ports) == 0 {
		fmt.Fprintln(p.Out, "ports          none found (is the cable plugged in?)")
	}
	for _, port := range ports {
		fmt.Fprintf(p.Out, "ports          %s\n", port.Path)
	}
	fmt.Fprintln(p.Out, "\nnext           "+nextStep(file != "" || variables > 0, len(ports) > 0))
	fmt.Fprintln(p.Out, "in trouble     hanbridge doctor: checks port, meter and broker, and says what to do")
	fmt.Fprintln(p.Out, "all commands   hanbridge --help")
	return nil
}

// nextStep returns the command to type next.
func nextStep(hasConfig, hasPorts bool) string {
	switch {
	case hasConfig:
		return "hanbridge check, then hanbridge run"
	case hasPorts:
		return "hanbridge doctor, which finds the meter and says what to write into config.yaml"
	}
	return "hanbridge demo (a simulated household, which needs neither a meter nor a broker)"
}
