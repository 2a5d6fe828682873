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

// A Process is a program that a test has started. Its standard output and standard error are recorded together, and shown if the test
// fails.
type Process struct {
	Cmd  *exec.Cmd
	t    testing.TB
	done chan struct{} // closed when the process has ended and text has all of its output

	mu   sync.Mutex
	text bytes.Buffer // the output
}

// Launch starts a program in an empty folder, and kills it when the test ends. The program gets the environment of the test without the
// HANBRIDGE_ variables, and then variables ("NAME=value"). If the program is hanbridge, its state folder is in the empty folder.
func Launch(t testing.TB, variables []string, name string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, Cmd: exec.Command(name, args...), done: make(chan struct{})}
	isSetting := func(variable string) bool { return strings.HasPrefix(variable, "HANBRIDGE_") }
	p.Cmd.Dir, p.Cmd.Stdout, p.Cmd.Stderr = t.TempDir(), p, p
	p.Cmd.Env = append(slices.DeleteFunc(os.Environ(), isSetting), "HANBRIDGE_STATE_DIR="+p.Cmd.Dir+"/state")
	p.Cmd.Env = append(p.Cmd.Env, variables...)
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.Cmd.Wait() // tests check the exit code
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.Cmd, p.Output())
		}
	})
	return p
}

// Hanbridge starts hanbridge with a command and its flags.
func Hanbridge(t testing.TB, variables []string, args ...string) *Process {
	t.Helper()
	return Launch(t, variables, Program(t), args...)
}

// StartBridge runs the bridge for a meter with the id "house". Unless variables say otherwise, the bridge publishes every telegram.
func StartBridge(t testing.TB, variables ...string) *Process {
	t.Helper()
	return Hanbridge(t, slices.Concat([]string{"HANBRIDGE_PUBLISH=realtime", "HANBRIDGE_METER_ID=house"}, variables), "run")
}

// Write records output of the process.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// Output returns all output of the process so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// AwaitOutput waits until the output contains a text. If the process ends without this text, AwaitOutput fails the
// test without waiting longer.
func (p *Process) AwaitOutput(text string) {
	p.t.Helper()
	Until(p.t, "output: "+text, func() bool {
		ended := p.Ended() // before the search, because the output of an ended process is complete
		found := strings.Contains(p.Output(), text)
		if ended && !found {
			p.t.Fatalf("%s has ended (%v) without the output: %s", p.Cmd, p.Cmd.ProcessState, text)
		}
		return found
	})
}

// RequireOutputOnce waits until the output contains a text, and fails the test if it contains the text more than once.
func (p *Process) RequireOutputOnce(text string) {
	p.t.Helper()
	p.AwaitOutput(text)
	if n := strings.Count(p.Output(), text); n != 1 {
		p.t.Errorf("got this text %d times in the output, want once: %s", n, text)
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// Stop sends a signal, waits for the end of the process, and fails the test unless the exit code is 0.
func (p *Process) Stop(signal syscall.Signal) {
	p.t.Helper()
	p.Signal(signal)
	p.RequireSuccess()
}

// RequireSuccess waits for the end of the process, and fails the test unless the exit code is 0.
func (p *Process) RequireSuccess() {
	p.t.Helper()
	if code := p.ExitCode(); code != 0 {
		p.t.Errorf("exit code of %s: got %d, want 0", p.Cmd, code)
	}
}

// ExitCode waits for the end of the process and returns its exit code. The code is -1 if a signal has ended the process.
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

// Kill ends the process with SIGKILL and waits for its end. A process that has already ended is no error.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	<-p.done
}
