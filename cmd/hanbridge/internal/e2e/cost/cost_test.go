//go:build linux

// Package cost_test measures latency, CPU time, memory and throughput of the whole program.
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

// The benchmarks in this file run a program that is built as for a release. The serial port is a pseudo-terminal, and the broker is a Mosquitto.
// The meter sends one telegram a second. One iteration is one telegram. In the benchmarks "start", one iteration is one start of the program. The
// command to run the benchmarks is:
//
//	go test ./cmd/hanbridge/internal/e2e/cost -run '^$' -bench 'Latency|Cost' -benchtime 60x

// nodelay is the line that deploy/compose.yaml adds to Mosquitto's configuration. With it Mosquitto sends small packets without a
// delay.
const nodelay = "set_tcp_nodelay true"

// serialSpeed is the speed of a serial port at 115200 8N1, in bytes a second.
const serialSpeed = 11520

// BenchmarkLatency measures the time from the last byte of a telegram at the port until a subscriber receives the first and the last message of the
// telegram. In a benchmark named "wire" the bytes arrive at the speed of a serial port, in the chunks of a USB adapter. In "whole" all bytes arrive
// in one write. In "default" Mosquitto has its default configuration.
func BenchmarkLatency(b *testing.B) {
	program, reference := releaseProgram(b), buildReference(b)
	cases := []struct {
		name, brokerLine, family string
		speed                    int // as in measurement
	}{
		{"nodelay/p1-se-aidon/wire", nodelay, "p1-se-aidon", serialSpeed},
		{"nodelay/p1-se-aidon/whole", nodelay, "p1-se-aidon", 0},
		{"nodelay/aidon-se/wire", nodelay, "aidon-se", serialSpeed},
		{"default/p1-se-aidon/wire", "", "p1-se-aidon", serialSpeed},
		{"default/p1-se-aidon/whole", "", "p1-se-aidon", 0},
		{"default/aidon-se/wire", "", "aidon-se", serialSpeed},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			m := newMeasurement(b, program, c.brokerLine, c.family, c.speed)
			startReference(b, reference, m.address)
			received := subscribe(b, m.address, "reference/meter/telegram")
			var firstTimes, lastTimes, referenceTimes []time.Duration
			for b.Loop() {
				first, last := m.measureTelegram()
				referenceTimes = append(referenceTimes, referenceTime(b, received))
				firstTimes, lastTimes = append(firstTimes, first), append(lastTimes, last)
			}
			reportTimes(b, "first", firstTimes)
			reportTimes(b, "last", lastTimes)
			reportRatio(b, lastTimes, referenceTimes)
		})
	}
}

// BenchmarkCost measures CPU time and memory for one meter that sends a telegram each second.
func BenchmarkCost(b *testing.B) {
	program, reference := releaseProgram(b), buildReference(b)
	b.Run("run", func(b *testing.B) {
		m := newMeasurement(b, program, nodelay, "p1-se-aidon", serialSpeed)
		pid := m.bridge.Cmd.Process.Pid
		other := startReference(b, reference, m.address).Cmd.Process.Pid
		next(b, subscribe(b, m.address, "reference/meter/telegram"))
		cpuBefore, otherBefore, started := cpuTime(b, pid), cpuTime(b, other), time.Now()
		for b.Loop() {
			m.measureTelegram()
		}
		cpu, otherCPU, took := cpuTime(b, pid)-cpuBefore, cpuTime(b, other)-otherBefore, time.Since(started)
		b.ReportMetric(milliseconds(otherCPU)/float64(b.N), "reference-cpu-ms/op")
		b.ReportMetric(float64(cpu)/float64(max(otherCPU, 10*time.Millisecond)), "cpu-ratio") // cpuTime counts steps of 10 ms
		b.ReportMetric(memory(b, other, "VmRSS"), "reference-rss-MiB")
		b.ReportMetric(memory(b, pid, "VmRSS")/memory(b, other, "VmRSS"), "rss-ratio")
		b.ReportMetric(milliseconds(cpu)/float64(b.N), "cpu-ms/op")
		b.ReportMetric(100*cpu.Seconds()/took.Seconds(), "%core")
		b.ReportMetric(memory(b, pid, "VmRSS"), "rss-MiB")
		b.ReportMetric(memory(b, pid, "VmHWM"), "peak-MiB")
		b.ReportMetric(binarySize(b, program), "binary-MiB")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("start/nodelay", func(b *testing.B) { measureStart(b, program, reference, nodelay) })
	b.Run("start/default", func(b *testing.B) { measureStart(b, program, reference, "") })
	b.Run("start/no-state", func(b *testing.B) { measureStart(b, program, reference, nodelay, "HANBRIDGE_STATE_DIR=state") }) // an empty folder for each start
}

// measureStart measures the time from the start of the program until a subscriber receives the status online. An earlier run has announced the
// meter, so the broker retains announcements and values. The runs have the same state folder, unless env sets another.
func measureStart(b *testing.B, program, reference, brokerLine string, env ...string) {
	env = append([]string{"HANBRIDGE_STATE_DIR=" + b.TempDir()}, env...)
	m := newMeasurement(b, program, brokerLine, "p1-se-aidon", 0, env...)
	received := subscribe(b, m.address, "hanbridge/status")
	stop := func() {
		m.bridge.Signal(syscall.SIGTERM)
		await(b, received, "offline")
		m.bridge.RequireSuccess()
	}
	stop()
	other := subscribe(b, m.address, "reference/status")
	var times, referenceTimes, versionTimes []time.Duration
	for b.Loop() {
		started := time.Now()
		process := startReference(b, reference, m.address)
		referenceTimes = append(referenceTimes, await(b, other, "online").at.Sub(started))
		process.Kill()
		started = time.Now()
		testbed.Launch(b, nil, program, "version").RequireSuccess()
		versionTimes = append(versionTimes, time.Since(started))
		started = time.Now()
		m.start()
		times = append(times, await(b, received, "online").at.Sub(started))
		stop()
	}
	reportTimes(b, "online", times)
	reportTimes(b, "version", versionTimes)
	reportRatio(b, times, referenceTimes)
}

// await returns the next message with the payload, and discards the messages before it.
func await(b *testing.B, received <-chan message, payload string) message {
	b.Helper()
	for {
		if m := next(b, received); m.payload == payload {
			return m
		}
	}
}

// reportTimes reports the median and the 99th percentile of times, in ms.
func reportTimes(b *testing.B, what string, times []time.Duration) {
	slices.Sort(times)
	n := len(times)
	b.ReportMetric(milliseconds(times[(n-1)/2]), what+"-p50-ms")
	b.ReportMetric(milliseconds(times[(99*n+99)/100-1]), what+"-p99-ms") // 99 % of n, rounded up
	b.ReportMetric(0, "ns/op")                                           // hides ns/op, which would only be the interval of the telegrams
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// binarySize returns the size of the program's file, in MiB.
func binarySize(b *testing.B, program string) float64 {
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

// number parses a decimal number in a file below /proc.
func number(b *testing.B, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
