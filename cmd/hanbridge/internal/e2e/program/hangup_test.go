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

// TestHangup tests that a closed terminal or log pipe ends a bridge like SIGTERM, so that its status offline is published.
func TestHangup(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *hangupRig){
		"SIGHUP":                        func(t *testing.T, r *hangupRig) { r.online(t); r.cmd.signals(t, syscall.SIGHUP) },
		"SIGINT":                        func(t *testing.T, r *hangupRig) { r.online(t); r.cmd.signals(t, syscall.SIGINT) },
		"a log whose reader has gone":   func(t *testing.T, r *hangupRig) { r.online(t); r.leave(t); r.cable.Unplug() },
		"SIGHUP while it is on its own": testOwn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &hangupRig{broker: testbed.StartMosquitto(t), cable: testbed.PlugCable(t, "p1-se-aidon")}
			r.messages = r.broker.LogMessages()
			r.start(t, strings.Contains(name, "own"))
			test(t, r)
			testbed.Until(t, "the end of the program", r.cmd.ended)
			if code := r.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit: got %v, want code 0", r.cmd.ProcessState)
			}
			r.messages.AwaitMessage("hanbridge/house/status", "offline")
			r.messages.AwaitMessage("hanbridge/status", "offline")
		})
	}
}

// testOwn tests that a program started by nohup continues after SIGHUP.
func testOwn(t *testing.T, r *hangupRig) {
	r.online(t)
	r.cmd.signals(t, syscall.SIGHUP)
	r.messages.Reset()
	r.cable.Send()
	r.messages.AwaitMessage("hanbridge/house/telegram")
	r.cmd.signals(t, syscall.SIGTERM)
}

type hangupRig struct {
	broker   *testbed.Mosquitto
	messages *testbed.MessageLog
	cable    *testbed.Cable
	cmd      *command
	log      *os.File // what the program writes
}

// A command is a program whose standard error is a pipe.
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

func (c *command) signals(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (r *hangupRig) start(t *testing.T, own bool) {
	t.Helper()
	args := []string{testbed.Program(t), "run"}
	if own {
		args = append([]string{"nohup"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	log, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Stderr = t.TempDir(), to
	cmd.Env = append(os.Environ(), r.broker.URLVariable(), r.cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_STATE_DIR=off")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = to.Close() // the program has its own
	r.log, r.cmd = log, &command{cmd, make(chan struct{})}
	go func() {
		defer close(r.cmd.done)
		_ = cmd.Wait() // its state is looked at
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-r.cmd.done; _ = log.Close() })
}

// online waits until the meter is online, after its first telegram.
func (r *hangupRig) online(t *testing.T) {
	t.Helper()
	lines := bufio.NewScanner(r.log)
	for lines.Scan() && !strings.Contains(lines.Text(), "port opened") {
	}
	r.cable.Send()
	r.messages.AwaitMessage("hanbridge/house/status", "online")
}

// leave closes the reading end of the log's pipe.
func (r *hangupRig) leave(t *testing.T) {
	t.Helper()
	if err := r.log.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedEarly tests a signal to a program that still waits for its configuration file.
func TestStoppedEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command string
		signal  syscall.Signal
		code    int
	}{{"run", syscall.SIGTERM, 0}, {"run", syscall.SIGHUP, 0}, {"check", syscall.SIGTERM, 1}} {
		t.Run(tt.command+" "+tt.signal.String(), func(t *testing.T) {
			t.Parallel()
			file := t.TempDir() + "/config.yaml"
			if err := syscall.Mkfifo(file, 0o600); err != nil {
				t.Fatal(err)
			}
			p := testbed.Hanbridge(t, nil, tt.command, "--config", file)
			w, err := os.OpenFile(file, os.O_WRONLY, 0) // waits for the program to open it
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			p.Signal(tt.signal)
			if code := p.ExitCode(); code != tt.code {
				t.Errorf("exit: got %d, want code %d", code, tt.code)
			}
		})
	}
}
