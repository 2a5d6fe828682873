package doctor

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// tryBroker looks at the broker that is configured, and at no other.
func (d *examination) tryBroker(ctx context.Context) *verdict {
	w := daemon.Setup{Config: d.cfg, Logger: zerolog.Nop()}
	switch d.cfg.MQTT.URL {
	case "":
		d.say("broker", "none is set, none was tried")
		return nil
	case config.Embedded:
		d.report.Broker = &brokerReport{URL: config.Embedded}
		d.say("broker", "the one inside, which starts with hanbridge run")
		return nil
	}
	to := w.MQTTOutput()
	d.progress("trying %s …", to.URL)
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	b := brokerReport{URL: to.URL, HubTopic: to.StatusTopic}
	d.report.Broker = &b
	found, err := d.check(ctx, to)
	if err != nil {
		b.Error = err.Error()
		d.say("broker", to.URL+": not usable")
		return &verdict{codeBroker, "the meter is well, the broker is not: " + err.Error()}
	}
	b.Good = true
	text := "no hub has announced itself on " + b.HubTopic + " (it need not)"
	switch b.Hub, err = d.hub(ctx, to); {
	case b.Hub:
		text = "a hub announced itself on " + b.HubTopic
	case err != nil:
		text = "whether a hub has announced itself on " + b.HubTopic + " could not be asked: " + err.Error()
	}
	d.say("broker", to.URL+": "+usable(found)+"; "+text)
	for _, w := range found.Warnings {
		d.say("", w)
	}
	return nil
}
