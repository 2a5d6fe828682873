package main

import (
	"fmt"
	"path/filepath"
	"strings"
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
	ports := serialPorts()
	if len(ports) == 0 {
		fmt.Fprintln(p.out, "ports          none found (is the cable plugged in?)")
	}
	for _, port := range ports {
		fmt.Fprintf(p.out, "ports          %s\n", port)
	}
	fmt.Fprintln(p.out, "\nnext           "+nextStep(file != "" || variables > 0, ports))
	fmt.Fprintln(p.out, "all commands   hanbridge --help")
	return nil
}

func nextStep(configured bool, ports []string) string {
	switch {
	case configured:
		return "hanbridge check, then hanbridge run"
	case len(ports) > 0:
		return "HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=" + ports[0] + " hanbridge run"
	}
	return "hanbridge demo (a simulated household: needs neither meter nor broker)"
}

// serialPorts are those that a cable may be on, by the names that stay when others are plugged in where there are such.
func serialPorts() []string {
	for _, pattern := range []string{"/dev/serial/by-id/*", "/dev/tty[UA][SC][BM]*", "/dev/serial[0-9]", "/dev/ttyAMA*"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found
		}
	}
	return nil
}
