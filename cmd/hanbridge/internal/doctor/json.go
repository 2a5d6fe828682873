package doctor

import (
	"encoding/json"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// The object of `doctor --json`. Its names are a promise. What was not reached is left out.
type (
	doctorReport struct {
		OK      bool          `json:"ok"`
		Port    portReport    `json:"port"`
		Line    lineReport    `json:"line"`
		Meter   *meterReport  `json:"meter,omitempty"`
		Values  []string      `json:"values,omitempty"`
		Cipher  *cipherReport `json:"cipher,omitempty"`
		Broker  *brokerReport `json:"broker,omitempty"`
		Verdict verdict       `json:"verdict"`
		// Config is the configuration to use, without its secrets; Written is the file that it was written to.
		Config  string `json:"config,omitempty"`
		Written string `json:"written,omitempty"`
	}
	portReport struct {
		Name    string        `json:"name"`
		Skipped []skippedPort `json:"skipped,omitempty"`
	}
	skippedPort struct {
		Name   string `json:"name"`
		Reason string `json:"reason"`
	}
	lineReport struct {
		Setting  string         `json:"setting,omitempty"`
		Protocol meter.Protocol `json:"protocol,omitempty"`
		Bytes    int            `json:"bytes,omitempty"`
		Checked  bool           `json:"checked"`
		After    int64          `json:"after_ms,omitempty"`
		Damaged  int            `json:"damaged,omitempty"`
		Telnet   bool           `json:"telnet,omitempty"`
		Tried    []triedLine    `json:"tried,omitempty"`
	}
	// triedLine is a setting that was listened to. Evidence is what its raw bytes look like, in one word.
	triedLine struct {
		Port     string `json:"port"`
		Setting  string `json:"setting,omitempty"`
		Bytes    int64  `json:"bytes"`
		Evidence string `json:"evidence"`
	}
	meterReport struct {
		Make  string `json:"make"`
		Model string `json:"model"`
		List  string `json:"list"`
		Items int    `json:"items"`
		// Interval is 0 where it is not known; Clock is left out there.
		Interval int64 `json:"interval_ms"`
		// Number is the end of the meter's number, "" where it sends none.
		Number string `json:"number"`
		Clock  *int64 `json:"clock_ahead_s,omitempty"`
	}
	cipherReport struct {
		Encrypted bool   `json:"encrypted"`
		Security  string `json:"security,omitempty"`
		Maker     string `json:"maker,omitempty"`
		// Key is fits, missing, wrong or, where only the authentication key does not fit, wrong-auth.
		Key string `json:"key,omitempty"`
	}
	// brokerReport: Good is connected, may publish, may retain.
	brokerReport struct {
		URL      string `json:"url"`
		Good     bool   `json:"good"`
		Error    string `json:"error,omitempty"`
		HubTopic string `json:"hub_topic,omitempty"`
		Hub      bool   `json:"hub"`
	}
)

func printJSON(p *cli.Program, r doctorReport) error {
	e := json.NewEncoder(safetext.JSON{W: p.Out})
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
