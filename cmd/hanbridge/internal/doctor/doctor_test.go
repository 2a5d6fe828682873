package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A machine is what the doctor examines in a test: the serial ports of a machine, its meter, its broker, and its configuration.
type machine struct {
	family     string              // simulated family of the meter, "" for a silent wire
	line       string              // line setting of the meter, "" for that of its family
	inverted   bool                // whether the signal of the meter is inverted
	damage     func([]byte) []byte // changes each telegram on its way; nil changes none
	portErrs   map[string]error    // why a port cannot be used, by its name; other ports can be
	ports      []string            // the ports that the machine has
	meterPort  string              // the port of the meter, "" for the first one
	readErr    error               // the error after the bytes of firstBytes, nil for none; io.EOF if the other side closes
	firstBytes string              // the bytes before readErr
	config     func(*config.Config)
	options    Options // the flags of the command line
	broker     error   // why the broker cannot be used, nil if it can
	hub        bool    // whether a hub has announced itself
	hubErr     error   // why that could not be found out
}

const aPort = "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"

// examine runs the doctor with simulated time (synctest), and returns its text and its report.
func (mach machine) examine(t *testing.T) (text string, r doctorReport) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		d := &examination{
			options: mach.options, correctsSerial: mach.options.Write, cfg: defaultConfig(), dwell: probe.Dwell, ports: mach.found, endpointsOf: mach.endpoints,
			usable: func(path string) error { return mach.portErrs[path] },
			checkBroker: func(context.Context, mqtt.Config) (mqtt.CheckResult, error) {
				return mqtt.CheckResult{RetainAvailable: true}, mach.broker
			},
			askHub:    func(context.Context, mqtt.Config) (bool, error) { return mach.hub, mach.hubErr },
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

func (mach machine) found() (all []source.Port) {
	for _, p := range mach.ports {
		all = append(all, source.Port{Path: p, Device: p})
	}
	return all
}

// endpoints returns the endpoints of a port, at the usual line settings or at the configured one.
func (mach machine) endpoints(m config.Meter) (all []probe.Endpoint, err error) {
	lines := m.Serial.Lines()
	if m.Port.Kind != config.SerialPort {
		lines = lines[:1]
	}
	for _, l := range lines {
		c := probe.Endpoint{Port: m.Port.String(), Line: l.String(), Dial: func(context.Context) (io.ReadCloser, error) {
			return mach.wire(m.Port.String(), l), nil
		}}
		if m.Port.Kind != config.SerialPort {
			c.Line = ""
		}
		all = append(all, c)
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
		return silence()
	}
	f, ok := simulate.Named(mach.family)
	if !ok {
		panic("no family " + mach.family)
	}
	text := f.Line
	if mach.line != "" {
		text = mach.line
	}
	sender, err := source.ParseLine(text)
	if err != nil {
		panic(err)
	}
	sending := simulate.LineSetting{Baud: sender.Baud, DataBits: sender.DataBits, Parity: sender.Parity, StopBits: sender.StopBits, Inverted: mach.inverted}
	receiving := simulate.LineSetting{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits}
	meter := simulate.NewMeter(f, 1, time.Now().Add(3*time.Second))
	started := false
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		if !started {
			started = true
			return time.Now(), nil, nil // the intervals between telegrams count from the first read
		}
		at, telegram := meter.Next()
		if mach.damage != nil {
			telegram = mach.damage(telegram)
		}
		return at, sending.ReceivedBy(nil, telegram, receiving), nil
	})
}

// silence returns a wire on which no byte arrives.
func silence() io.ReadCloser {
	at := time.Now()
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		at = at.Add(24 * time.Hour)
		return at, nil, nil
	})
}

// The following functions change each telegram in some way.

func wrongChecksum(b []byte) []byte {
	b = bytes.Clone(b)
	copy(b[len(b)-len("0000\r\n"):], "0BAD")
	return b
}

func loseBytes(b []byte) []byte {
	var out []byte
	for i, x := range b {
		if i%40 != 0 {
			out = append(out, x)
		}
	}
	return out
}

func truncate(b []byte) []byte { return b[:20] }

func rewriteLineEnds(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }

// p1Unchecked is a telegram of DSMR 2.2, which has no checksum.
const p1Unchecked = "/ABC5\\2MT382\r\n\r\n1-0:1.8.1(00608.400*kWh)\r\n1-0:1.8.2(00490.342*kWh)\r\n1-0:1.7.0(0000.345*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n!\r\n"

// telnet returns a telegram as a gateway in telnet mode sends it: after a negotiation, and with each FF doubled.
func telnet(b []byte) []byte {
	return append([]byte("\xFF\xFB\x03\xFF\xFD\x03"), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)
}

// unknownMessage returns an intact frame with a content that no meter sends.
func unknownMessage([]byte) []byte {
	frame := hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: []byte("\xE6\xE7\x00\x0F\x40\x00\x00\x00\x00\x01\x01\x7F")}
	return hdlc.Append(nil, frame)
}

func overTCP(c *config.Config) {
	c.Meters[0].Port = config.Port{Kind: config.TCPPort, Address: "reader:8088"}
}

func onPort(c *config.Config) {
	c.Meters[0].Port = config.Port{Kind: config.SerialPort, Address: aPort}
}

// with combines several changes of the configuration into one.
func with(changes ...func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

func withKeys(encryption, authentication string) func(*config.Config) {
	return func(c *config.Config) {
		c.Meters[0].Key, c.Meters[0].AuthKey = config.Secret(encryption), config.Secret(authentication)
	}
}

func withSerial(serial string) func(*config.Config) {
	return func(c *config.Config) {
		if err := c.Meters[0].Serial.UnmarshalText([]byte(serial)); err != nil {
			panic(err)
		}
	}
}

// TestDoctorVerdicts tests the verdict for each thing that can be wrong, and the one if nothing is wrong.
func TestDoctorVerdicts(t *testing.T) {
	const another = "/dev/serial/by-id/usb-Prolific-if00-port0"
	denied := errors.New("open " + aPort + ": permission denied (group dialout, gid 20). Container: add group_add: [\"20\"]; otherwise: " +
		"sudo usermod -aG dialout $USER, and log in again")
	busy := errors.New("open " + aPort + ": another program reads it, cat (process 7): stop that one, a port has one reader")
	key, auth := simulate.EncryptionKey, simulate.AuthenticationKey
	tests := []struct {
		name    string
		machine machine
		code    string   // of the verdict
		want    []string // parts of the printed text
		notWant []string // parts that must not be printed
	}{
		{"all well", machine{family: "aidon-se", config: onPort, hub: true}, "well", []string{
			"port      " + aPort + "   readable, not in use\n",
			"line      115200 8N1: HDLC, 581 bytes, checksum right (after ",
			"meter     Aidon, Swedish list of 27 items, every 10 s, no number sent      clock +0 s\n",
			"values    power, reactive, energy ×4; ", " ×3 phases\n", "cipher    none\n",
			"broker    mqtt://broker:1883: connected, may publish, may retain; a hub announced itself on homeassistant/status\n",
			"verdict   all well. Start with: hanbridge run\n", "\nmqtt:\n  url: mqtt://broker:1883\n", "port: " + aPort + "\n",
		}, nil},
		{"all well, port found by a search", machine{family: "aidon-no", ports: []string{aPort, another}, meterPort: another}, "well", []string{
			"port      " + aPort + "   readable, not in use\nline      no telegram (115200 8N1: 0 bytes, silent; 2400 8E1: 0 bytes, silent)\n",
			"port      " + another + "   readable", "line      2400 8E1: HDLC, ", "every 2.5 s", "AIDON_V0001", "no hub has announced itself",
			"    port: " + another + "\n", "number …",
		}, nil},
		{"all well, only power", machine{family: "aidon-no1", config: onPort}, "well", []string{"meter     Aidon, list of 1 item, every 2.5 s", "values    power\n"}, nil},
		{"all well without a checksum", machine{family: "p1-nl-22", config: onPort}, "well", []string{
			"line      9600 7E1: P1, ", "without a checksum, two alike (after ",
		}, nil},
		{"all well over the network", machine{family: "p1-se-aidon", config: overTCP}, "well",
			[]string{"port      tcp://reader:8088\nline      P1, ", "meter     Aidon 6534, telegram of "}, nil},
		{"no port", machine{}, "no-port", []string{"port      none found\nverdict   no serial port found: plug in the cable"}, []string{"line "}},
		{"no permission", machine{family: "aidon-se", config: onPort, portErrs: map[string]error{aPort: denied}}, "no-permission",
			[]string{"verdict   open " + aPort + ": permission denied (group dialout, gid 20)", "usermod"}, []string{"line "}},
		{"port in use", machine{family: "aidon-se", config: onPort, portErrs: map[string]error{aPort: busy}}, "in-use",
			[]string{"verdict   open " + aPort + ": another program reads it, cat (process 7)"}, []string{"line "}},
		{"every port in use", machine{family: "aidon-se", ports: []string{aPort}, portErrs: map[string]error{aPort: busy}}, "in-use",
			[]string{"port      " + aPort + "   skipped: another program reads it, cat"}, []string{"line "}},
		{"one port in use", machine{family: "aidon-se", ports: []string{aPort, another}, meterPort: another, portErrs: map[string]error{aPort: busy}}, "well",
			[]string{"port      " + aPort + "   skipped: another program", "port      " + another + "   readable", "all well"}, nil},
		{"silence", machine{config: onPort}, "silent", []string{
			"line      no telegram (115200 8N1: 0 bytes, silent; 2400 8E1: 0 bytes, silent)\n",
			"verdict   no bytes in 24s on " + aPort + " at any setting: ", "grid company",
		}, []string{"meter "}},
		{"wrong baud in the configuration", machine{family: "p1-se-aidon", config: with(onPort, withSerial("2400 8E1"))}, "setting", []string{
			"line      115200 8N1: P1", "serial is set to 2400 8E1, and the meter speaks 115200 8N1: set serial to auto", "port: " + aPort + "\n",
		}, []string{"broker ", "serial: 2400"}},
		{"wrong parity in the configuration", machine{family: "aidon-no", config: with(onPort, withSerial("2400 8N1"))}, "setting",
			[]string{"serial is set to 2400 8N1, and the meter speaks 2400 8E1: set serial to auto"}, nil},
		{"wrong baud", machine{family: "p1-se-aidon", line: "19200 8N1", config: onPort}, "other-baud",
			[]string{fmt.Sprintf("the meter sends with another speed than any of the %d settings tried: ask your grid company", len(source.UsualLines))}, []string{"meter     "}},
		{"wrong baud over the network", machine{family: "aidon-no", line: "2400 8E1", config: overTCP},
			"other-baud", []string{"the reader is set to another line setting than the meter's: set the reader's own serial port"}, nil},
		{"inverted", machine{family: "p1-se-aidon", inverted: true, config: onPort}, "inverted",
			[]string{"looks like an inverted signal", "inverting cable"}, []string{"meter     "}},
		{"inverted M-Bus", machine{family: "aidon-no2", inverted: true, config: onPort}, "inverted", []string{"M-Bus adapter"}, nil},
		{"wrong parity", machine{family: "aidon-no", line: "9600 8E1", config: onPort}, "other-parity",
			[]string{"the meter sends with another parity or number of data bits"}, []string{"meter     "}},
		{"encrypted without key", machine{family: "kamstrup-dk", config: onPort}, "no-key", []string{
			": HDLC, 491 bytes, encrypted (after ", "cipher    system title KAME…, no key is given\n",
			"ask your grid company for the key of this meter", "hanbridge doctor " + aPort + " --key-file FILE",
		}, []string{"meter     ", "broker "}},
		{"encrypted with the wrong key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(auth, key))}, "wrong-key",
			[]string{"cipher    system title KAME…, the key does not fit\n", "compare it digit by digit", "may be swapped"}, []string{"meter     ", auth, key}},
		{"encrypted with the wrong authentication key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, key))}, "wrong-auth-key", []string{
			"cipher    system title KAME…, the key fits, its authentication key does not\n", "compare auth_key (--auth-key) digit by digit",
			"or leave it out: ", "published after two alike",
		}, []string{"meter     ", "swapped", "does not fit", auth, key}},
		{"encrypted without a tag, with the wrong key", machine{family: "kaifa-at", config: with(onPort, withKeys(auth, ""))}, "wrong-key",
			[]string{"line      2400 8E1: M-Bus, ", "the key does not fit\n"}, []string{"meter     "}},
		{"encrypted with the key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, auth))}, "well",
			[]string{"cipher    security 30, system title KAME…, the key fits\n", "meter     Kamstrup", `    key: "[secret]"`}, []string{key, auth}},
		{"encrypted without a tag, with the key", machine{family: "kaifa-at", config: with(onPort, withKeys(key, ""))}, "well",
			[]string{"cipher    security 20, system title KFM…, the key fits\n", "decrypted, without an authentication tag"}, nil},
		{"encrypted with a tag, without its key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, ""))}, "well",
			[]string{"decrypted, its authentication tag unchecked: no authentication key is given"}, nil},
		{"encrypted message without a frame", machine{family: "p1-lu", config: onPort}, "no-key", []string{"line      115200 8N1: DLMS, encrypted"}, nil},
		{"wrong checksums", machine{family: "p1-se-aidon", config: onPort, damage: wrongChecksum}, "checksum",
			[]string{"the checksum of each is wrong", "set checksum: ignore", "hanbridge capture " + aPort + ` --serial "115200 8N1" --for 30s | hanbridge replay -`}, []string{"meter     "}},
		{"wrong checksums, ignored", machine{family: "p1-se-aidon", damage: wrongChecksum, config: with(onPort, func(c *config.Config) { c.Meters[0].Checksum = "ignore" })},
			"well", []string{"without a checksum, two alike", "    checksum: ignore\n"}, nil},
		{"a connection that loses bytes", machine{family: "p1-se-aidon", config: onPort, damage: loseBytes}, "lossy", []string{"bytes missing or damaged"}, nil},
		{"a connection that rewrites line ends", machine{family: "p1-se-aidon", config: onPort, damage: rewriteLineEnds}, "cooked", []string{"rewrites line ends"}, nil},
		{"a message of an unknown kind", machine{family: "aidon-no1", config: onPort, damage: unknownMessage}, "unknown-meter",
			[]string{"of a kind that hanbridge does not read yet", "hanbridge capture " + aPort + " --for 60s"}, []string{"meter     "}},
		{"a reader that closes at once", machine{readErr: io.EOF, config: overTCP}, "in-use",
			[]string{"verdict   tcp://reader:8088: closed before a byte came: many readers serve one program at a time"}, nil},
		{"a reader that closes after some bytes", machine{readErr: io.EOF, firstBytes: "hello", config: overTCP}, "too-few",
			[]string{"line      no telegram (read: 5 bytes, too-few)\n", "tcp://reader:8088: closed after bytes that are no telegram"}, nil},
		{"a reader that closes each connection: P1 without a checksum", machine{readErr: io.EOF, firstBytes: p1Unchecked, config: overTCP}, "well",
			[]string{"without a checksum, two alike", "verdict   all well"}, nil},
		{"a reader that resets each connection", machine{readErr: syscall.ECONNRESET, firstBytes: p1Unchecked, config: overTCP}, "well",
			[]string{"without a checksum, two alike"}, nil},
		{"a reader that closes within a telegram", machine{readErr: io.EOF, firstBytes: p1Unchecked[:len(p1Unchecked)-8], config: overTCP}, "text",
			[]string{"tcp://reader:8088: closed within a telegram"}, nil},
		{"silent reader", machine{config: overTCP}, "silent",
			[]string{"verdict   connected to tcp://reader:8088, and no bytes in 12s", "Many readers serve one program", "Ask your grid company"}, nil},
		{"telnet: HDLC", machine{family: "aidon-se", damage: telnet, config: overTCP}, "well", []string{
			"line      HDLC, 581 bytes, checksum right, by telnet (after", "verdict   all well, but the gateway speaks telnet", "Set it to raw mode (ser2net",
		}, []string{"cable"}},
		{"telnet: P1", machine{family: "p1-se-aidon", damage: telnet, config: overTCP}, "well", []string{"checksum right, by telnet", "Set it to raw mode"}, nil},
		{"telnet: pieces of telegrams", machine{family: "aidon-se", damage: func(b []byte) []byte { return telnet(truncate(b)) }, config: overTCP}, "telnet",
			[]string{"verdict   bytes but no telegram on tcp://reader:8088: the gateway speaks telnet", "Set it to raw mode"}, nil},
		{"telnet: only a negotiation", machine{readErr: io.EOF, firstBytes: "\xFF\xFB\x03\xFF\xFD\x03", config: overTCP}, "telnet", []string{"Set it to raw mode"}, nil},
		{"another service: a web server", machine{readErr: io.EOF, firstBytes: "HTTP/1.1 408 Request Timeout\r\n\r\n", config: overTCP}, "web",
			[]string{"a web server answers", "look up that port in its manual"}, nil},
		{"another service: a login", machine{readErr: io.EOF, firstBytes: "\xFF\xFD\x18\xFF\xFD\x20login: ", config: overTCP}, "login",
			[]string{"asks for a login", "look up that port in its manual"}, nil},
		{"another service: SSH", machine{readErr: io.EOF, firstBytes: "SSH-2.0-OpenSSH_9.2\r\n", config: overTCP}, "login", []string{"asks for a login"}, nil},
		{"a reader at another speed", machine{family: "p1-se-aidon", line: "9600 8N1", damage: truncate, config: overTCP}, "too-few",
			[]string{"most likely the reader is set to another line setting than the meter's"}, []string{"serial to auto"}},
		{"a port with another device on it", machine{family: "p1-se-aidon", damage: truncate, config: onPort}, "too-few",
			[]string{fmt.Sprintf("on %s at any of the %d settings tried", aPort, len(source.UsualLines)), "the wrong adapter"}, []string{"serial to auto"}},
		{"a recording without a telegram", machine{readErr: io.EOF, firstBytes: "hello", config: func(c *config.Config) { c.Meters[0].Port = config.Port{Kind: config.ReplayPort, Address: "words.txt"} }},
			"too-few", []string{"verdict   no telegram in words.txt: it is empty, or was recorded with another line setting"}, nil},
		{"an empty recording", machine{readErr: io.EOF, config: func(c *config.Config) { c.Meters[0].Port = config.Port{Kind: config.ReplayPort, Address: "empty.bin"} }},
			"silent", []string{"verdict   no telegram in empty.bin: it is empty"}, []string{"one program at a time", "not activated"}},
		{"a cable that is pulled at once", machine{readErr: errors.New("the port has gone (was the cable pulled?)"), config: onPort}, "port",
			[]string{"verdict   " + aPort + ": the port has gone (was the cable pulled?)\n"}, []string{"one program at a time"}},
		{"a cable that is pulled", machine{readErr: errors.New("the port has gone (was the cable pulled?)"), firstBytes: "x", config: onPort}, "port",
			[]string{"verdict   " + aPort + ": the port has gone (was the cable pulled?)\n"}, nil},
		{"broker unreachable", machine{family: "aidon-se", config: onPort, broker: errors.New("mqtt: nobody listens on broker:1883 (is the broker running?)")}, "broker",
			[]string{"broker    mqtt://broker:1883: not usable\nverdict   the meter is well, the broker is not: mqtt: nobody listens"}, []string{"mqtt:\n"}},
		{"a broker that does not answer for the hub", machine{family: "aidon-se", config: onPort, hubErr: errors.New("mqtt: may not subscribe")}, "well",
			[]string{"may retain; whether a hub has announced itself on homeassistant/status could not be asked: mqtt: may not subscribe\n"}, []string{"no hub"}},
		{"no broker", machine{family: "aidon-se", config: with(onPort, func(c *config.Config) { c.MQTT.URL = "" })}, "well",
			[]string{"broker    none is set, none was tried\n", "HANBRIDGE_MQTT_URL=mqtt://ADDRESS", "url: mqtt://localhost:1883 # the address of your broker"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, r := tt.machine.examine(t)
			if r.Verdict.Code != tt.code || r.OK != (tt.code == "well") {
				t.Errorf("verdict: got %s, ok %v, want %s", r.Verdict.Code, r.OK, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q", want)
				}
			}
			for _, notWant := range tt.notWant {
				if strings.Contains(text, notWant) {
					t.Errorf("the text contains %q", notWant)
				}
			}
			if t.Failed() {
				t.Logf("the text:\n%s", text)
			}
		})
	}
}

// TestDoctorTelegramsWithoutChecksum tests that the doctor ends in limited time if telegrams without a checksum never agree.
func TestDoctorTelegramsWithoutChecksum(t *testing.T) {
	energyLine := regexp.MustCompile(`1-0:1\.8\.1.*\r\n`)
	for _, tt := range []struct {
		name         string
		damage       func(n int, b []byte) []byte
		code         string
		maxTelegrams int // the most telegrams that the doctor may listen to
	}{
		{"every second telegram lacks a line", func(n int, b []byte) []byte {
			if n%2 == 0 {
				return energyLine.ReplaceAll(b, nil)
			}
			return b
		}, "well", 20},
		{"each telegram has one line more", func(n int, b []byte) []byte {
			return energyLine.ReplaceAllFunc(b, func(line []byte) []byte { return bytes.Repeat(line, n) })
		}, "text", 60},
	} {
		n := 0
		mach := machine{family: "p1-nl-22", config: onPort, damage: func(b []byte) []byte {
			if n++; n > 200 {
				return nil // so that the test ends in any case
			}
			return tt.damage(n, b)
		}}
		text, r := mach.examine(t)
		if r.Verdict.Code != tt.code || n > tt.maxTelegrams {
			t.Errorf("%s: got %s after %d telegrams, want %s after %d at most\n%s", tt.name, r.Verdict.Code, n, tt.code, tt.maxTelegrams, text)
		}
	}
}

// TestDoctorNamesThePort tests that the report names the port of the verdict, not the port that was tried last.
func TestDoctorNamesThePort(t *testing.T) {
	const another = "/dev/serial/by-id/usb-Prolific-if00-port0"
	for _, meterPort := range []string{aPort, another} {
		_, r := machine{family: "p1-se-aidon", inverted: true, ports: []string{aPort, another}, meterPort: meterPort}.examine(t)
		if r.Verdict.Code != "inverted" || r.Port.Name != meterPort {
			t.Errorf("got %s on %s, want inverted on %s", r.Verdict.Code, r.Port.Name, meterPort)
		}
	}
}

// TestDoctorKeyJSON tests that the JSON report says which of the two keys is wrong.
func TestDoctorKeyJSON(t *testing.T) {
	key, auth := simulate.EncryptionKey, simulate.AuthenticationKey
	for name, tt := range map[string]struct {
		keys func(*config.Config)
		want string
	}{
		"none":           {onPort, `"cipher":{"encrypted":true,"maker":"KAM","key":"missing"},"verdict":{"code":"no-key",`},
		"both":           {withKeys(auth, key), `"cipher":{"encrypted":true,"maker":"KAM","key":"wrong"},"verdict":{"code":"wrong-key",`},
		"authentication": {withKeys(key, key), `"cipher":{"encrypted":true,"maker":"KAM","key":"wrong-auth"},"verdict":{"code":"wrong-auth-key",`},
	} {
		_, r := machine{family: "kamstrup-dk", config: with(onPort, tt.keys)}.examine(t)
		var out bytes.Buffer
		if err := printJSON((&cli.Program{Out: &out}), r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: got %s, which lacks %s", name, &out, tt.want)
		}
	}
}

// TestDoctorJSON compares the JSON report with a golden file, because programs depend on the names of its members.
func TestDoctorJSON(t *testing.T) {
	_, r := machine{family: "kamstrup-dk", config: with(onPort, withKeys(simulate.EncryptionKey, simulate.AuthenticationKey)), hub: true}.examine(t)
	var out bytes.Buffer
	if err := printJSON((&cli.Program{Out: &out}), r); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/doctor.json"
	if *updateGolden {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readText(t, golden), out.String()); diff != "" {
		t.Errorf("-golden +got (go test -update-golden writes it):\n%s", diff)
	}
}
