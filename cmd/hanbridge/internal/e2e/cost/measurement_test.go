//go:build linux

package cost_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A measurement is a running bridge, with a meter that sends a telegram each second and a broker with one subscriber.
type measurement struct {
	b        *testing.B
	meter    *simulate.Meter
	speed    int            // in bytes a second; 0 means that a telegram is sent in one write
	control  *os.File       // the meter's end of the pseudo-terminal
	address  string         // of the broker
	received <-chan message // the messages that the subscriber receives
	start    func()         // starts the bridge and sets bridge
	bridge   *testbed.Process
	ticker   *time.Ticker // ticks each second
}

// newMeasurement starts the broker and the bridge. It also sends three telegrams, because after the first telegram the bridge
// announces the meter, which must not be measured. env holds settings of the bridge.
func newMeasurement(b *testing.B, program, brokerLine, family string, speed int, env ...string) *measurement {
	b.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		b.Fatalf("the simulator has no family %q", family)
	}
	f.Interval = time.Second
	address := startMosquitto(b, brokerLine)
	control, port := openPTY(b)
	m := &measurement{
		b: b, meter: simulate.NewMeter(f, 1, time.Now()), speed: speed, control: control, address: address,
		received: subscribe(b, address, "hanbridge/#"), ticker: time.NewTicker(time.Second),
	}
	b.Cleanup(m.ticker.Stop)
	m.start = func() { m.bridge = startBridge(b, program, address, port.Name(), env...) }
	m.start()
	await(b, m.received, "online")
	for range 3 {
		m.measureTelegram()
	}
	return m
}

// measureTelegram sends a telegram at the next tick. It returns the times from the last byte of the telegram until a subscriber receives the first
// and the last message. The bridge publishes a message for each quantity, and after them the telegram as JSON.
func (m *measurement) measureTelegram() (first, last time.Duration) {
	m.b.Helper()
	_, telegram := m.meter.Next()
	<-m.ticker.C
	sent := m.send(telegram)
	valueCount := 0
	for {
		got := next(m.b, m.received)
		switch quantity, isOfMeter := strings.CutPrefix(got.topic, "hanbridge/meter/"); {
		case !isOfMeter || got.at.Before(sent): // a message of the bridge, or of the previous telegram
		case quantity == "telegram":
			if want := sampleCount(m.b, telegram); valueCount < want {
				m.b.Fatalf("messages before the telegram as JSON: got %d, want one for each of %d quantities", valueCount, want)
			}
			return first, got.at.Sub(sent)
		default:
			if valueCount == 0 {
				first = got.at.Sub(sent)
			}
			valueCount++
		}
	}
}

// chunkSize is the number of bytes that a USB serial adapter delivers in one read.
const chunkSize = 64

// send writes a telegram to the port, and returns the time just before its last byte is written.
func (m *measurement) send(telegram []byte) time.Time {
	m.b.Helper()
	if m.speed > 0 {
		pace := time.NewTicker(chunkSize * time.Second / time.Duration(m.speed))
		defer pace.Stop()
		for ; len(telegram) > chunkSize; telegram = telegram[chunkSize:] {
			m.write(telegram[:chunkSize])
			<-pace.C
		}
	}
	last := time.Now()
	m.write(telegram)
	return last
}

func (m *measurement) write(bytes []byte) {
	if _, err := m.control.Write(bytes); err != nil {
		m.b.Fatal(err)
	}
}

// sampleCount returns the number of samples in a telegram.
func sampleCount(b *testing.B, telegram []byte) int {
	reading, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		b.Fatal(err)
	}
	return len(reading.Samples)
}

// cpuTime returns the CPU time of a process, in steps of 10 ms. The fields utime and stime of /proc/pid/stat are in 1/100 s (proc(5)).
func cpuTime(b *testing.B, pid int) time.Duration {
	stat := readProc(b, pid, "stat")
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:]) // fields[0] is the third field of the line
	return time.Duration(number(b, fields[11])+number(b, fields[12])) * 10 * time.Millisecond
}

// memory returns the value with this name in /proc/pid/status, in MiB. In the file each line has a name and a value in kB.
func memory(b *testing.B, pid int, name string) float64 {
	for line := range strings.Lines(readProc(b, pid, "status")) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name+":" {
			return float64(number(b, fields[1])) / 1024
		}
	}
	b.Fatalf("/proc/%d/status has no line %s", pid, name)
	return 0
}

func readProc(b *testing.B, pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// otherProgram is the path of a program to measure in place of the program of this module. It serves to compare two versions.
var otherProgram = flag.String("program", "", "measure the program in this `FILE`")

// releaseProgram builds the program as for a release, and returns its path. With the flag -program it returns the path in this flag.
func releaseProgram(b *testing.B) string {
	b.Helper()
	if *otherProgram != "" {
		return *otherProgram
	}
	path := filepath.Join(b.TempDir(), "hanbridge")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/hanbridge")
	build.Dir = testbed.ModuleRoot
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startBridge runs the bridge without a configuration file until the benchmark ends. env holds further settings.
func startBridge(b *testing.B, program, address, port string, env ...string) *testbed.Process {
	b.Helper()
	env = append([]string{"HANBRIDGE_MQTT_URL=mqtt://" + address, "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_PUBLISH=realtime"}, env...)
	return testbed.Launch(b, env, program, "run")
}

// startMosquitto runs a Mosquitto on 127.0.0.1 and returns the address. line is a line of Mosquitto's configuration, or "".
func startMosquitto(b *testing.B, line string) string {
	b.Helper()
	port := testbed.FreePort(b)
	return testbed.ConfigureMosquitto(b, port, fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\n%s\n", port, line)).Address()
}

// openPTY returns both ends of a pseudo-terminal in raw mode. The bridge opens port by its name.
func openPTY(b *testing.B) (control, port *os.File) {
	b.Helper()
	control, port = testbed.OpenPTY(b)
	b.Cleanup(func() { _ = control.Close(); _ = port.Close() })
	return control, port
}

// A message is a message that a subscriber has received, with the time of its arrival.
type message struct {
	at      time.Time
	topic   string
	payload string
}

// next waits for a message for at most 10 s.
func next(b *testing.B, received <-chan message) message {
	b.Helper()
	select {
	case m, ok := <-received:
		if !ok {
			b.Fatal("the broker has closed the subscriber's connection")
		}
		return m
	case <-time.After(10 * time.Second):
		b.Fatal("no message in 10 s")
	}
	return message{}
}

// subscribe returns a channel of the messages that match a topic filter. The channel is closed when the connection ends.
func subscribe(b *testing.B, address, filter string) <-chan message {
	b.Helper()
	c := testbed.Connect(b, address, "", "")
	c.Subscribe(filter)
	received := make(chan message, 1024)
	go func() {
		defer close(received)
		for {
			m, err := c.Next()
			if err != nil {
				return // the benchmark has ended
			}
			received <- message{time.Now(), m.Topic, m.Payload}
		}
	}()
	return received
}
