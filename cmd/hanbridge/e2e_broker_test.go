//go:build linux

package main_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A mosquitto is a real broker on loopback that keeps nothing over a restart.
type mosquitto struct {
	t       *testing.T
	port    string
	config  string // its file
	process *process
}

// newMosquitto chooses a port and does not start yet. more are lines of configuration; without any everybody is let in.
func newMosquitto(t *testing.T, more ...string) *mosquitto {
	t.Helper()
	if len(more) == 0 {
		more = []string{"allow_anonymous true"}
	}
	m := &mosquitto{t: t, port: freePort(t), config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	// Started by root it would turn into a user who may not read the test's files.
	lines := append([]string{"user root", "listener " + m.port + " 127.0.0.1", "persistence false", "set_tcp_nodelay true"}, more...)
	if err := os.WriteFile(m.config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

func startedMosquitto(t *testing.T, more ...string) *mosquitto {
	t.Helper()
	m := newMosquitto(t, more...)
	m.start()
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.process = launch(m.t, nil, "mosquitto", "-c", m.config)
	if err := awaitListener(m.t, "127.0.0.1:"+m.port); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mosquitto) url() string { return "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + m.port }

// say publishes.
func (m *mosquitto) say(topic, payload string, flags ...string) {
	m.t.Helper()
	args := append([]string{"-h", "127.0.0.1", "-p", m.port, "-t", topic, "-m", payload}, flags...)
	if out, err := exec.CommandContext(m.t.Context(), "mosquitto_pub", args...).CombinedOutput(); err != nil {
		m.t.Fatalf("mosquitto_pub: %v\n%s", err, out)
	}
}

// kept is what the broker retains, by topic.
func (m *mosquitto) kept() map[string]string {
	m.t.Helper()
	sub := exec.CommandContext(m.t.Context(), "mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-t", "#",
		"--retained-only", "-F", "%t %p", "-W", "1")
	out, err := sub.Output()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 27) { // 27: the time that -W gave is over
		m.t.Fatalf("mosquitto_sub: %v", err)
	}
	kept := map[string]string{}
	for line := range strings.Lines(string(out)) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		kept[topic] = payload
	}
	return kept
}

// A listener is a mosquitto_sub of everything.
type listener struct {
	*process
	from int // bytes of what was said that are over
}

const marker = "listener/ready"

// listens starts to listen, and returns when whatever is published will be heard.
func (m *mosquitto) listens() *listener {
	m.t.Helper()
	m.say(marker, "yes", "-r")
	l := &listener{process: launch(m.t, nil, "mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-t", "#", "-F", "%t %p")}
	l.awaits(5*time.Second, marker+" yes\n")
	return l
}

// forget passes over all that was heard so far.
func (l *listener) forget() { l.from = len(l.said()) }

// heard is the last payload of each topic.
func (l *listener) heard() map[string]string {
	heard := map[string]string{}
	text := l.said()[l.from:]
	for line := range strings.Lines(text[:strings.LastIndex(text, "\n")+1]) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		heard[topic] = payload
	}
	delete(heard, marker)
	return heard
}

// hears waits for a topic; with a payload for this one. It returns the payload.
func (l *listener) hears(within time.Duration, topic string, payload ...string) string {
	l.t.Helper()
	var got string
	until(l.t, within, "heard: "+topic+" "+strings.Join(payload, ""), func() bool {
		var ok bool
		got, ok = l.heard()[topic]
		return ok && (len(payload) == 0 || got == payload[0])
	})
	return got
}

// hearsAll waits until each of topics was heard.
func (l *listener) hearsAll(within time.Duration, topics map[string]string) {
	l.t.Helper()
	missing := maps.Clone(topics)
	until(l.t, within, "all topics are heard again", func() bool {
		for topic := range l.heard() {
			delete(missing, topic)
		}
		return len(missing) == 0
	})
}
