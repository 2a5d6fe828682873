package mqtt

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// Retained returns what the broker retains of meters: by the meter's id, then by the end of the topic, such as "import_power".
// A meter of which there is nothing is not in the map. With an *IncompleteError what was read is returned too.
func Retained(ctx context.Context, c Config, meters ...string) (map[string]map[string]string, error) {
	return retainedBelow(ctx, c, append([]string{}, meters...), c.valueFilter())
}

// retainedBelow returns what is retained under filters: by the level below the base topic, one of ids or any where these are nil, and what
// comes behind that.
func retainedBelow(ctx context.Context, c Config, ids []string, filters ...string) (map[string]map[string]string, error) {
	place := func(topic string) (id, name string) {
		id, name, _ = strings.Cut(strings.TrimPrefix(topic, c.BaseTopic+"/"), "/")
		return id, name
	}
	ours := func(topic string) bool {
		id, _ := place(topic)
		return ids == nil || slices.Contains(ids, id)
	}
	messages, err := kept(ctx, c, "-values", ours, filters...)
	all := map[string]map[string]string{}
	for _, m := range messages {
		id, name := place(m.Topic)
		if all[id] == nil {
			all[id] = map[string]string{}
		}
		all[id][name] = string(m.Payload)
	}
	return all, err
}

// kept returns the retained messages that fit the filters and are taken, in no order. suffix makes a client id of its own: that of the
// bridge would throw it out. With an *IncompleteError what was read is returned too.
func kept(ctx context.Context, c Config, suffix string, takes func(topic string) bool, filters ...string) ([]broker.Message, error) {
	to := c.broker()
	to.ClientID += suffix
	to.Will = broker.Message{}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	s := &scan{host: c.URL, takes: takes, most: commandBounds}
	until, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	err = s.subscribe(ctx, until, conn, c.checkTopic(), filters)
	if err == nil {
		err = s.await(ctx, until, conn)
	}
	found, short := s.result()
	return found, cmp.Or(errors.Join(err, conn.Close(ctx)), short)
}

// await waits until the broker has sent all that it retains, or the time of the scan is over.
func (s *scan) await(ctx, until context.Context, conn *broker.Conn) error {
	for pause := time.NewTimer(s.pause(quiet)); !s.ended(); pause.Reset(s.pause(quiet)) {
		select {
		case <-pause.C:
			if s.silent() {
				return nil
			}
		case <-conn.Lost():
			return conn.Err()
		case <-ctx.Done():
			return ctx.Err()
		case <-until.Done():
			s.late()
		}
	}
	return nil
}
