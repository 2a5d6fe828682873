package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Memory is what a Guard must know to go on where another ended. It is made for JSON, and holds nothing but names and whole numbers.
type Memory struct {
	Serial string `json:"serial,omitempty"`
	// Power is the most that the meter has shown, in W.
	Power int64 `json:"power,omitempty"`
	// Wall is when the last telegram came, Unix time in ms. Meter is the meter's clock then, in s, 0 where it has none.
	Wall  int64 `json:"wall"`
	Meter int64 `json:"meter,omitempty"`
	// Turned is how long before Wall the meter was last seen to begin again, in ms; 0 for never.
	Turned   int64     `json:"turned,omitempty"`
	Counters []Counter `json:"counters"`
}

// A Counter is the last good value of a quantity.
type Counter struct {
	Quantity string       `json:"quantity"` // its name
	Value    obis.Decimal `json:"value"`
	// Since and Seen are how long before Memory.Wall the value was first and last seen, in ms.
	Since int64 `json:"since"`
	Seen  int64 `json:"seen"`
	// Open tells that the meter was replaced since.
	Open bool `json:"open,omitempty"`
	// Above is where the counter has gone on since it jumped; zero where it has not. Who restarts every night would wait for ever.
	Above Run `json:"above,omitzero"`
}

// A Run is values that are held back, as long as they fit each other. Times are before Memory.Wall, in ms.
type Run struct {
	Value obis.Decimal `json:"value"`
	Began int64        `json:"began"`
	Since int64        `json:"since"`
	Seen  int64        `json:"seen"`
	Times int          `json:"times"`
}

// Remember puts what the Guard knows into m, whose memory it uses again. Before the first telegram that is nothing.
func (g *Guard) Remember(m *Memory) {
	now := g.clock.now
	*m = Memory{Serial: g.serial.now, Power: g.power.most, Wall: g.clock.wall.UnixMilli(), Meter: g.clock.meter, Counters: m.Counters[:0]}
	if g.turned != never {
		m.Turned = max(now-g.turned, 1)
	}
	for i := range g.registers {
		r := &g.registers[i]
		if !r.known {
			continue
		}
		c := Counter{Quantity: quantity.ID(i).String(), Value: r.good.value, Since: now - r.good.first, Seen: now - r.good.last, Open: r.open}
		if run := &r.run; run.up && run.times > 0 { // a decrease needs no memory: it is believed within seconds
			c.Above = Run{run.value, now - run.began, now - run.first, now - run.last, run.times}
		}
		m.Counters = append(m.Counters, c)
	}
}

// Restore goes on from what was remembered, before the first telegram. It keeps nothing of m. What cannot be is passed over.
func (g *Guard) Restore(m *Memory) {
	if len(m.Counters) == 0 {
		return
	}
	g.clock = clock{wall: time.UnixMilli(m.Wall), meter: m.Meter, furthest: m.Meter}
	g.serial.now = m.Serial
	g.power.most = min(max(m.Power, 0), mostWatts)
	if m.Turned > 0 {
		g.turned = -m.Turned
	}
	for i := range m.Counters {
		c := &m.Counters[i]
		id, ok := quantity.Named(c.Quantity)
		if !ok || !isCounter(id) || c.Value.Sign() < 0 {
			continue
		}
		r := register{known: true, good: point{c.Value, -age(c.Since), -age(c.Seen)}, open: c.Open}
		if up := &c.Above; up.Times > 0 && up.Value.Sign() >= 0 {
			r.run = run{point: point{up.Value, -age(up.Since), -age(up.Seen)}, times: up.Times, began: -age(up.Began), up: true}
		}
		g.registers[id] = r
	}
}

// age keeps a time that was remembered within what can be.
func age(ms int64) int64 { return min(max(ms, 0), longest) }
