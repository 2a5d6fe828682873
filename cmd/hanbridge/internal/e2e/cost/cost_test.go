//go:build linux

// Package cost_test measures the whole program as its users run it.
package cost_test

import (
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// The benchmarks in this file measure the whole program as its users run it: built as for a release, with a pseudo-terminal as
// its serial port, a real Mosquitto as its broker and one telegram a second. One iteration is one telegram:
//
//	go test ./cmd/hanbridge/internal/e2e/cost -run '^$' -bench 'Latency|Cost' -benchtime 60x

// nodelay is a line of Mosquitto's configuration that deploy/compose.yaml has too.
const nodelay = "set_tcp_nodelay true"

// wireSpeed is how many bytes arrive in a second at 115200 8N1.
const wireSpeed = 11520

// BenchmarkLatency measures from the last byte on the port to the first and to the last message of its telegram at a
// subscriber. The bytes come as a USB adapter hands them over, or in one piece.
func BenchmarkLatency(b *testing.B) {
	program := releaseProgram(b)
	cases := []struct {
		name, broker, family string
		speed                int
	}{
		{"nodelay/p1-se-aidon/wire", nodelay, "p1-se-aidon", wireSpeed},
		{"nodelay/p1-se-aidon/whole", nodelay, "p1-se-aidon", 0},
		{"nodelay/aidon-se/wire", nodelay, "aidon-se", wireSpeed},
		{"default/p1-se-aidon/wire", "", "p1-se-aidon", wireSpeed},
		{"default/p1-se-aidon/whole", "", "p1-se-aidon", 0},
		{"default/aidon-se/wire", "", "aidon-se", wireSpeed},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, program, c.broker, c.family, c.speed)
			var first, last []time.Duration
			for b.Loop() {
				f, l := r.telegram()
				first, last = append(first, f), append(last, l)
			}
			reportTimes(b, "first", first)
			reportTimes(b, "last", last)
		})
	}
}

// BenchmarkCost measures CPU time and memory for one meter that sends a telegram each second.
func BenchmarkCost(b *testing.B) {
	program := releaseProgram(b)
	b.Run("run", func(b *testing.B) {
		r := newRig(b, program, nodelay, "p1-se-aidon", wireSpeed)
		before, started := r.cpu(), time.Now()
		for b.Loop() {
			r.telegram()
		}
		cpu, took := r.cpu()-before, time.Since(started)
		b.ReportMetric(milliseconds(cpu)/float64(b.N), "cpu-ms/op")
		b.ReportMetric(100*cpu.Seconds()/took.Seconds(), "%core")
		b.ReportMetric(r.memory("VmRSS"), "rss-MiB")
		b.ReportMetric(r.memory("VmHWM"), "peak-MiB")
		b.ReportMetric(binarySize(b, program), "binary-MiB")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("start/nodelay", func(b *testing.B) { start(b, program, nodelay) })
	b.Run("start/default", func(b *testing.B) { start(b, program, "") })
}

// start measures the time from the start of the process until a subscriber receives its status online.
func start(b *testing.B, program, broker string) {
	address := startMosquitto(b, broker)
	received := subscribe(b, address, "hanbridge/status")
	_, port := openPTY(b)
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		p := startBridge(b, program, address, port.Name())
		times = append(times, await(b, received, "online").at.Sub(began))
		p.Signal(syscall.SIGTERM)
		await(b, received, "offline")
		p.RequireSuccess()
	}
	reportTimes(b, "online", times)
}

// await discards messages until one with the payload arrives.
func await(b *testing.B, received <-chan message, payload string) message {
	b.Helper()
	for {
		if m := next(b, received); m.payload == payload {
			return m
		}
	}
}

func reportTimes(b *testing.B, what string, times []time.Duration) {
	slices.Sort(times)
	n := len(times)
	b.ReportMetric(milliseconds(times[(n-1)/2]), what+"-p50-ms")
	b.ReportMetric(milliseconds(times[(99*n+99)/100-1]), what+"-p99-ms")
	b.ReportMetric(0, "ns/op") // it would be the pace
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func binarySize(b *testing.B, program string) float64 {
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

// number parses a number of the kernel.
func number(b *testing.B, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
