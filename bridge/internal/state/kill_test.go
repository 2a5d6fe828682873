//go:build linux

package state_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// inDir tells a copy of this test program which folder to commit to.
const inDir = "HANBRIDGE_TEST_STATE_DIR"

// commitForEver is what TestKill kills. It prints the number of each commit that is done.
func commitForEver(t *testing.T, dir string) {
	s := open(t, dir)
	s.logged()
	first, _ := strconv.Atoi(string(s.Value("guard/meter 0")))
	for n := first + 1; !t.Failed(); n++ {
		keep(s, numbered(n))
		s.Commit()
		wantLogged(t, s)
		fmt.Println(n)
	}
}

// numbered are the values of commit n, some of them long and each time of another length.
func numbered(n int) map[string]string {
	v := make(map[string]string)
	for i := range 30 {
		v[fmt.Sprintf("guard/meter %d", i)] = fmt.Sprintf(`"%0*d"`, 1+i*n*37%3000, n)
	}
	v["guard/meter 0"] = strconv.Itoa(n)
	return v
}

// TestKill kills a program while it commits. What is found then is one whole commit: the last that was done, or the one after it.
func TestKill(t *testing.T) {
	if dir := os.Getenv(inDir); dir != "" {
		commitForEver(t, dir)
		return
	}
	dir := t.TempDir()
	done := 0
	for range 20 {
		done = commitAndKill(t, dir, done)
		s := open(t, dir)
		wantLogged(t, s)
		got, _ := strconv.Atoi(string(s.Value("guard/meter 0")))
		if got < done || got > done+1 {
			t.Errorf("got commit %d, want %d or the next", got, done)
		}
		if !maps.Equal(s.Documents(), numbered(got)) {
			t.Errorf("commit %d is not whole", got)
		}
		done = got
		end(t, s)
	}
	if got := names(t, dir); len(got) > 4 {
		t.Errorf("got %q: those who are killed leave more and more files", got)
	}
}

// commitAndKill returns the number of the last commit that was done.
func commitAndKill(t *testing.T, dir string, done int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), inDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for wait := rand.IntN(12); lines.Scan(); wait-- {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Errorf("the program says %q", lines.Text())
			break
		}
		done = n
		if wait == 0 {
			time.AfterFunc(rand.N(3*time.Millisecond), func() { _ = cmd.Process.Kill() }) // also between two commits
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	return done
}
