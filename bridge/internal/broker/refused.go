package broker

import (
	"context"
	"fmt"
)

// A RefusedError says that this broker does not take a message, which was therefore not sent. The connection is not touched by it.
type RefusedError struct {
	Host, Topic string
	Size        int  // bytes of the packet
	Limit       int  // bytes that the broker says it takes at most; 0 where it does not say
	Cut         int  // bytes of the smallest packet at which it ended a connection; 0 where it is not for the size
	Lost        bool // it acknowledges the message, and delivers it to nobody
}

func (e *RefusedError) Error() string {
	switch {
	case e.Limit > 0:
		return fmt.Sprintf("mqtt: %s takes packets of %d bytes at most, and %s needs %d: %s", e.Host, e.Limit, e.Topic, e.Size, e.remedy())
	case e.Cut > 0:
		return fmt.Sprintf("mqtt: %s ends the connection at a packet of %d bytes, its limit must be smaller, and %s needs %d: %s",
			e.Host, e.Cut, e.Topic, e.Size, e.remedy())
	case e.Lost:
		return fmt.Sprintf("mqtt: %s acknowledges packets of %d bytes and does not deliver them; its limit must be smaller, and %s has "+
			"that size: %s", e.Host, e.Size, e.Topic, e.remedy())
	}
	return fmt.Sprintf("mqtt: %s ends the connection whenever something is published under %s (%d bytes): may this user publish there? "+
		"Look at the broker's access rules and its log", e.Host, e.Topic, e.Size)
}

// remedy says what to write, with room for what a meter may send besides.
func (e *RefusedError) remedy() string { return Remedy(e.Size) }

// Remedy says how to have a broker take packets of a size in bytes.
func Remedy(size int) string {
	room := 1 << 15 // for a whole device, whatever message was refused: a person is to set one number once
	for room < 2*size {
		room *= 2
	}
	return fmt.Sprintf("raise the broker's limit (Mosquitto: max_packet_size %d in mosquitto.conf, message_size_limit too where it is set, "+
		"then restart it)", room)
}

// Takes returns a *RefusedError for a message that this broker is known not to take, else nil.
func (c *Conn) Takes(m Message) error {
	known := &c.known
	e := &RefusedError{Host: c.to.host, Topic: m.Topic, Size: packetSize(&m)}
	switch {
	case known.most > 0 && e.Size > known.most:
		e.Limit = known.most
	case known.cut > 0 && e.Size >= known.cut:
		e.Cut = known.cut
	case known.dropped > 0 && e.Size >= known.dropped:
		e.Lost = true
	case !known.refused[m.Topic]:
		return nil
	}
	return e
}

// Drops finds out if the broker acknowledges packets of a size in bytes and delivers them to nobody, as Mosquitto does above its
// message_size_limit: it publishes such a one, and a small one, under Config.Spare on connections of their own, which takes some seconds at
// most. This connection and Config.Terms remember it.
func (c *Conn) Drops(ctx context.Context, size int) bool {
	p := c.to
	p.Will, p.Terms, p.Conflict = Message{}, nil, nil
	p.ClientID += "-try"
	large, err := p.trySize(ctx, p.Spare, size, limits{})
	if err != nil || large == nil || !large.Lost {
		return false
	}
	if small, err := p.trySize(ctx, p.Spare, smallPacket, limits{}); err != nil || small != nil {
		return false // it is not for the size
	}
	c.known.dropped = size
	if c.to.Terms != nil {
		c.to.Terms.learn(func(known *terms) { known.dropped = size })
	}
	return true
}

// Retains tells if the broker keeps retained messages, as far as is known. Where it does not, messages are published all the same, and are
// not kept.
func (c *Conn) Retains() bool { return !c.known.noRetain }
