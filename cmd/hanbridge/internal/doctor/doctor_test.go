package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDoctorVerdicts tests the verdict and the printed text for each fault, and for a machine without a fault.
func TestDoctorVerdicts(t *testing.T) {
	const anotherPort = "/dev/serial/by-id/usb-Prolific-if00-port0"
	deniedErr := errors.New("open " + aPort + ": permission denied (group dialout, gid 20). Container: add group_add: [\"20\"]; otherwise: " +
		"sudo usermod -aG dialout $USER, and log in again")
	busyErr := errors.New("open " + aPort + ": another program reads it, cat (process 7): stop that program, because a port can have only one reader")
	key, auth := simulate.EncryptionKey, simulate.AuthenticationKey
	tests := []struct {
		name    string
		machine machine
		code    string   // code of the verdict: a constant of verdict.go, or the word of a line.Verdict, such as "text"
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
		{"all well, port found by a search", machine{family: "aidon-no", ports: []string{aPort, anotherPort}, meterPort: anotherPort}, "well", []string{
			"port      " + aPort + "   readable, not in use\nline      no telegram (115200 8N1: 0 bytes, silent; 2400 8E1: 0 bytes, silent)\n",
			"port      " + anotherPort + "   readable", "line      2400 8E1: HDLC, ", "every 2.5 s", "AIDON_V0001", "no hub has announced itself",
			"    port: " + anotherPort + "\n", "number …",
		}, nil},
		{"all well, a meter that sends only power", machine{family: "aidon-no1", config: onPort}, "well", []string{"meter     Aidon, list of 1 item, every 2.5 s", "values    power\n"}, nil},
		{"all well without a checksum", machine{family: "p1-nl-22", config: onPort}, "well", []string{
			"line      9600 7E1: P1, ", "without a checksum, confirmed by a second telegram (after ",
		}, nil},
		{"all well over the network", machine{family: "p1-se-aidon", config: overTCP}, "well",
			[]string{"port      tcp://reader:8088\nline      P1, ", "meter     Aidon 6534, telegram of "}, nil},
		{"no port", machine{}, "no-port", []string{"port      none found\nverdict   no serial port found: plug in the cable"}, []string{"line "}},
		{"no permission", machine{family: "aidon-se", config: onPort, portErrs: map[string]error{aPort: deniedErr}}, "no-permission",
			[]string{"verdict   open " + aPort + ": permission denied (group dialout, gid 20)", "usermod"}, []string{"line "}},
		{"port in use", machine{family: "aidon-se", config: onPort, portErrs: map[string]error{aPort: busyErr}}, "in-use",
			[]string{"verdict   open " + aPort + ": another program reads it, cat (process 7)"}, []string{"line "}},
		{"every port in use", machine{family: "aidon-se", ports: []string{aPort}, portErrs: map[string]error{aPort: busyErr}}, "in-use",
			[]string{"port      " + aPort + "   skipped: another program reads it, cat"}, []string{"line "}},
		{"one port in use", machine{family: "aidon-se", ports: []string{aPort, anotherPort}, meterPort: anotherPort, portErrs: map[string]error{aPort: busyErr}}, "well",
			[]string{"port      " + aPort + "   skipped: another program", "port      " + anotherPort + "   readable", "all well"}, nil},
		{"no bytes from a serial port", machine{config: onPort}, "silent", []string{
			"line      no telegram (115200 8N1: 0 bytes, silent; 2400 8E1: 0 bytes, silent)\n",
			// Two line settings are tried for 12 s each.
			"verdict   no bytes in 24s on " + aPort + " at any setting: ", "grid company",
		}, []string{"meter "}},
		{"wrong baud in the configuration", machine{family: "p1-se-aidon", config: with(onPort, withSerial("2400 8E1"))}, "setting", []string{
			"line      115200 8N1: P1", "serial is set to 2400 8E1, but the meter sends with 115200 8N1: set serial to auto", "port: " + aPort + "\n",
		}, []string{"broker ", "serial: 2400"}},
		{"wrong parity in the configuration", machine{family: "aidon-no", config: with(onPort, withSerial("2400 8N1"))}, "setting",
			[]string{"serial is set to 2400 8N1, but the meter sends with 2400 8E1: set serial to auto"}, nil},
		// The doctor tries no setting with 19200 baud, and with 9600 baud only 7E1 and 8N1.
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
			[]string{"cipher    system title KAME…, the key does not fit\n", "compare it digit by digit", "possibly swapped"}, []string{"meter     ", auth, key}},
		{"encrypted with the wrong authentication key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, key))}, "wrong-auth-key", []string{
			"cipher    system title KAME…, the key fits, its authentication key does not\n", "compare auth_key (--auth-key) digit by digit",
			"or leave it out: ", "published only after a second telegram",
		}, []string{"meter     ", "swapped", "does not fit", auth, key}},
		{"encrypted without an authentication tag, with the wrong key", machine{family: "kaifa-at", config: with(onPort, withKeys(auth, ""))}, "wrong-key",
			[]string{"line      2400 8E1: M-Bus, ", "the key does not fit\n"}, []string{"meter     "}},
		{"encrypted with the key", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, auth))}, "well",
			[]string{"cipher    security 30, system title KAME…, the key fits\n", "meter     Kamstrup", `    key: "[secret]"`}, []string{key, auth}},
		{"encrypted without an authentication tag, with the key", machine{family: "kaifa-at", config: with(onPort, withKeys(key, ""))}, "well",
			[]string{"cipher    security 20, system title KFM…, the key fits\n", "decrypted, without an authentication tag"}, nil},
		{"encrypted with an authentication tag, but no authentication key is given", machine{family: "kamstrup-dk", config: with(onPort, withKeys(key, ""))}, "well",
			[]string{"decrypted, its authentication tag unchecked: no authentication key is given"}, nil},
		{"encrypted message without a frame", machine{family: "p1-lu", config: onPort}, "no-key", []string{"line      115200 8N1: DLMS, encrypted"}, nil},
		{"wrong checksums", machine{family: "p1-se-aidon", config: onPort, damage: wrongChecksum}, "checksum",
			[]string{"the checksum of each telegram is wrong", "set checksum: ignore", "hanbridge capture " + aPort + ` --serial "115200 8N1" --for 30s | hanbridge replay -`}, []string{"meter     "}},
		{"wrong checksums, ignored", machine{family: "p1-se-aidon", damage: wrongChecksum, config: with(onPort, func(c *config.Config) { c.Meters[0].Checksum = "ignore" })},
			"well", []string{"without a checksum, confirmed by a second telegram", "    checksum: ignore\n"}, nil},
		{"a connection that loses bytes", machine{family: "p1-se-aidon", config: onPort, damage: loseBytes}, "lossy", []string{"bytes missing or damaged"}, nil},
		{"a connection that rewrites line ends", machine{family: "p1-se-aidon", config: onPort, damage: rewriteLineEnds}, "cooked", []string{"rewrites line ends"}, nil},
		{"a message of an unknown kind", machine{family: "aidon-no1", config: onPort, damage: unknownMessage}, "unknown-meter",
			[]string{"hanbridge cannot read this kind of telegram yet", "hanbridge capture " + aPort + " --for 60s"}, []string{"meter     "}},
		{"a reader that closes at once", machine{readErr: io.EOF, config: overTCP}, "in-use",
			[]string{"verdict   tcp://reader:8088: closed before a byte came: many readers serve one program at a time"}, nil},
		{"a reader that closes after some bytes", machine{readErr: io.EOF, firstBytes: "hello", config: overTCP}, "too-few",
			[]string{"line      no telegram (read: 5 bytes, too-few)\n", "tcp://reader:8088: closed after bytes that are no telegram"}, nil},
		{"a reader that closes each connection after a telegram", machine{readErr: io.EOF, firstBytes: p1Unchecked, config: overTCP}, "well",
			[]string{"without a checksum, confirmed by a second telegram", "verdict   all well"}, nil},
		{"a reader that resets each connection after a telegram", machine{readErr: syscall.ECONNRESET, firstBytes: p1Unchecked, config: overTCP}, "well",
			[]string{"without a checksum, confirmed by a second telegram"}, nil},
		{"a reader that closes within a telegram", machine{readErr: io.EOF, firstBytes: p1Unchecked[:len(p1Unchecked)-8], config: overTCP}, "text",
			[]string{"tcp://reader:8088: closed within a telegram"}, nil},
		{"no bytes from a reader in the network", machine{config: overTCP}, "silent",
			[]string{"verdict   connected to tcp://reader:8088, and no bytes in 12s", "Many readers serve one program", "Ask your grid company"}, nil},
		{"telnet: HDLC", machine{family: "aidon-se", damage: telnet, config: overTCP}, "well", []string{
			"line      HDLC, 581 bytes, checksum right, by telnet (after", "verdict   all well, but the gateway speaks telnet", "Set the gateway to raw mode (ser2net",
		}, []string{"cable"}},
		{"telnet: P1", machine{family: "p1-se-aidon", damage: telnet, config: overTCP}, "well", []string{"checksum right, by telnet", "Set the gateway to raw mode"}, nil},
		{"telnet: truncated telegrams", machine{family: "aidon-se", damage: func(b []byte) []byte { return telnet(truncate(b)) }, config: overTCP}, "telnet",
			[]string{"verdict   bytes but no telegram on tcp://reader:8088: the gateway speaks telnet", "Set the gateway to raw mode"}, nil},
		{"telnet: only a negotiation", machine{readErr: io.EOF, firstBytes: "\xFF\xFB\x03\xFF\xFD\x03", config: overTCP}, "telnet", []string{"Set the gateway to raw mode"}, nil},
		{"another service: a web server", machine{readErr: io.EOF, firstBytes: "HTTP/1.1 408 Request Timeout\r\n\r\n", config: overTCP}, "web",
			[]string{"a web server answers", "Look up the right port in the manual"}, nil},
		{"another service: a login", machine{readErr: io.EOF, firstBytes: "\xFF\xFD\x18\xFF\xFD\x20login: ", config: overTCP}, "login",
			[]string{"asks for a login", "Look up the right port in the manual"}, nil},
		{"another service: SSH", machine{readErr: io.EOF, firstBytes: "SSH-2.0-OpenSSH_9.2\r\n", config: overTCP}, "login", []string{"asks for a login"}, nil},
		{"a reader at another speed, with few bytes", machine{family: "p1-se-aidon", line: "9600 8N1", damage: truncate, config: overTCP}, "too-few",
			[]string{"most likely the reader is set to another line setting than the meter's"}, []string{"serial to auto"}},
		{"a serial port with few bytes", machine{family: "p1-se-aidon", damage: truncate, config: onPort}, "too-few",
			[]string{fmt.Sprintf("on %s at any of the %d settings tried", aPort, len(source.UsualLines)), "the wrong adapter"}, []string{"serial to auto"}},
		{"a recording without a telegram", machine{readErr: io.EOF, firstBytes: "hello", config: func(c *config.Config) { c.Meters[0].Port = config.Port{Kind: config.ReplayPort, Address: "words.txt"} }},
			"too-few", []string{"verdict   no telegram in words.txt: it is empty, or was recorded with another line setting"}, nil},
		{"an empty recording", machine{readErr: io.EOF, config: func(c *config.Config) { c.Meters[0].Port = config.Port{Kind: config.ReplayPort, Address: "empty.bin"} }},
			"silent", []string{"verdict   no telegram in empty.bin: it is empty"}, []string{"one program at a time", "not activated"}},
		{"a cable that is pulled before a byte arrives", machine{readErr: errors.New("the port has gone (was the cable pulled?)"), config: onPort}, "port",
			[]string{"verdict   " + aPort + ": the port has gone (was the cable pulled?)\n"}, []string{"one program at a time"}},
		{"a cable that is pulled after a byte", machine{readErr: errors.New("the port has gone (was the cable pulled?)"), firstBytes: "x", config: onPort}, "port",
			[]string{"verdict   " + aPort + ": the port has gone (was the cable pulled?)\n"}, nil},
		{"broker unreachable", machine{family: "aidon-se", config: onPort, brokerErr: errors.New("mqtt: nobody listens on broker:1883 (is the broker running?)")}, "broker",
			[]string{"broker    mqtt://broker:1883: not usable\nverdict   the meter is well, the broker is not: mqtt: nobody listens"}, []string{"mqtt:\n"}},
		{"a broker that does not permit to ask for a hub", machine{family: "aidon-se", config: onPort, hubErr: errors.New("mqtt: may not subscribe")}, "well",
			[]string{"may retain; it is not known whether a hub has announced itself on homeassistant/status: mqtt: may not subscribe\n"}, []string{"no hub"}},
		{"no broker", machine{family: "aidon-se", config: with(onPort, func(c *config.Config) { c.MQTT.URL = "" })}, "well",
			[]string{"broker    none is configured\n", "HANBRIDGE_MQTT_URL=mqtt://ADDRESS", "url: mqtt://localhost:1883 # the address of your broker"}, nil},
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

// TestDoctorTelegramsWithoutChecksum tests that the doctor ends after a limited number of telegrams if telegrams without a checksum do not
// confirm each other, because consecutive telegrams have different numbers of text lines.
func TestDoctorTelegramsWithoutChecksum(t *testing.T) {
	energyLine := regexp.MustCompile(`1-0:1\.8\.1.*\r\n`)
	for _, tt := range []struct {
		name         string
		damage       func(n int, b []byte) []byte // changes telegram number n; the first is 1
		wantCode     string                       // code of the verdict
		maxTelegrams int                          // the doctor must end within this number of telegrams
	}{
		{"every second telegram lacks a text line", func(n int, b []byte) []byte {
			if n%2 == 0 {
				return energyLine.ReplaceAll(b, nil)
			}
			return b
		}, "well", 20},
		{"each telegram has one text line more than the previous telegram", func(n int, b []byte) []byte {
			return energyLine.ReplaceAllFunc(b, func(line []byte) []byte { return bytes.Repeat(line, n) })
		}, "text", 60},
	} {
		sentCount := 0
		mach := machine{family: "p1-nl-22", config: onPort, damage: func(b []byte) []byte {
			if sentCount++; sentCount > 200 {
				return nil // the meter sends no more, so that the test ends if the doctor listens as long as telegrams arrive
			}
			return tt.damage(sentCount, b)
		}}
		text, r := mach.examine(t)
		if r.Verdict.Code != tt.wantCode || sentCount > tt.maxTelegrams {
			t.Errorf("%s: got %s after %d telegrams, want %s after at most %d\n%s", tt.name, r.Verdict.Code, sentCount, tt.wantCode, tt.maxTelegrams, text)
		}
	}
}

// TestDoctorNamesThePort tests that the report names the port to which the verdict belongs, also if another port was tried last.
func TestDoctorNamesThePort(t *testing.T) {
	const anotherPort = "/dev/serial/by-id/usb-Prolific-if00-port0"
	for _, meterPort := range []string{aPort, anotherPort} {
		_, r := machine{family: "p1-se-aidon", inverted: true, ports: []string{aPort, anotherPort}, meterPort: meterPort}.examine(t)
		if r.Verdict.Code != "inverted" || r.Port.Name != meterPort {
			t.Errorf("got %s on %s, want inverted on %s", r.Verdict.Code, r.Port.Name, meterPort)
		}
	}
}
