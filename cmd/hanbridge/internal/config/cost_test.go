//go:build unix

package config

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConfigCost tests that the CPU time to read wrong and large configurations grows linearly with their size. Four times the bytes must not
// take more than eleven times the CPU time. Linear growth would take four times the CPU time, quadratic growth sixteen times. A measurement is
// repeated up to nine times, because other programs disturb it.
func TestConfigCost(t *testing.T) {
	// repeat and numbered return a function that returns a text of about n bytes. The text is head, many items, and tail. numbered
	// formats each item with its number. itemSize is the length of a formatted item.
	repeat := func(head, item, tail string) func(int) string {
		return func(n int) string { return head + strings.Repeat(item, n/len(item)) + tail }
	}
	numbered := func(head, item, tail string, itemSize int) func(int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(head)
			for i := range n / itemSize {
				fmt.Fprintf(&b, item, i)
			}
			return b.String() + tail
		}
	}
	for name, text := range map[string]func(n int) string{
		"an open quote":                            repeat("mqtt:\n  url: \"mqtt://a\n", "a\n", ""),
		"an open quote, and blank lines":           repeat("mqtt:\n  url: 'mqtt://a\n", "\n", ""),
		"an open bracket":                          repeat("log:\n  level: [\n", "  info,\n", ""),
		"an open brace":                            repeat("log: {\n", "a: 1,\n", ""),
		"a line with a wrong indent":               repeat("log:\n", "  a: 1\n", " b: 1\n"),
		"an alias without an anchor":               repeat("log:\n", "  a: 1\n", "  b: *c\n"),
		"one long line":                            repeat("log: { level: \"", "a", " b: c"),
		"a long key":                               repeat("", "a", ": 1\n"),
		"unknown keys":                             numbered("", "key%d: 1\n", "", 12),
		"one key many times":                       repeat("", "log:\n", ""),
		"deep brackets":                            repeat("log: ", "[", ""),
		"deep braces":                              repeat("", "{a: ", ""),
		"meters with one id and one port":          repeat("meters:\n", "- {port: /dev/a}\n", ""),
		"valid meters":                             numbered("meters:\n", "- {id: m%d, port: /dev/m%[1]d}\n", "", 30),
		"meters whose ids begin alike":             numbered("meters:\n- {id: m, port: /dev/m}\n", "- {id: m_%d, port: /dev/m%[1]d}\n", "", 32),
		"meters with port auto":                    numbered("meters:\n", "- {id: m%d}\n", "", 12),
		"meters by alias":                          repeat("log: &a {a: 1, b: 2, c: 3, d: 4}\nmeters: [", "*a,", "]\n"),
		"unknown quantities":                       numbered("quantities:\n", "  q%d: {min_interval: 1s}\n", "", 26),
		"factors of unknown quantities":            numbered("meters:\n- scale:\n", "    q%d: 1\n", "", 12),
		"one factor many times":                    repeat("meters:\n- scale:\n", "    gas: 1\n", ""),
		"many quantities of many meters, by alias": repeat("meters:\n- {id: a, scale: &a {gas: 1, water: 2, import_energy: 3}}\n", "- {scale: *a}\n", ""),
		"blank lines and comments after an error":  repeat("log:\n  level: \"info\n", "# x\n\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			const n = 16 << 10
			shortFile, longFile := writeTemp(t, text(n)), writeTemp(t, text(4*n))
			var short, long time.Duration
			for range 10 {
				short, long = loadCPUTime(t, shortFile), loadCPUTime(t, longFile)
				if long <= 11*max(short, 2*time.Millisecond) { // shorter times cannot be measured exactly
					return
				}
			}
			t.Errorf("%d bytes took %v, and %d bytes took %v, in the last of ten measurements", n, short, 4*n, long)
		})
	}
}

// loadCPUTime returns the CPU time to read a configuration once.
func loadCPUTime(t *testing.T, file string) time.Duration {
	t.Helper()
	start := cpuTime(t)
	if _, err := Load(file, nil); err != nil {
		_ = err.Error()
	}
	return cpuTime(t) - start
}

// cpuTime returns the CPU time that this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
