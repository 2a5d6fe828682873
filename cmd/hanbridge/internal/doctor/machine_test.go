package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// machine is what the doctor examines in a test: the serial ports of a machine, its meter, its broker and its configuration.
type machine struct {
	family     string               // simulated family of the meter; "" for a wire on which no byte arrives
	line       string               // line setting of the meter; "" for that of its family
	inverted   bool                 // whether the signal of the meter is inverted
	damage     func([]byte) []byte  // changes each telegram before it arrives; nil for no change
	ports      []string             // the ports that the machine has
	portErrs   map[string]error     // why a port cannot be read, by the name of the port
	meterPort  string               // the port of the meter; "" for the first of ports, or for every port if ports is empty
	readErr    error                // if not nil, no meter is simulated, and each connection ends with readErr; io.EOF: the reader closes the connection
	firstBytes string               // the bytes that arrive before readErr
	config     func(*config.Config) // changes the default configuration; nil for no change
	options    Options              // the flags of the command line
	brokerErr  error                // why the bridge cannot work with the broker; nil if it can
	hub        bool                 // whether a hub has announced itself
	hubErr     error                // why it is not known whether a hub has announced itself
}

const aPort = "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"

// examine runs the doctor with simulated time (synctest), and returns its text and its report.
func (mach machine) examine(t *testing.T) (text string, r doctorReport) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		d := &examination{
			options: mach.options, correctsSerial: mach.options.Write, cfg: defaultConfig(), dwell: probe.Dwell,
			ports: mach.sourcePorts, endpointsOf: mach.endpoints,
			portError: func(path string) error { return mach.portErrs[path] },
			tryBroker: func(context.Context, mqtt.Config) (mqtt.CheckResult, error) {
				return mqtt.CheckResult{RetainAvailable: true}, mach.brokerErr
			},
			hubOnline: func(context.Context, mqtt.Config) (bool, error) { return mach.hub, mach.hubErr },
			printLine: func(name, text string) { fmt.Fprintf(&out, "%-10s%s\n", name, text) },
			print:     func(text string) { out.WriteString(text) },
			progress:  func(string, ...any) {},
		}
		d.cfg.MQTT.URL = "mqtt://broker:1883"
		if mach.config != nil {
			mach.config(&d.cfg)
		}
		if err := d.selectMeter(mach.options); err != nil {
			t.Error(err)
		}
		d.examine(t.Context())
		if err := d.conclude(); err != nil {
			t.Error(err)
		}
		text, r = out.String(), d.report
	})
	return text, r
}

// sourcePorts returns the ports of the machine.
func (mach machine) sourcePorts() (all []source.Port) {
	for _, p := range mach.ports {
		all = append(all, source.Port{Path: p, Device: p})
	}
	return all
}

// endpoints returns the endpoints of a meter's port. A serial port has one endpoint for each line setting.
func (mach machine) endpoints(m config.Meter) (all []probe.Endpoint, err error) {
	lines := m.Serial.Lines()
	if m.Port.Kind != config.SerialPort {
		lines = lines[:1] // the line setting of the reader in the network
	}
	for _, l := range lines {
		e := probe.Endpoint{Port: m.Port.String(), Line: l.String(), Dial: func(context.Context) (io.ReadCloser, error) {
			return mach.wire(m.Port.String(), l), nil
		}}
		if m.Port.Kind != config.SerialPort {
			e.Line = "" // the doctor does not know this line setting
		}
		all = append(all, e)
	}
	return all, nil
}

// wire returns the bytes that a receiver with the line setting l receives from the meter.
func (mach machine) wire(port string, l source.Line) io.ReadCloser {
	meterPort := mach.meterPort
	if meterPort == "" && len(mach.ports) > 0 {
		meterPort = mach.ports[0]
	}
	if mach.readErr != nil {
		return io.NopCloser(io.MultiReader(strings.NewReader(mach.firstBytes), iotest.ErrReader(mach.readErr)))
	}
	if mach.family == "" || meterPort != "" && port != meterPort {
		return silence() // there is no meter on this port
	}
	f, ok := simulate.Named(mach.family)
	if !ok {
		panic("no family " + mach.family)
	}
	meterLine := f.Line
	if mach.line != "" {
		meterLine = mach.line
	}
	sender, err := source.ParseLine(meterLine)
	if err != nil {
		panic(err)
	}
	sending := simulate.LineSetting{Baud: sender.Baud, DataBits: sender.DataBits, Parity: sender.Parity, StopBits: sender.StopBits, Inverted: mach.inverted}
	receiving := simulate.LineSetting{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits}
	meter := simulate.NewMeter(f, 1, time.Now().Add(3*time.Second)) // the first telegram is due after 3 s or later
	started := false
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		if !started {
			started = true
			return time.Now(), nil, nil // the wire measures time from this first call
		}
		at, telegram := meter.Next()
		if mach.damage != nil {
			telegram = mach.damage(telegram)
		}
		return at, sending.ReceivedBy(nil, telegram, receiving), nil
	})
}

// silence returns a wire on which no byte arrives. A Wire always needs a time of its next bytes, so no bytes are due each day.
func silence() io.ReadCloser {
	at := time.Now()
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		at = at.Add(24 * time.Hour)
		return at, nil, nil
	})
}

// wrongChecksum replaces the checksum of a P1 telegram. The checksum is four digits before the last line end.
func wrongChecksum(b []byte) []byte {
	b = bytes.Clone(b)
	copy(b[len(b)-len("0BAD\r\n"):], "0BAD")
	return b
}

// loseBytes removes the bytes 0, 40, 80 and so on of a telegram.
func loseBytes(b []byte) []byte {
	var out []byte
	for i, x := range b {
		if i%40 != 0 {
			out = append(out, x)
		}
	}
	return out
}

// truncate returns the first 20 bytes of a telegram.
func truncate(b []byte) []byte { return b[:20] }

// rewriteLineEnds replaces CR LF by LF.
func rewriteLineEnds(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }

// p1Unchecked is a P1 telegram of DSMR 2.2, a version without checksums.
const p1Unchecked = "/ABC5\\2MT382\r\n\r\n1-0:1.8.1(00608.400*kWh)\r\n1-0:1.8.2(00490.342*kWh)\r\n1-0:1.7.0(0000.345*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n!\r\n"

// telnet returns a telegram as a gateway in telnet mode sends it: after a negotiation, and with each FF doubled.
func telnet(b []byte) []byte {
	return append([]byte("\xFF\xFB\x03\xFF\xFD\x03"), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)
}

// unknownMessage returns an intact HDLC frame with a DLMS message that the decoder does not know: a data-notification with an array of one
// value, whose type 7F does not exist.
func unknownMessage([]byte) []byte {
	frame := hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: []byte("\xE6\xE7\x00\x0F\x40\x00\x00\x00\x00\x01\x01\x7F")}
	return hdlc.Append(nil, frame)
}

// overTCP sets the port to a reader in the network.
func overTCP(c *config.Config) {
	c.Meters[0].Port = config.Port{Kind: config.TCPPort, Address: "reader:8088"}
}

// onPort sets the port to aPort.
func onPort(c *config.Config) {
	c.Meters[0].Port = config.Port{Kind: config.SerialPort, Address: aPort}
}

// with returns a function that makes several changes of the configuration.
func with(changes ...func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

// withKeys returns a function that sets the encryption key and the authentication key.
func withKeys(encryption, authentication string) func(*config.Config) {
	return func(c *config.Config) {
		c.Meters[0].Key, c.Meters[0].AuthKey = config.Secret(encryption), config.Secret(authentication)
	}
}

// withSerial returns a function that sets the line setting.
func withSerial(serial string) func(*config.Config) {
	return func(c *config.Config) {
		if err := c.Meters[0].Serial.UnmarshalText([]byte(serial)); err != nil {
			panic(err)
		}
	}
}
