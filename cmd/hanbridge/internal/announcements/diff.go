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

// Diff compares what the broker holds with what would be announced of the meter that is seen, or, where none is, of all that the broker
// knows.
func Diff(ctx context.Context, p *cli.Program, from *MeterFlags, files []string) error {
	w, err := Load(p, from.Config, "")
	if err != nil {
		return err
	}
	seen, err := from.Observe("discovery diff", w, files)
	if err == nil {
		err = w.RequireBroker()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	kept, err := ReadRetained(ctx, w)
	if err != nil && IsIncomplete(err) {
		err = fmt.Errorf("%w: what differs cannot be told", err)
	}
	if err != nil {
		return cli.DataError(err)
	}
	return Compare(p, w, kept, seen)
}

// Compare prints how what is kept differs from what would be announced of the meter that was seen, or, where that is nil, of all that are
// known from it.
func Compare(p *cli.Program, w *daemon.Setup, kept Retained, seen *Observation) error {
	to := w.MQTTOutput()
	meters := RetainedMeters(w, kept)
	if seen != nil {
		meters = []discovery.Meter{seen.Meter}
	}
	ids := []string{config.BridgeID}
	for _, m := range meters {
		ids = append(ids, m.ID)
	}
	held := announcementsOf(kept.Announced, ids, to.BaseTopic, seen == nil)
	all := discovery.Differences(held, wanted(to.Discovery(), meters))
	for _, d := range all {
		fmt.Fprintln(safetext.LineWriter{W: p.Out}, d)
	}
	found := len(all)
	for _, m := range meters {
		if len(m.Quantities) == 0 && to.Style != discovery.Off {
			found++
			fmt.Fprintf(p.Out, "%s: the broker holds neither values of it nor an announcement (does the bridge run, and has the meter spoken?)\n", m.ID)
		}
	}
	if found == 0 {
		fmt.Fprintf(p.Out, "no difference: %s holds what this configuration announces\n", to.URL)
		return nil
	}
	fmt.Fprintf(p.Out, "%s between what %s holds and what this configuration announces: hanbridge run sets it right when it starts; what is left then, discovery clear --all takes back\n",
		cli.Count(found, "difference"), to.URL)
	return cli.ErrPrinted
}

// wanted is what would be announced. A meter that has sent nothing is not.
func wanted(c discovery.Config, meters []discovery.Meter) []discovery.Message {
	all := c.Bridge()
	for _, m := range meters {
		if len(m.Quantities) > 0 {
			all = append(all, c.Meter(m)...)
		}
	}
	return all
}
