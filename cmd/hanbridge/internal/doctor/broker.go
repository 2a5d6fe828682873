package doctor

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// examineBroker checks the configured broker, and whether a hub has announced itself there.
func (d *examination) examineBroker(ctx context.Context) *verdict {
	setup := daemon.Setup{Config: d.cfg, Logger: zerolog.Nop()}
	switch d.cfg.MQTT.URL {
	case "":
		d.printLine("broker", "none is set, none was tried")
		return nil
	case config.Embedded:
		d.report.Broker = &brokerReport{URL: config.Embedded}
		d.printLine("broker", "the one inside, which starts with hanbridge run")
		return nil
	}
	to := setup.MQTTOutput()
	d.progress("trying %s …", to.URL)
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	b := brokerReport{URL: to.URL, HubTopic: to.StatusTopic}
	d.report.Broker = &b
	checked, err := d.checkBroker(ctx, to)
	if err != nil {
		b.Error = err.Error()
		d.printLine("broker", to.URL+": not usable")
		return &verdict{codeBroker, "the meter is well, the broker is not: " + err.Error()}
	}
	b.Good = true
	text := "no hub has announced itself on " + b.HubTopic + " (it need not)"
	switch b.Hub, err = d.askHub(ctx, to); {
	case b.Hub:
		text = "a hub announced itself on " + b.HubTopic
	case err != nil:
		text = "whether a hub has announced itself on " + b.HubTopic + " could not be asked: " + err.Error()
	}
	d.printLine("broker", to.URL+": "+usable(checked)+"; "+text)
	for _, w := range checked.Warnings {
		d.printLine("", w)
	}
	return nil
}
