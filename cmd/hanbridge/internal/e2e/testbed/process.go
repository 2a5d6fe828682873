//go:build linux

package testbed

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A Process is a program that a test has started. What it says on its two outputs is kept together, and shown if the test fails.
type Process struct {
	Cmd  *exec.Cmd
	t    testing.TB
	done chan struct{} // closed when it has ended and all it said is in text

	mu   sync.Mutex
	text bytes.Buffer
}

// Launch starts a program in an empty folder, where it keeps its state too, without the HANBRIDGE_ variables of whoever runs the
// test but with variables ("NAME=value"). It is killed when the test ends.
func Launch(t testing.TB, variables []string, name string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, Cmd: exec.Command(name, args...), done: make(chan struct{})}
	own := func(variable string) bool { return strings.HasPrefix(variable, "HANBRIDGE_") }
	p.Cmd.Dir, p.Cmd.Stdout, p.Cmd.Stderr = t.TempDir(), p, p
	p.Cmd.Env = append(slices.DeleteFunc(os.Environ(), own), "HANBRIDGE_STATE_DIR="+p.Cmd.Dir+"/state")
	p.Cmd.Env = append(p.Cmd.Env, variables...)
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.Cmd.Wait() // its exit code is what tests ask for
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.Cmd, p.Said())
		}
	})
	return p
}

// Hanbridge starts the program with a command.
func Hanbridge(t testing.TB, variables []string, args ...string) *Process {
	t.Helper()
	return Launch(t, variables, Program(t), args...)
}

// StartBridge starts the bridge for the meter "house", which publishes every telegram unless variables say otherwise.
func StartBridge(t testing.TB, variables ...string) *Process {
	t.Helper()
	return Hanbridge(t, slices.Concat([]string{"HANBRIDGE_PUBLISH=realtime", "HANBRIDGE_METER_ID=house"}, variables), "run")
}

// Write takes what the process says.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// Said returns all that the process has said so far.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// Await waits until the process has said a text. It fails the test at once where the process has ended without it.
func (p *Process) Await(text string) {
	p.t.Helper()
	Until(p.t, "said: "+text, func() bool {
		ended := p.Ended() // before what it said is looked at
		said := strings.Contains(p.Said(), text)
		if ended && !said {
			p.t.Fatalf("%s has ended (%v) and has not said: %s", p.Cmd, p.Cmd.ProcessState, text)
		}
		return said
	})
}

// SaidOnce wants a text said exactly once. It waits for the first time.
func (p *Process) SaidOnce(text string) {
	p.t.Helper()
	p.Await(text)
	if n := strings.Count(p.Said(), text); n != 1 {
		p.t.Errorf("said %d times, want once: %s", n, text)
	}
}

// Signal sends a signal.
func (p *Process) Signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// End sends a signal and wants the process to end well.
func (p *Process) End(signal syscall.Signal) {
	p.t.Helper()
	p.Signal(signal)
	p.EndsWell()
}

// EndsWell waits for the end of the process and wants the exit code 0.
func (p *Process) EndsWell() {
	p.t.Helper()
	if code := p.ExitCode(); code != 0 {
		p.t.Errorf("exit code of %s: got %d, want 0", p.Cmd, code)
	}
}

// ExitCode waits for the end of the process. The code is -1 where a signal has ended it.
func (p *Process) ExitCode() int {
	p.t.Helper()
	Until(p.t, "the end of "+p.Cmd.String(), p.Ended)
	return p.Cmd.ProcessState.ExitCode()
}

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Kill ends the process as a crash would.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended by itself
	<-p.done
}
