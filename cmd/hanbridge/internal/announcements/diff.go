package announcements

import (
	"context"
	"fmt"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/discovery"
)

// Diff compares the announcements that the broker retains with the announcements that a bridge with this configuration publishes. It compares
// them for the meter that flags or files name. If neither names a meter, it compares them for all configured meters.
func Diff(ctx context.Context, p *cli.Program, from *MeterFlags, files []string) error {
	setup, err := Load(p, from.Config, "")
	if err != nil {
		return err
	}
	observed, err := from.Observe("discovery diff", setup, files)
	if err == nil {
		err = setup.RequireBroker()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	retained, err := ReadRetained(ctx, setup)
	if err != nil && IsIncomplete(err) {
		err = fmt.Errorf("%w: the differences are not known", err)
	}
	if err != nil {
		return cli.DataError(err)
	}
	return Compare(p, setup, retained, observed)
}

// Compare prints the differences between the retained announcements and the announcements of the observed meter. If observed is nil, it takes
// the configured meters as the retained messages describe them. It returns cli.ErrPrinted if there is a difference.
func Compare(p *cli.Program, setup *daemon.Setup, retained Retained, observed *Observation) error {
	output := setup.MQTTOutput()
	meters := RetainedMeters(setup, retained)
	if observed != nil {
		meters = []discovery.Meter{observed.Meter}
	}
	ids := []string{config.BridgeID}
	for _, m := range meters {
		ids = append(ids, m.ID)
	}
	announced := announcementsOf(retained.Announced, ids, output.BaseTopic, observed == nil)
	differences := discovery.Differences(announced, announcementsFor(output.Discovery(), meters))
	for _, d := range differences {
		fmt.Fprintln(safetext.LineWriter{W: p.Out}, d)
	}
	count := len(differences)
	for _, m := range meters {
		if len(m.Quantities) == 0 && output.Style != discovery.Off {
			count++
			fmt.Fprintf(p.Out, "%s: the broker retains no values and no announcement of this meter (is the bridge running, and has the meter sent a telegram?)\n", m.ID)
		}
	}
	if count == 0 {
		fmt.Fprintf(p.Out, "no difference: %s retains what this configuration announces\n", output.URL)
		return nil
	}
	fmt.Fprintf(p.Out, "%s between what %s retains and what this configuration announces: hanbridge run corrects the announcements when it starts. To remove what remains then, type hanbridge discovery clear --all\n",
		cli.Count(count, "difference"), output.URL)
	return cli.ErrPrinted
}

// announcementsFor returns the announcements of the bridge and of its meters. A meter without quantities is not announced.
func announcementsFor(c discovery.Config, meters []discovery.Meter) []discovery.Message {
	all := c.Bridge()
	for _, m := range meters {
		if len(m.Quantities) > 0 {
			all = append(all, c.Meter(m)...)
		}
	}
	return all
}
