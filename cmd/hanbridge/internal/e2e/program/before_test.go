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

// before is the last commit whose state was a bbolt file. The test builds it, because its state must be taken over.
const before = "a60d3292be2a51ec90a676ee285f88136359f445"

// buildBefore builds the program of that commit. It skips the test in a clone without the history.
func buildBefore(t *testing.T) (path string) {
	t.Helper()
	git := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = testbed.ModuleRoot
		return cmd
	}
	if err := git("cat-file", "-e", before+"^{commit}").Run(); err != nil {
		why := fmt.Sprintf("the program before cannot be built: git does not have its commit %.7s (%v): clone with the whole history", before, err)
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	source := t.TempDir()
	archive, path := filepath.Join(source, "source.tar"), filepath.Join(source, "hanbridge-before")
	// Without the name of the folder in it, the compiler takes a package from its cache the next time.
	build := exec.CommandContext(t.Context(), "go", "run", "-trimpath", "-tags", "timetzdata", "-exec", "cp", "./cmd/hanbridge", path)
	build.Dir = source
	for _, cmd := range []*exec.Cmd{
		git("archive", "--output", archive, before), exec.CommandContext(t.Context(), "tar", "-x", "-f", archive, "-C", source), build,
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return path
}

const takenOver = "state of an earlier version is taken over"

// TestProgramBefore has the program before count, ends it, and starts this one in its place: it goes on with the counters, the announcements
// and the instance of that one.
func TestProgramBefore(t *testing.T) {
	t.Parallel()
	older, now := buildBefore(t), testbed.Program(t)
	for name, end := range map[string]func(*testbed.Process){
		"ended":  func(p *testbed.Process) { p.Stop(syscall.SIGTERM) },
		"killed": (*testbed.Process).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newCountersRig(t)
			all := r.broker.LogMessages()
			r.program = older
			r.start()
			first := r.counts()
			r.messages.AwaitMessage("homeassistant/device/hanbridge_house/config")
			entities, mark := announcedKeys(t, r.messages.Last()), r.mark()
			r.onDisk("hanbridge.db", first)
			end(r.run)

			r.program = now
			r.messages.Reset()
			r.start()
			r.run.RequireOutputOnce(takenOver)
			r.sends("40139.100") // a step back, before anything else
			r.rejected("40139.100")
			r.onDisk("hanbridge.json", r.counts())
			if again := r.mark(); again == mark || again.id() != mark.id() {
				t.Errorf("got mark %s after %s, want another run of the same instance", again, mark)
			}
			r.announcedStill(entities)

			r.messages.Reset()
			r.crashes() // The second start goes on with the new file.
			r.sends("40139.200")
			r.rejected("40139.200")
			r.counts()
			if strings.Contains(r.run.Output(), takenOver) {
				t.Error("the old file was taken over twice")
			}
			r.announcedStill(entities)
			if got := published(all); !slices.IsSorted(got) {
				t.Errorf("published: %v, want it only to rise", got)
			}
		})
	}
}

// onDisk waits until a state file contains the value of a counter.
func (r *countersRig) onDisk(name, counter string) {
	r.t.Helper()
	digits := strings.Replace(counter, ".", "", 1)
	testbed.Until(r.t, counter+" in "+name, func() bool {
		file, err := os.ReadFile(filepath.Join(r.state, name))
		return err == nil && strings.Contains(string(file), digits)
	})
}

// announcedStill requires the same entities as before, in the same topics, and none taken back in between. No message may name another bridge.
func (r *countersRig) announcedStill(want map[string]bool) {
	r.t.Helper()
	if diff := cmp.Diff(want, announcedKeys(r.t, r.broker.Retained())); diff != "" {
		r.t.Errorf("entities (-before +after):\n%s", diff)
	}
	for line := range strings.Lines(r.messages.Text()) {
		if topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); strings.HasPrefix(topic, "homeassistant/") && payload == "" {
			r.t.Errorf("taken back: %s", topic)
		}
	}
	if strings.Contains(r.run.Output(), "another bridge") {
		r.t.Error("it takes its own earlier run for another bridge")
	}
}

// A mark identifies one run of one bridge.
type mark string

func (m mark) id() string {
	id, _, _ := strings.Cut(string(m), ".")
	return id
}

// mark returns the mark of the bridge that publishes the meter.
func (r *countersRig) mark() mark {
	r.t.Helper()
	var info struct{ Instance mark }
	if err := json.Unmarshal([]byte(r.broker.Retained()["hanbridge/house/info"]), &info); err != nil || info.Instance == "" {
		r.t.Fatalf("no instance in info: %v", err)
	}
	return info.Instance
}
