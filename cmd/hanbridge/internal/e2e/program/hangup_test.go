//go:build linux

package program_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestHangup tests that a signal from the terminal or a closed log pipe ends a bridge. The bridge must publish its status offline before it
// ends.
func TestHangup(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *hangupTest){
		"SIGHUP":             func(t *testing.T, h *hangupTest) { h.awaitOnline(t); h.cmd.signal(t, syscall.SIGHUP) },
		"SIGINT":             func(t *testing.T, h *hangupTest) { h.awaitOnline(t); h.cmd.signal(t, syscall.SIGINT) },
		"log pipe closed":    testLogPipeClosed,
		"SIGHUP under nohup": testNohup,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hangupTest{broker: testbed.StartMosquitto(t), cable: testbed.PlugCable(t, "p1-se-aidon")}
			h.messages = h.broker.LogMessages()
			h.start(t, strings.Contains(name, "nohup"))
			test(t, h)
			testbed.Until(t, "the end of the program", h.cmd.ended)
			if code := h.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("end of the program: got %v, want exit code 0", h.cmd.ProcessState)
			}
			h.messages.AwaitMessage("hanbridge/house/status", "offline")
			h.messages.AwaitMessage("hanbridge/status", "offline")
		})
	}
}

// testLogPipeClosed closes the log pipe. Then it unplugs the cable, because the bridge notices the closed pipe only when it logs again.
func testLogPipeClosed(t *testing.T, h *hangupTest) {
	h.awaitOnline(t)
	h.closeLog(t)
	h.cable.Unplug()
}

// testNohup tests that a bridge that nohup has started continues after SIGHUP.
func testNohup(t *testing.T, h *hangupTest) {
	h.awaitOnline(t)
	h.cmd.signal(t, syscall.SIGHUP)
	h.messages.Reset()
	h.cable.Send()
	h.messages.AwaitMessage("hanbridge/house/telegram")
	h.cmd.signal(t, syscall.SIGTERM)
}

// A hangupTest is a bridge whose log is a pipe, with its meter and its broker.
type hangupTest struct {
	broker   *testbed.Mosquitto
	messages *testbed.MessageLog
	cable    *testbed.Cable
	cmd      *command
	log      *os.File // the reading end of the pipe to which the program logs
}

// A command is a running program. done is closed when the program has ended.
type command struct {
	*exec.Cmd
	done chan struct{}
}

func (c *command) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *command) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// start starts the bridge. If underNohup is true, the command nohup runs the bridge.
func (h *hangupTest) start(t *testing.T, underNohup bool) {
	t.Helper()
	args := []string{testbed.Program(t), "run"}
	if underNohup {
		args = append([]string{"nohup"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	log, logWriter, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Stderr = t.TempDir(), logWriter
	cmd.Env = append(os.Environ(), h.broker.URLVariable(), h.cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_STATE_DIR=off")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = logWriter.Close() // the program has inherited a copy
	h.log, h.cmd = log, &command{cmd, make(chan struct{})}
	go func() {
		defer close(h.cmd.done)
		_ = cmd.Wait() // the test checks the exit code
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-h.cmd.done; _ = log.Close() })
}

// awaitOnline waits until the port is open, sends a telegram, and waits until the meter is online.
func (h *hangupTest) awaitOnline(t *testing.T) {
	t.Helper()
	lines := bufio.NewScanner(h.log)
	for lines.Scan() && !strings.Contains(lines.Text(), "port opened") {
	}
	h.cable.Send()
	h.messages.AwaitMessage("hanbridge/house/status", "online")
}

// closeLog closes the reading end of the log pipe.
func (h *hangupTest) closeLog(t *testing.T) {
	t.Helper()
	if err := h.log.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedEarly tests the exit code of a program that receives a signal while it reads its configuration file. The file is a pipe, so that
// the program must wait.
func TestStoppedEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command  string
		signal   syscall.Signal
		wantCode int
	}{{"run", syscall.SIGTERM, 0}, {"run", syscall.SIGHUP, 0}, {"check", syscall.SIGTERM, 1}} {
		t.Run(tt.command+" "+tt.signal.String(), func(t *testing.T) {
			t.Parallel()
			file := t.TempDir() + "/config.yaml"
			if err := syscall.Mkfifo(file, 0o600); err != nil {
				t.Fatal(err)
			}
			p := testbed.Hanbridge(t, nil, tt.command, "--config", file)
			w, err := os.OpenFile(file, os.O_WRONLY, 0) // returns when the program has opened the pipe
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			p.Signal(tt.signal)
			if code := p.ExitCode(); code != tt.wantCode {
				t.Errorf("exit code: got %d, want %d", code, tt.wantCode)
			}
		})
	}
}
