//go:build linux

package program_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// bboltCommit is the last commit whose program stores its state in a bbolt file.
const bboltCommit = "a60d3292be2a51ec90a676ee285f88136359f445"

// buildBboltProgram builds the program of bboltCommit, and returns its path. If git does not have this commit, the test is skipped. With
// CI=true the test fails instead.
func buildBboltProgram(t *testing.T) (path string) {
	t.Helper()
	git := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = testbed.ModuleRoot
		return cmd
	}
	if err := git("cat-file", "-e", bboltCommit+"^{commit}").Run(); err != nil {
		reason := fmt.Sprintf("git does not have the commit %.7s (%v): clone with the whole history", bboltCommit, err)
		if os.Getenv("CI") == "true" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	source := t.TempDir()
	archive, path := filepath.Join(source, "source.tar"), filepath.Join(source, "hanbridge-bbolt")
	// With -trimpath the program does not contain the folder's name, so that the next test finds the program in the cache.
	build := exec.CommandContext(t.Context(), "go", "run", "-trimpath", "-tags", "timetzdata", "-exec", "cp", "./cmd/hanbridge", path)
	build.Dir = source
	for _, cmd := range []*exec.Cmd{
		git("archive", "--output", archive, bboltCommit), exec.CommandContext(t.Context(), "tar", "-x", "-f", archive, "-C", source), build,
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return path
}

// takeoverLogged is the log message of a program that has read the state of an earlier version.
const takeoverLogged = "state of an earlier version is taken over"

// TestBboltState tests that the current program reads the state that the program of bboltCommit has stored. The current program must
// continue with the same counters and announcements, and must identify itself as the same bridge.
func TestBboltState(t *testing.T) {
	t.Parallel()
	bboltProgram, currentProgram := buildBboltProgram(t), testbed.Program(t)
	for name, endProcess := range map[string]func(*testbed.Process){
		"stopped": func(p *testbed.Process) { p.Stop(syscall.SIGTERM) },
		"killed":  (*testbed.Process).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounterTest(t)
			allMessages := c.broker.LogMessages() // also the messages before each reset of c.messages
			c.program = bboltProgram
			c.start()
			counter := c.sendNext()
			c.messages.AwaitMessage("homeassistant/device/hanbridge_house/config")
			entities, firstRun := announcedEntities(t, c.messages.Last()), c.instance()
			c.awaitOnDisk("hanbridge.db", counter)
			endProcess(c.run)

			c.program = currentProgram
			c.messages.Reset()
			c.start()
			c.run.RequireOutputOnce(takeoverLogged)
			c.send("40139.100") // lower than the stored counter
			c.awaitRejected("40139.100")
			c.awaitOnDisk("hanbridge.json", c.sendNext())
			if secondRun := c.instance(); secondRun == firstRun || secondRun.bridge() != firstRun.bridge() {
				t.Errorf("instance: got %s and %s, want two runs of the same bridge", firstRun, secondRun)
			}
			c.requireEntities(entities)

			c.messages.Reset()
			c.crash() // the next start reads the new file
			c.send("40139.200")
			c.awaitRejected("40139.200")
			c.sendNext()
			if strings.Contains(c.run.Output(), takeoverLogged) {
				t.Error("the bbolt file was read again at the second start")
			}
			c.requireEntities(entities)
			if got := publishedCounters(allMessages); !slices.IsSorted(got) {
				t.Errorf("published counters: got %v, want no decrease", got)
			}
		})
	}
}

// awaitOnDisk waits until a state file contains the value of a counter.
func (c *counterTest) awaitOnDisk(name, counter string) {
	c.t.Helper()
	digits := strings.Replace(counter, ".", "", 1) // the files contain numbers without their decimal point
	testbed.Until(c.t, counter+" in "+name, func() bool {
		file, err := os.ReadFile(filepath.Join(c.state, name))
		return err == nil && strings.Contains(string(file), digits)
	})
}

// requireEntities requires that exactly the wanted entities are announced, and that no announcement was removed since the last reset of
// c.messages. The program must not have logged another bridge.
func (c *counterTest) requireEntities(want map[string]bool) {
	c.t.Helper()
	if diff := cmp.Diff(want, announcedEntities(c.t, c.broker.Retained())); diff != "" {
		c.t.Errorf("entities (-before +after):\n%s", diff)
	}
	for line := range strings.Lines(c.messages.Text()) {
		if topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); strings.HasPrefix(topic, "homeassistant/") && payload == "" {
			c.t.Errorf("the announcement %s was removed", topic)
		}
	}
	if strings.Contains(c.run.Output(), "another bridge") {
		c.t.Error("the bridge takes its own earlier run for another bridge")
	}
}

// An instance identifies one run of one bridge.
type instance string

// bridge returns the part before the dot, which is the same for all runs of a bridge.
func (i instance) bridge() string {
	bridge, _, _ := strings.Cut(string(i), ".")
	return bridge
}

// instance returns the instance of the bridge that publishes the meter.
func (c *counterTest) instance() instance {
	c.t.Helper()
	var info struct{ Instance instance }
	if err := json.Unmarshal([]byte(c.broker.Retained()["hanbridge/house/info"]), &info); err != nil || info.Instance == "" {
		c.t.Fatalf("no instance in info: %v", err)
	}
	return info.Instance
}
