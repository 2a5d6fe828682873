package meter_test

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const modulePath = "github.com/hanbridge/hanbridge"

// libraryFolder has a program that is a module of its own and imports the packages of pkg.
var libraryFolder = filepath.Join("testdata", "library")

// TestLibraryProgram tests that the program in libraryFolder builds without a network, and prints the expected output.
func TestLibraryProgram(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "main.go"), read(t, filepath.Join(libraryFolder, "main.go")))
	mod := strings.Replace(string(read(t, filepath.Join(libraryFolder, "go.mod"))), "../../../..", strconv.Quote(root), 1)
	write(t, filepath.Join(folder, "go.mod"), []byte(mod))

	program := filepath.Join(folder, "reader")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = folder
	// With empty GOOS, GOARCH and GOARM, go builds for this machine, even if the test was built for another processor and runs in an emulator.
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOOS=", "GOARCH=", "GOARM=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	got, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if diff := cmp.Diff(string(read(t, filepath.Join(libraryFolder, "output.txt"))), string(got)); diff != "" {
		t.Errorf("output, -want +got:\n%s", diff)
	}
}

// TestLibraryProgramUsesEveryPackage tests that the program imports each package of pkg that is not internal.
func TestLibraryProgramUsesEveryPackage(t *testing.T) {
	main, err := parser.ParseFile(token.NewFileSet(), filepath.Join(libraryFolder, "main.go"), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]bool{}
	for _, i := range main.Imports {
		imports[strings.Trim(i.Path.Value, `"`)] = true
	}
	list, err := exec.CommandContext(t.Context(), "go", "list", modulePath+"/pkg/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(list))
	if len(packages) == 0 {
		t.Fatal("go list found no packages")
	}
	for _, p := range packages {
		if !strings.Contains(p, "/internal/") && !imports[p] {
			t.Errorf("%s does not import %s", filepath.Join(libraryFolder, "main.go"), p)
		}
	}
}
