//go:build linux

package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary act as the program when a script runs hanbridge.
func TestMain(m *testing.M) {
	testscript.Main(parallelMain{m}, map[string]func(){"hanbridge": main})
}

// parallelMain runs 12 tests in parallel, because the tests mostly wait for programs.
type parallelMain struct{ *testing.M }

func (m parallelMain) Run() int {
	flag.Parse()
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	return m.M.Run()
}

// TestScripts tests that the commands in the files of testdata/script print what these files say. $PORT is a free TCP port.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		ContinueOnError:     true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PORT", testbed.FreePort(t))
			e.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise the race detector delays the end of every process by a second
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "errorlines": errorLines, "damage": damage, "tohex": toHex, "listens": listens,
		},
	})
}

// exits is the script command "exits CODE PROGRAM…". It runs a program and requires the exit code.
func exits(s *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		s.Fatalf("usage: exits CODE PROGRAM…")
	}
	err := s.Exec(args[1], args[2:]...)
	var exitErr interface{ ExitCode() int }
	code := 0
	if err != nil && !errors.As(err, &exitErr) {
		s.Fatalf("%v", err)
	}
	if exitErr != nil {
		code = exitErr.ExitCode()
	}
	if got := fmt.Sprint(code); got != args[0] {
		s.Fatalf("exit code of %s: got %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// errorLines is the script command "errorlines N". It requires that the last program printed nothing on standard output, and N lines on
// standard error. Each line must begin with the name of the program.
func errorLines(s *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		s.Fatalf("usage: errorlines N")
	}
	if out := s.ReadFile("stdout"); out != "" {
		s.Fatalf("standard output: got %q, want nothing", out)
	}
	text := s.ReadFile("stderr")
	if got := fmt.Sprint(strings.Count(text, "\n")); got != args[0] || !strings.HasSuffix(text, "\n") {
		s.Fatalf("standard error: got %s lines, want %s:\n%s", got, args[0], text)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "hanbridge: ") {
			s.Fatalf("standard error: got %q, want it to begin with \"hanbridge: \"", line)
		}
	}
}

// damage is the script command "damage FILE TEXT". It changes one bit of the byte that follows the first TEXT in the file.
func damage(s *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		s.Fatalf("usage: damage FILE TEXT")
	}
	bytes := []byte(s.ReadFile(args[0]))
	index := strings.Index(string(bytes), args[1])
	if index < 0 {
		s.Fatalf("%s does not contain %q", args[0], args[1])
	}
	bytes[index+len(args[1])] ^= 1
	s.Check(os.WriteFile(s.MkAbs(args[0]), bytes, 0o600))
}

// toHex is the script command "tohex FROM TO". It writes the bytes of the file FROM as hexadecimal text to the file TO.
func toHex(s *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		s.Fatalf("usage: tohex FROM TO")
	}
	var text bytes.Buffer
	for i, digits := 0, hex.EncodeToString([]byte(s.ReadFile(args[0]))); i < len(digits); i += 64 {
		fmt.Fprintln(&text, digits[i:min(i+64, len(digits))])
	}
	s.Check(os.WriteFile(s.MkAbs(args[1]), text.Bytes(), 0o600))
}

// listens is the script command "listens ADDRESS". It waits until a server accepts connections at the address.
func listens(s *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		s.Fatalf("usage: listens ADDRESS")
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 6000 { // 2 minutes
		if conn, err := net.Dial("tcp", args[0]); err == nil {
			s.Check(conn.Close())
			return
		}
		<-ticker.C
	}
	s.Fatalf("no server listens on %s after 2 minutes", args[0])
}
