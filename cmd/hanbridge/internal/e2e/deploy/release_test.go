//go:build linux

package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestReleaseImage requires that deploy/compose.yaml and the add-on use the image that the release workflow pushes.
func TestReleaseImage(t *testing.T) {
	t.Parallel()
	pushed := regexp.MustCompile(`echo "([a-z/]+):\$\{TAG#v\}"`).FindStringSubmatch(testbed.ReadFile(t, ".github/workflows/release.yml"))
	if pushed == nil {
		t.Fatal("release.yml contains no image with the version of the tag")
	}
	var compose struct {
		Services map[string]struct{ Image string }
	}
	if err := yaml.Unmarshal([]byte(testbed.ReadFile(t, "deploy/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"hanbridge", "demo"} {
		if got := compose.Services[service].Image; got != pushed[1] {
			t.Errorf("image of the service %s: got %q, want %q, which the release workflow pushes", service, got, pushed[1])
		}
	}
	if addon := testbed.ReadFile(t, "deploy/homeassistant/hanbridge/Dockerfile"); !strings.Contains(addon, "\nFROM "+pushed[1]+" AS ") {
		t.Errorf("the add-on is not built from the image %q", pushed[1])
	}
}

// TestReleaseUsesPinnedSources requires that each workflow refers to actions by commit, and that the Dockerfile refers to the image of the
// compiler by digest. Nobody can then change a release without a change in this repository.
func TestReleaseUsesPinnedSources(t *testing.T) {
	t.Parallel()
	workflows, err := filepath.Glob(filepath.Join(testbed.ModuleRoot, ".github/workflows/*.yml"))
	if err != nil || len(workflows) < 2 {
		t.Fatalf("got workflows %v and error %v, want at least ci.yml and release.yml", workflows, err)
	}
	action := regexp.MustCompile(`(?m)uses: (.*)$`)
	pinned := regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d`)
	for _, file := range workflows {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, uses := range action.FindAllStringSubmatch(string(text), -1) {
			if !pinned.MatchString(uses[1]) {
				t.Errorf("%s: got action %s, want a commit and a comment with the version", filepath.Base(file), uses[1])
			}
		}
	}
	base := regexp.MustCompile(`(?m)^FROM .*golang:\S+@sha256:[0-9a-f]{64} AS build$`)
	if !base.MatchString(testbed.ReadFile(t, "Dockerfile")) {
		t.Error("the Dockerfile does not give the digest of the golang image")
	}
}

// TestWorkflowsCallRun requires that the workflows run .ci/run, as developers do.
func TestWorkflowsCallRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ci.yml", "release.yml"} {
		if text := testbed.ReadFile(t, ".github/workflows/"+name); !strings.Contains(text, "bash .ci/run") {
			t.Errorf("%s does not call .ci/run", name)
		}
	}
}
