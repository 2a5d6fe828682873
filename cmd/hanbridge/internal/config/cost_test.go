//go:build unix

package config

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConfigCost reads wrong and large configurations of n and of 4n bytes. Its cost has to grow with the length: to four times
// as much, where the square would be sixteen times. What counts is the time that the processors work for it. Other programs
// disturb it: what seems too much is measured again, up to ten times.
func TestConfigCost(t *testing.T) {
	repeat := func(head, each, tail string) func(int) string {
		return func(n int) string { return head + strings.Repeat(each, n/len(each)) + tail }
	}
	numbered := func(head, each, tail string, long int) func(int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(head)
			for i := range n / long {
				fmt.Fprintf(&b, each, i)
			}
			return b.String() + tail
		}
	}
	for name, text := range map[string]func(n int) string{
		"a quote that is open":                      repeat("mqtt:\n  url: \"mqtt://a\n", "a\n", ""),
		"a quote that is open, in blank lines":      repeat("mqtt:\n  url: 'mqtt://a\n", "\n", ""),
		"a bracket that is open":                    repeat("log:\n  level: [\n", "  info,\n", ""),
		"a brace that is open":                      repeat("log: {\n", "a: 1,\n", ""),
		"a line that is indented wrongly":           repeat("log:\n", "  a: 1\n", " b: 1\n"),
		"an anchor that is none":                    repeat("log:\n", "  a: 1\n", "  b: *c\n"),
		"one long line":                             repeat("log: { level: \"", "a", " b: c"),
		"a key that is long":                        repeat("", "a", ": 1\n"),
		"keys that nobody knows":                    numbered("", "key%d: 1\n", "", 12),
		"a key many times":                          repeat("", "log:\n", ""),
		"deep brackets":                             repeat("log: ", "[", ""),
		"deep braces":                               repeat("", "{a: ", ""),
		"meters with one id and one port":           repeat("meters:\n", "- {port: /dev/a}\n", ""),
		"meters that are all right":                 numbered("meters:\n", "- {id: m%d, port: /dev/m%[1]d}\n", "", 30),
		"meters whose ids begin alike":              numbered("meters:\n- {id: m, port: /dev/m}\n", "- {id: m_%d, port: /dev/m%[1]d}\n", "", 32),
		"meters that look for a port":               numbered("meters:\n", "- {id: m%d}\n", "", 12),
		"meters by alias":                           repeat("log: &a {a: 1, b: 2, c: 3, d: 4}\nmeters: [", "*a,", "]\n"),
		"quantities that nobody knows":              numbered("quantities:\n", "  q%d: {min_interval: 1s}\n", "", 26),
		"factors of quantities that nobody knows":   numbered("meters:\n- scale:\n", "    q%d: 1\n", "", 12),
		"a factor many times":                       repeat("meters:\n- scale:\n", "    gas: 1\n", ""),
		"many quantities of many meters, by alias":  repeat("meters:\n- {id: a, scale: &a {gas: 1, water: 2, import_energy: 3}}\n", "- {scale: *a}\n", ""),
		"blank lines and comments behind a mistake": repeat("log:\n  level: \"info\n", "# x\n\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			const n = 6 << 10
			shortFile, longFile := written(t, text(n)), written(t, text(4*n))
			var short, long time.Duration
			for range 10 {
				short, long = costOf(t, shortFile), costOf(t, longFile)
				if long <= 11*max(short, 2*time.Millisecond) {
					return
				}
			}
			t.Errorf("%d bytes: %v, and %d: %v, and so ten times", n, short, 4*n, long)
		})
	}
}

// costOf returns the CPU time to read a configuration once.
func costOf(t *testing.T, file string) time.Duration {
	t.Helper()
	start := worked(t)
	if _, err := Load(file, nil); err != nil {
		_ = err.Error()
	}
	return worked(t) - start
}

// worked returns the CPU time that this process has used.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
