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

// envCommitDir is an environment variable with a folder. It is set only in a copy of this test program, which commits to the folder until the
// copy is killed.
const envCommitDir = "HANBRIDGE_TEST_STATE_DIR"

// commitRepeatedly commits until the process is killed. After each commit it prints the number of the commit.
func commitRepeatedly(t *testing.T, dir string) {
	s := open(t, dir)
	s.logged()
	committed, _ := strconv.Atoi(string(s.Value("guard/meter 0")))
	for n := committed + 1; !t.Failed(); n++ {
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

// TestKill kills a program while it commits. The state must then have the documents of the last complete commit, or of the next commit.
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
			t.Errorf("got the documents of commit %d, want commit %d or %d", got, done, done+1)
		}
		if !maps.Equal(s.Documents(), documentsOfCommit(got)) {
			t.Errorf("some documents are not those of commit %d, want all documents of one commit", got)
		}
		done = got
		closeStore(t, s)
	}
	if got := fileNames(t, dir); len(got) > 4 {
		t.Errorf("got files %q, want at most 4: the file, the previous file, the lock file and one incomplete file", got)
	}
}

// commitAndKill starts a program that commits, and kills the program. It returns the number of the last complete commit, or done if no
// commit was completed.
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
	for wait := rand.IntN(12); lines.Scan(); wait-- { // each line is the number of a commit
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Errorf("the program printed %q", lines.Text())
			break
		}
		done = n
		if wait == 0 {
			time.AfterFunc(rand.N(3*time.Millisecond), func() { _ = cmd.Process.Kill() }) // at a random time in or after a commit
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // always returns an error, because the program was killed
	return done
}
