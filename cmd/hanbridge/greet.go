package main

import (
	"fmt"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// greet says what it found on this machine and what to do next.
func (p *program) greet() error {
	fmt.Fprintf(p.out, "hanbridge %s\n\n", programVersion())
	file := foundConfig("")
	if file != "" {
		fmt.Fprintf(p.out, "configuration  %s\n", file)
	} else {
		fmt.Fprintf(p.out, "configuration  none (looked for %s)\n", strings.Join(configPlaces, " and "))
	}
	variables := countVariables(p.environ)
	if variables > 0 {
		fmt.Fprintf(p.out, "variables      %d that begin with HANBRIDGE_\n", variables)
	}
	ports := source.Ports()
	if len(ports) == 0 {
		fmt.Fprintln(p.out, "ports          none found (is the cable plugged in?)")
	}
	for _, port := range ports {
		fmt.Fprintf(p.out, "ports          %s\n", port.Path)
	}
	fmt.Fprintln(p.out, "\nnext           "+nextStep(file != "" || variables > 0, len(ports) > 0))
	fmt.Fprintln(p.out, "in trouble     hanbridge doctor: looks at port, meter and broker, and says whose turn it is")
	fmt.Fprintln(p.out, "all commands   hanbridge --help")
	return nil
}

func nextStep(configured, ports bool) string {
	switch {
	case configured:
		return "hanbridge check, then hanbridge run"
	case ports:
		return "hanbridge doctor, which finds the meter and says what to write into config.yaml"
	}
	return "hanbridge demo (a simulated household: needs neither meter nor broker)"
}
