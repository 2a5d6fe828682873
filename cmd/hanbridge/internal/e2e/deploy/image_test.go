//go:build linux

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestImage requires that the Dockerfile uses existing commands, the Go version of go.mod, and all packages that the program imports.
func TestImage(t *testing.T) {
	t.Parallel()
	requireCommand(t, dockerfileInstruction(t, "HEALTHCHECK")[1])
	requireCommand(t, dockerfileInstruction(t, "CMD")[0])
	if got := dockerfileInstruction(t, "ENTRYPOINT"); !slices.Equal(got, []string{"/hanbridge"}) {
		t.Errorf("ENTRYPOINT: got %q, want /hanbridge", got)
	}
	checkStateFolder(t)
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(testbed.ReadFile(t, "go.mod"))
	if want := "golang:" + goVersion[1] + "."; !strings.Contains(testbed.ReadFile(t, "Dockerfile"), want) {
		t.Errorf("Dockerfile does not build with %s…, the Go version of go.mod", want)
	}
	dockerignore := strings.Split(testbed.ReadFile(t, ".dockerignore"), "\n")
	for _, name := range importedPackages(t) {
		folder, _, _ := strings.Cut(name, "/")
		if !slices.Contains(dockerignore, "!"+folder) {
			t.Errorf(".dockerignore excludes %s from the image's build: add !%s", name, folder)
		}
	}
}

// importedPackages returns the packages of the module that the program imports, such as "pkg/meter".
func importedPackages(t *testing.T) (names []string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/hanbridge")
	list.Dir = testbed.ModuleRoot
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if name, isInModule := strings.CutPrefix(strings.TrimSpace(line), "github.com/hanbridge/hanbridge/"); isInModule {
			names = append(names, name)
		}
	}
	if len(names) < 5 {
		t.Fatalf("go list: got packages %q, want at least 5", names)
	}
	return names
}

// checkStateFolder requires that the image contains the state folder, and that the user who runs the program owns this folder, because a
// new volume gets the owner of the folder in the image.
func checkStateFolder(t *testing.T) {
	t.Helper()
	file := testbed.ReadFile(t, "Dockerfile")
	user := regexp.MustCompile(`(?m)^USER (\S+)$`).FindStringSubmatch(file)
	// mkdir contains the parent folder and the name of the state folder. chown contains the owner, and the paths of the
	// parent folder in the build stage and in the image.
	mkdir := regexp.MustCompile(`(?m)^RUN mkdir -p (/\S+)/(\S+)$`).FindStringSubmatch(file)
	chown := regexp.MustCompile(`(?m)^COPY --from=build --chown=(\S+) (/\S+) (/\S+)$`).FindStringSubmatch(file)
	if user == nil || mkdir == nil || chown == nil {
		t.Fatal("Dockerfile lacks USER, RUN mkdir -p or COPY --from=build --chown")
	}
	if chown[1] != user[1] || chown[2] != mkdir[1] {
		t.Errorf("Dockerfile: got %s and %s, want the same folder, and the owner %s", mkdir[0], chown[0], user[1])
	}
	if got, want := chown[3]+"/"+mkdir[2], exampleSetting(t, "state_dir"); got != want {
		t.Errorf("Dockerfile: got state folder %s, want %s, the default of state_dir", got, want)
	}
}

// exampleSetting returns the value of a key in config.example.yaml, which contains the defaults.
func exampleSetting(t *testing.T, key string) string {
	t.Helper()
	var example map[string]any
	if err := yaml.Unmarshal([]byte(testbed.ReadFile(t, "config.example.yaml")), &example); err != nil {
		t.Fatalf("config.example.yaml: %v", err)
	}
	text, _ := example[key].(string)
	return text
}

// requireCommand requires that the program has a command, and returns the help of the command.
func requireCommand(t *testing.T, command string) string {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), testbed.Program(t), command, "--help").Output()
	if err != nil || !strings.Contains(string(help), "hanbridge "+command) {
		t.Errorf("hanbridge has no command %q: %v\n%s", command, err, help)
	}
	return string(help)
}

// requireVariables requires that each name is an environment variable of the program.
func requireVariables(t *testing.T, names ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), testbed.Program(t), "check", "--config", file)
	check.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, name := range names {
		check.Env = append(check.Env, name+"=") // like a variable that is not set
	}
	out, err := check.CombinedOutput()
	// If all variables exist, the program only reports the missing broker.
	if err == nil || !strings.Contains(string(out), "mqtt.url: no broker is set") {
		t.Errorf("the program does not accept the variables: %v\n%s", err, out)
	}
}

// dockerfileInstruction returns the words of an instruction of the Dockerfile in exec form, such as CMD ["run"].
func dockerfileInstruction(t *testing.T, instruction string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + instruction + `\b[^\[]*(\[.*\])$`).FindStringSubmatch(testbed.ReadFile(t, "Dockerfile"))
	if line == nil {
		t.Fatalf("Dockerfile has no %s in exec form", instruction)
	}
	var words []string
	if err := yaml.Unmarshal([]byte(line[1]), &words); err != nil || len(words) == 0 {
		t.Fatalf("Dockerfile: %s: %v", line[0], err)
	}
	return words
}
