//go:build linux

package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a program that a test has started. What it says on its two outputs is kept together, and shown if the test
// fails.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all it said is in text

	mu   sync.Mutex
	text bytes.Buffer
}

// launch starts a program in an empty folder, where it keeps its state too, without the HANBRIDGE_ variables of whoever runs the
// test but with variables ("NAME=value"). It is killed when the test ends.
func launch(t *testing.T, variables []string, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), done: make(chan struct{})}
	own := func(variable string) bool { return strings.HasPrefix(variable, "HANBRIDGE_") }
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = t.TempDir(), p, p
	p.cmd.Env = append(slices.DeleteFunc(os.Environ(), own), "HANBRIDGE_STATE_DIR="+p.cmd.Dir+"/state")
	p.cmd.Env = append(p.cmd.Env, variables...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its exit code is what tests ask for
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.cmd, p.said())
		}
	})
	return p
}

// Write takes what the process says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// awaits waits until the process has said a text.
func (p *process) awaits(within time.Duration, text string) {
	p.t.Helper()
	until(p.t, within, "said: "+text, func() bool { return strings.Contains(p.said(), text) })
}

// saidOnce wants a text said exactly once, now or in a moment.
func (p *process) saidOnce(text string) {
	p.t.Helper()
	p.awaits(5*time.Second, text)
	if n := strings.Count(p.said(), text); n != 1 {
		p.t.Errorf("said %d times, want once: %s", n, text)
	}
}

// ends sends a signal and wants the process to end well.
func (p *process) ends(signal syscall.Signal, within time.Duration) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	p.endsWell(within)
}

func (p *process) endsWell(within time.Duration) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%s has not ended within %v", p.cmd, within)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("exit code: got %d, want 0", code)
	}
}

// staysUp wants the process not to end for a time.
func (p *process) staysUp(long time.Duration) {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Fatalf("%s has ended with %v", p.cmd, p.cmd.ProcessState)
	case <-time.After(long):
	}
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// until looks again and again whether something holds, and ends the test if it does not in time.
func until(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(within); !holds(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
