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

// envCommitDir is set in a copy of this test program. The copy commits to the folder with this name until it is killed.
const envCommitDir = "HANBRIDGE_TEST_STATE_DIR"

// commitRepeatedly commits until the process is killed. It prints the number of each commit when it is done.
func commitRepeatedly(t *testing.T, dir string) {
	s := open(t, dir)
	s.logged()
	first, _ := strconv.Atoi(string(s.Value("guard/meter 0")))
	for n := first + 1; !t.Failed(); n++ {
		set(s, documentsOfCommit(n))
		s.Commit()
		wantLogged(t, s)
		fmt.Println(n)
	}
}

// documentsOfCommit returns the documents of commit n. Their lengths differ from commit to commit, up to 3 kB.
func documentsOfCommit(n int) map[string]string {
	v := make(map[string]string)
	for i := range 30 {
		v[fmt.Sprintf("guard/meter %d", i)] = fmt.Sprintf(`"%0*d"`, 1+i*n*37%3000, n)
	}
	v["guard/meter 0"] = strconv.Itoa(n)
	return v
}

// TestKill kills a program while it commits. The documents must then be those of one commit: the last commit that was done, or the one
// after it.
func TestKill(t *testing.T) {
	if dir := os.Getenv(envCommitDir); dir != "" {
		commitRepeatedly(t, dir)
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
			t.Errorf("got commit %d, want %d or the next one", got, done)
		}
		if !maps.Equal(s.Documents(), documentsOfCommit(got)) {
			t.Errorf("got only a part of commit %d", got)
		}
		done = got
		closeStore(t, s)
	}
	if got := fileNames(t, dir); len(got) > 4 {
		t.Errorf("got files %q, want at most 4, although the killed programs could not remove theirs", got)
	}
}

// commitAndKill starts a program that commits and kills it. It returns the number of the last commit that was done.
func commitAndKill(t *testing.T, dir string, done int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), envCommitDir+"="+dir)
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
			t.Errorf("the program printed %q", lines.Text())
			break
		}
		done = n
		if wait == 0 {
			time.AfterFunc(rand.N(3*time.Millisecond), func() { _ = cmd.Process.Kill() }) // at any time in a commit, or between two
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	return done
}
