package doctor

import (
	"encoding/json"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// The object that doctor --json prints. The names of its members must not change. Parts that the examination did not reach are left out.
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
		Config  string        `json:"config,omitempty"`  // the configuration to use, without its secrets
		Written string        `json:"written,omitempty"` // the file to which Config was written, with its secrets
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
		Checked  bool           `json:"checked"`            // the telegrams have a right checksum or a valid authentication tag
		After    int64          `json:"after_ms,omitempty"` // from opening the port to the first telegram
		Damaged  int            `json:"damaged,omitempty"`
		Telnet   bool           `json:"telnet,omitempty"`
		Tried    []triedLine    `json:"tried,omitempty"`
	}
	// triedLine is a line setting at which the examination has listened.
	triedLine struct {
		Port     string `json:"port"`
		Setting  string `json:"setting,omitempty"`
		Bytes    int64  `json:"bytes"`
		Evidence string `json:"evidence"` // what the bytes look like: the text of a line.Verdict
	}
	meterReport struct {
		Make     string `json:"make"`
		Model    string `json:"model"`
		List     string `json:"list"`
		Items    int    `json:"items"`
		Interval int64  `json:"interval_ms"` // 0 if not known
		Number   string `json:"number"`      // the last digits of the serial number; "" if the meter sends none
		Clock    *int64 `json:"clock_ahead_s,omitempty"`
	}
	cipherReport struct {
		Encrypted bool   `json:"encrypted"`
		Security  string `json:"security,omitempty"`
		Maker     string `json:"maker,omitempty"`
		Key       string `json:"key,omitempty"` // fits, missing, wrong, or wrong-auth if only the authentication key does not fit
	}
	brokerReport struct {
		URL      string `json:"url"`
		Good     bool   `json:"good"` // the bridge can work with the broker
		Error    string `json:"error,omitempty"`
		HubTopic string `json:"hub_topic,omitempty"`
		Hub      bool   `json:"hub"` // a hub has announced itself on HubTopic
	}
	// A verdict says what is wrong, and who can correct it. Text is for people, Code for programs.
	verdict struct {
		Code string `json:"code"`
		Text string `json:"text"`
	}
)

// printJSON prints the report as one line of JSON.
func printJSON(p *cli.Program, r doctorReport) error {
	e := json.NewEncoder(safetext.JSONWriter{W: p.Out})
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
