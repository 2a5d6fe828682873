package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// A Serial is the line setting of a serial port. If Auto is true, the program tries the usual settings of meters, and Line is zero.
type Serial struct {
	Auto bool
	source.Line
}

// UnmarshalText reads "auto" or a setting such as "2400 8E1".
func (s *Serial) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*s = Serial{Auto: true}
		return nil
	}
	line, err := source.ParseLine(string(text))
	if err != nil {
		return fmt.Errorf("%w, or auto", err)
	}
	*s = Serial{Line: line}
	return nil
}

// String returns the setting as UnmarshalText reads it.
func (s Serial) String() string {
	if s.Auto {
		return "auto"
	}
	return s.Line.String()
}

// Lines returns the line settings to try, in this order.
func (s Serial) Lines() []source.Line {
	if s.Auto {
		return source.UsualLines
	}
	return []source.Line{s.Line}
}

// A PortKind is the kind of a meter's port. Its value is the text with which the setting of the port begins.
type PortKind string

// The kinds of port.
const (
	SerialPort PortKind = ""        // Address is the path of a device
	TCPPort    PortKind = "tcp://"  // Address is host:port
	ReplayPort PortKind = "replay:" // Address is the path of a file
	AutoPort   PortKind = "auto"    // the program looks for a serial port at which telegrams arrive; Address is empty
)

// A Port is the port at which a meter's bytes arrive.
type Port struct {
	Kind    PortKind
	Address string
}

// Advice for a port that is not valid. portAdvice does not mention the port auto: some meters cannot use auto, and some messages mention auto
// already. PortHelp mentions auto.
const (
	portAdvice = "name the meter's port: `ls /dev/serial/by-id` lists the ports"
	PortHelp   = portAdvice + "; or write auto"
)

// UnmarshalText reads "auto", "/dev/…", "tcp://host:port" or "replay:/path". It does not check whether the port exists.
func (p *Port) UnmarshalText(text []byte) error {
	s := string(text)
	scheme, rest, _ := strings.Cut(s, ":")
	switch {
	case s == "auto":
		*p = Port{Kind: AutoPort}
	case strings.HasPrefix(s, "/"):
		*p = Port{SerialPort, s}
	case strings.HasPrefix(s, "tcp://"):
		*p = Port{TCPPort, strings.TrimPrefix(s, "tcp://")}
		return hostPort(p.Address, 1, "tcp://192.168.1.20:8088")
	case scheme == "replay" && strings.TrimLeft(rest, "/") != "":
		*p = Port{ReplayPort, strings.TrimPrefix(rest, "//")}
	case scheme == "file":
		return fmt.Errorf("%q: to play a file back write \"replay:%s\"", s, strings.TrimPrefix(rest, "//"))
	case strings.HasPrefix(s, "tty"):
		return fmt.Errorf("%q is not a complete path (did you mean \"/dev/%s\"?)", s, s)
	default:
		return fmt.Errorf(`%q is not a port: write auto, /dev/…, "tcp://host:port" or "replay:/path/to/file"; %s`, s, portAdvice)
	}
	return nil
}

// String returns the port as UnmarshalText reads it.
func (p Port) String() string { return string(p.Kind) + p.Address }

// hostPort returns an error unless address is host:port with a port number of at least minPort. The error shows the example.
func hostPort(address string, minPort int, example string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(address, "/@ \t") {
		return fmt.Errorf("%q is not a host and a port: write for example %q", address, example)
	}
	if n, err := strconv.Atoi(port); err != nil || n < minPort || n > 65535 {
		return fmt.Errorf("%q is not a port: a port is a number from %d to 65535", port, minPort)
	}
	return nil
}
