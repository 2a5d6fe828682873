//go:build linux

package cost_test

import (
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// fleetSize is the number of meters in the benchmark of a fleet.
const fleetSize = 1000

// startPhase is the time after the start of the program that is measured apart.
const startPhase = 10 * time.Second

// BenchmarkFleet measures a bridge with 1,000 meters in the network and the default settings. All meters are reachable when the program starts, and
// each sends a telegram every second. In "spread" the telegrams arrive evenly over each second. In "same moment" all arrive at the beginning of the
// second. One iteration is one second. The command to run the benchmark is:
//
//	go test ./cmd/hanbridge/internal/e2e/cost -run '^$' -bench Fleet -benchtime 60x
//
// With -args -program FILE at its end, the command measures another program. The benchmark reports these metrics:
//   - lost-start is the number of telegrams that were sent in the first ten seconds of the program and did not reach the subscriber. lost is the
//     number of such telegrams afterwards. misplaced is the number of telegrams that arrived twice or in the wrong order. If a telegram is lost at
//     the end, the subscriber waits 15 s for it.
//   - warnings is the number of log lines with the level warn or above.
//   - online-s is the time from the start of the program until all meters are online.
//   - start-cpu-s is the CPU time of the first ten seconds. %core is the CPU time afterwards, in percent of the time.
//   - rss-kB/meter is the resident memory of the program for each meter, without the memory of a program that reads one meter.
//   - peak-MiB is the highest resident memory.
func BenchmarkFleet(b *testing.B) {
	const wantFiles = 3 * fleetSize
	var files syscall.Rlimit // Go raises the limit to the highest possible one when the benchmark starts
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < wantFiles {
		b.Fatalf("this process can open %d files (error %v), and needs %d: raise the limit (ulimit -n)", files.Cur, err, wantFiles)
	}
	program := releaseProgram(b)
	for _, c := range []struct {
		name   string
		spread time.Duration // the time over which the telegrams of a second are spread
	}{
		{"spread", time.Second},
		{"same moment", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			one := startFleet(b, program, 1, c.spread)
			rssOfOne := memory(b, one.pid, "VmRSS")
			one.end()
			run := startFleet(b, program, fleetSize, c.spread)
			cpuBefore, started := cpuTime(b, run.pid), time.Now()
			for b.Loop() {
				<-time.After(time.Second)
			}
			b.ReportMetric(100*(cpuTime(b, run.pid)-cpuBefore).Seconds()/time.Since(started).Seconds(), "%core")
			b.ReportMetric((memory(b, run.pid, "VmRSS")-rssOfOne)*1024/(fleetSize-1), "rss-kB/meter")
			b.ReportMetric(memory(b, run.pid, "VmHWM"), "peak-MiB")
			run.end()
			run.report()
		})
	}
}

// A fleetRun is a bridge that reads a fleet.
type fleetRun struct {
	b        *testing.B
	fleet    *fleet
	broker   *testbed.Mosquitto
	counter  *telegramCounter
	process  *testbed.Process
	pid      int
	started  time.Time
	startCPU time.Duration // the CPU time of the startPhase
	log      string        // what the program logged while the meters sent telegrams
}

// startFleet starts a bridge with n meters. It returns when the startPhase has passed and all meters are online.
func startFleet(b *testing.B, program string, n int, spread time.Duration) *fleetRun {
	b.Helper()
	r := &fleetRun{b: b, fleet: newFleet(b, n, spread), broker: fleetBroker(b)}
	r.counter = countTelegrams(b, r.broker.Address(), n)
	config := r.fleet.writeConfig()
	r.started = time.Now()
	r.process = testbed.Launch(b, []string{r.broker.URLVariable(), "HANBRIDGE_LOG_FORMAT=json"}, program, "run", "--config", config)
	r.pid = r.process.Cmd.Process.Pid
	<-time.After(startPhase)
	r.startCPU = cpuTime(b, r.pid)
	r.process.AwaitOutput("hanbridge starts") // fails if the program has ended
	testbed.Until(b, "all meters are online", func() bool { return !r.counter.onlineSince().IsZero() })
	return r
}

// end stops the meters, waits until the subscriber has received the last telegrams, and ends the program and the broker.
func (r *fleetRun) end() {
	r.b.Helper()
	r.log = r.process.Output() // before the program reports that the meters are silent
	r.fleet.stop()
	const quiet = 15 * time.Second // the time without a telegram after which no further telegram is expected
	testbed.Until(r.b, "the last telegram", func() bool {
		received, newest := r.counter.progress()
		return received >= r.fleet.sentTotal() || time.Since(newest) > quiet
	})
	r.process.Kill()
	r.broker.Process.Kill()
	if n := r.counter.dropped; n != "0" {
		r.b.Fatalf("the broker reports that it dropped messages (%q), so nothing can be said about the bridge", n)
	}
}

// warning matches a log line with the level warn or above. Its group is the message.
var warning = regexp.MustCompile(`"level":"(?:warn|error|fatal|panic)".*"message":"([^"]*)"`)

// report reports the metrics of the telegrams, the log and the start, and prints how often each warning was logged.
func (r *fleetRun) report() {
	startLost, lost := r.counter.lost(r.fleet, r.started.Add(startPhase))
	lines := map[string]int{}
	warnings := warning.FindAllStringSubmatch(r.log, -1)
	for _, w := range warnings {
		lines[w[1]]++
	}
	for message, n := range lines {
		r.b.Logf("%d × %s", n, message)
	}
	r.b.ReportMetric(float64(startLost), "lost-start")
	r.b.ReportMetric(float64(lost), "lost")
	r.b.ReportMetric(float64(r.counter.misplaced), "misplaced")
	r.b.ReportMetric(float64(len(warnings)), "warnings")
	r.b.ReportMetric(r.counter.onlineSince().Sub(r.started).Seconds(), "online-s")
	r.b.ReportMetric(r.startCPU.Seconds(), "start-cpu-s")
	r.b.ReportMetric(0, "ns/op")
}
