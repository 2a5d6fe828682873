package doctor

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// examineBroker reports whether the bridge can work with the configured broker, and whether a hub has announced itself there.
func (d *examination) examineBroker(ctx context.Context) *verdict {
	setup := daemon.Setup{Config: d.cfg, Logger: zerolog.Nop()}
	switch d.cfg.MQTT.URL {
	case "":
		d.printLine("broker", "none is configured")
		return nil
	case config.Embedded:
		d.report.Broker = &brokerReport{URL: config.Embedded}
		d.printLine("broker", "the embedded broker, which hanbridge run starts")
		return nil
	}
	output := setup.MQTTOutput()
	d.progress("trying %s …", output.URL)
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	b := brokerReport{URL: output.URL, HubTopic: output.StatusTopic}
	d.report.Broker = &b
	result, err := d.tryBroker(ctx, output)
	if err != nil {
		b.Error = err.Error()
		d.printLine("broker", output.URL+": not usable")
		return &verdict{codeBroker, "the meter is well, the broker is not: " + err.Error()}
	}
	b.Good = true
	text := "no hub has announced itself on " + b.HubTopic + " (a hub is not necessary)"
	switch b.Hub, err = d.hubOnline(ctx, output); {
	case b.Hub:
		text = "a hub announced itself on " + b.HubTopic
	case err != nil:
		text = "it is not known whether a hub has announced itself on " + b.HubTopic + ": " + err.Error()
	}
	d.printLine("broker", output.URL+": "+permissions(result)+"; "+text)
	for _, w := range result.Warnings {
		d.printLine("", w)
	}
	return nil
}
