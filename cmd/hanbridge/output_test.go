package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// output runs the program and returns its standard output. The exit code must be 0, and standard error must be empty.
func output(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, environ, strings.NewReader(""), &out, &errs); code != cli.ExitOK {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	if errs.Len() > 0 && args[0] != "__complete" { // the completion prints hints on standard error
		t.Errorf("%v: standard error is not empty: %s", args, &errs)
	}
	return out.String()
}

// TestHelpFits tests that no line of a help page or table is longer than 80 columns.
func TestHelpFits(t *testing.T) {
	pages := [][]string{{"quantities"}, {"rates"}, {"simulate", "--list"}, {"rates", "--family", "p1-nl-5"}}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		pages = append(pages, append(strings.Fields(c.CommandPath())[1:], "--help"))
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	root := commands(&cli.Program{})
	root.InitDefaultCompletionCmd("")
	walk(root)
	if len(pages) < 20 {
		t.Fatalf("got %d help pages, want at least 20", len(pages))
	}
	for _, page := range pages {
		for line := range strings.Lines(output(t, nil, page...)) {
			if line = strings.TrimRight(line, "\n"); utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "        ")) > cli.Columns {
				t.Errorf("%v: a line has %d columns: %s", page, utf8.RuneCountInString(line), line)
			}
		}
	}
}

// TestHelpExplains tests that the help of every command has a usage, that the help of every runnable command has an example, and that the
// program's help lists all commands.
func TestHelpExplains(t *testing.T) {
	programHelp := output(t, nil, "--help")
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		help := output(t, nil, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		hasExample := regexp.MustCompile(`(?m)^Examples:\n.*` + c.CommandPath()).MatchString(help)
		if !strings.Contains(help, "Usage:\n") || c.Runnable() && !hasExample {
			t.Errorf("%s: the help has no usage, or no example of this command:\n%s", c.CommandPath(), help)
		}
		for _, sub := range c.Commands() {
			if !c.HasParent() && !strings.Contains(programHelp, "\n  "+sub.Name()+" ") {
				t.Errorf("the program's help does not name %s", sub.Name())
			}
			walk(sub)
		}
	}
	walk(commands(&cli.Program{}))
	if !strings.Contains(output(t, nil, "doctor", "--help"), "--key-file is safer") {
		t.Error("doctor does not say that a key in a file is safer")
	}
}

// TestCompletion tests that a shell gets the right completions for a command line.
func TestCompletion(t *testing.T) {
	config := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(config, []byte("meters:\n  - id: house\n  - id: barn\n    port: tcp://192.0.2.1:8088\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][]string{
		"simulate --family p1-se-a":         {"p1-se-aidon\tSwedish"},
		"simulate --then kaifa-":            {"kaifa-se\tKaifa"},
		"simulate --fault c":                {"crc\tone bit", "cut\t"},
		"demo --family landis":              {"landisgyr-no\t"},
		"rates --family aidon-n":            {"aidon-no\t"},
		"discovery diff --family aidon-n":   {"aidon-no\t"},
		"decode --format ":                  {"table\n", "json\n", "csv\n"},
		"replay --to p":                     {"pty\n"},
		"run --config ":                     {"yaml\nyml\n"},
		"takeover --config " + config + " ": {"house\nbarn\n"},
		"discovery cl":                      {"clear\t"},
		"discovery clear --v":               {"--values\t"},
		"comp":                              {"completion\t"},
	} {
		words := append([]string{"__complete"}, strings.Split(args, " ")...)
		got := output(t, nil, words...)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: got %q, want it to contain %q", args, got, w)
			}
		}
	}
}

// TestVersionFlag tests that the flag --version prints the same as the command version.
func TestVersionFlag(t *testing.T) {
	if got, want := output(t, nil, "--version"), output(t, nil, "version"); got != want || !strings.HasPrefix(got, "hanbridge ") {
		t.Errorf("--version prints %q, want %q", got, want)
	}
}

// TestDecodeSimulatedFamilies tests that decode finds every telegram of every simulated family, and that the sizes of the telegrams add up to the
// number of bytes that were sent.
func TestDecodeSimulatedFamilies(t *testing.T) {
	for _, f := range simulate.Families() {
		sent := output(t, nil, "simulate", "--family", f.Name, "--count", "3", "--start", "2026-06-01T00:00:00+02:00")
		file := filepath.Join(t.TempDir(), "sent")
		if err := os.WriteFile(file, []byte(sent), 0o600); err != nil {
			t.Fatal(err)
		}
		decoded, byteCount := 0, 0
		for line := range strings.Lines(output(t, nil, "decode", "--format", "json", "--key", simulate.EncryptionKey, "--auth-key", simulate.AuthenticationKey, file)) {
			var telegram struct {
				OK     bool
				Bytes  int
				Values map[string]string
			}
			if err := json.Unmarshal([]byte(line), &telegram); err != nil {
				t.Fatal(err)
			}
			if byteCount += telegram.Bytes; telegram.OK && len(telegram.Values) > 0 {
				decoded++
			}
		}
		if decoded != 3 || byteCount != len(sent) {
			t.Errorf("%s: got %d telegrams with values and %d bytes, want 3 and %d", f.Name, decoded, byteCount, len(sent))
		}
	}
}
