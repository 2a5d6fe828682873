//go:build linux

package cost_test

import (
	"bytes"
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

// A rig is the program between a meter that sends each second and a broker with one subscriber.
type rig struct {
	b        *testing.B
	meter    *simulate.Meter
	speed    int // bytes a second, 0 for a telegram in one piece
	control  *os.File
	received <-chan message
	pid      int
	second   *time.Ticker
}

// newRig starts everything, and sends telegrams until the meter is announced.
func newRig(b *testing.B, program, broker, family string, speed int) *rig {
	b.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		b.Fatalf("no family %s", family)
	}
	f.Interval = time.Second
	address := startMosquitto(b, broker)
	control, port := openPTY(b)
	r := &rig{
		b: b, meter: simulate.NewMeter(f, 1, time.Now()), speed: speed, control: control,
		received: subscribe(b, address, "hanbridge/#"), second: time.NewTicker(time.Second),
	}
	b.Cleanup(r.second.Stop)
	r.pid = startBridge(b, program, address, port.Name()).Cmd.Process.Pid
	await(b, r.received, "online")
	for range 3 {
		r.telegram()
	}
	return r
}

// telegram sends a telegram at the next full second. It returns the times from its last byte to its first and its last message. The
// last message holds the whole telegram; it follows one message for each quantity.
func (r *rig) telegram() (first, last time.Duration) {
	r.b.Helper()
	_, bytes := r.meter.Next()
	<-r.second.C
	sent := r.send(bytes)
	values := 0
	for {
		m := next(r.b, r.received)
		switch quantity, ofMeter := strings.CutPrefix(m.topic, "hanbridge/meter/"); {
		case !ofMeter || m.at.Before(sent):
		case quantity == "telegram":
			if want := samples(r.b, bytes); values < want {
				r.b.Fatalf("%d messages before that of the telegram, want one for each of %d quantities", values, want)
			}
			return first, m.at.Sub(sent)
		default:
			if values == 0 {
				first = m.at.Sub(sent)
			}
			values++
		}
	}
}

// chunk is how many bytes a USB serial adapter delivers at once.
const chunk = 64

// send writes to the port and returns the time just before the write that holds the last byte.
func (r *rig) send(telegram []byte) time.Time {
	r.b.Helper()
	if r.speed > 0 {
		pace := time.NewTicker(chunk * time.Second / time.Duration(r.speed))
		defer pace.Stop()
		for ; len(telegram) > chunk; telegram = telegram[chunk:] {
			r.write(telegram[:chunk])
			<-pace.C
		}
	}
	last := time.Now()
	r.write(telegram)
	return last
}

func (r *rig) write(bytes []byte) {
	if _, err := r.control.Write(bytes); err != nil {
		r.b.Fatal(err)
	}
}

// samples returns the number of quantities in a telegram.
func samples(b *testing.B, telegram []byte) int {
	reading, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		b.Fatal(err)
	}
	return len(reading.Samples)
}

// cpu returns the CPU time of the bridge, in steps of 10 ms (proc(5): utime and stime of /proc/pid/stat, in 1/100 s).
func (r *rig) cpu() time.Duration {
	stat := readProc(r.b, r.pid, "stat")
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:]) // the third field is the first here
	return time.Duration(number(r.b, fields[11])+number(r.b, fields[12])) * 10 * time.Millisecond
}

// memory returns the value of a line of /proc/pid/status, in MiB.
func (r *rig) memory(line string) float64 {
	for text := range strings.Lines(readProc(r.b, r.pid, "status")) {
		if fields := strings.Fields(text); len(fields) > 1 && fields[0] == line+":" {
			return float64(number(r.b, fields[1])) / 1024
		}
	}
	r.b.Fatalf("no %s", line)
	return 0
}

func readProc(b *testing.B, pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// releaseProgram builds the program as for a release, and returns its path.
func releaseProgram(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hanbridge")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/hanbridge")
	build.Dir = testbed.ModuleRoot
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startBridge runs the program until the benchmark ends. The environment holds its whole configuration.
func startBridge(b *testing.B, program, address, port string) *testbed.Process {
	b.Helper()
	return testbed.Launch(b, []string{"HANBRIDGE_MQTT_URL=mqtt://" + address, "HANBRIDGE_METER_PORT=" + port, "HANBRIDGE_PUBLISH=realtime"}, program, "run")
}

// startMosquitto runs a Mosquitto on 127.0.0.1 with one more line of configuration, and returns its address.
func startMosquitto(b *testing.B, line string) string {
	b.Helper()
	port := testbed.FreePort(b)
	return testbed.ConfigureMosquitto(b, port, fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\n%s\n", port, line)).Address()
}

// openPTY returns both ends of a pseudo-terminal in raw mode. The program opens port.
func openPTY(b *testing.B) (control, port *os.File) {
	b.Helper()
	control, port = testbed.OpenPTY(b)
	b.Cleanup(func() { _ = control.Close(); _ = port.Close() })
	return control, port
}

// A message is a message that a subscriber has received.
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

// subscribe returns a channel of the messages that match a filter, at QoS 0.
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
