package throttle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A machine follows one quantity under any rate and holds the throttle to its promises.
type machine struct {
	id       quantity.ID
	rate     throttle.Rate
	throttle *throttle.Throttle
	decimals uint8
	every    time.Duration

	now, before, at, said, crossed time.Time
	published, newest              string
	number                         obis.Decimal
}

// TestPromises lets values of any size come at any time.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"telegram": func(t *rapid.T) {
				m.telegram(t, time.Duration(rapid.Int64Range(0, 2*int64(m.every)).Draw(t, "gap")))
			},
			"silence": func(t *rapid.T) {
				m.telegram(t, time.Duration(rapid.IntRange(0, 4000).Draw(t, "seconds"))*time.Second)
			},
			"clock set back": func(t *rapid.T) {
				m.telegram(t, -time.Duration(rapid.IntRange(1, 1e8).Draw(t, "seconds"))*time.Second)
			},
		})
	})
}

func newMachine(t *rapid.T) *machine {
	name := rapid.SampledFrom([]string{"import_power", "net_power", "voltage_l2", "import_energy", "frequency", "voltage_sags_l1"}).Draw(t, "quantity")
	plan := throttle.NewPlan(rapid.SampledFrom([]throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal}).Draw(t, "preset"))
	m := &machine{id: named(t, name), now: noon(0), every: time.Duration(rapid.IntRange(0, 15_000).Draw(t, "every")) * time.Millisecond}
	if rapid.Bool().Draw(t, "changed") {
		plan.Set(m.id, change(t))
	}
	m.decimals = rapid.Uint8Range(0, 3).Draw(t, "decimals")
	m.rate, m.throttle = plan.Rate(m.id), throttle.New(plan)
	return m
}

// change sets any part of a rate.
func change(t *rapid.T) throttle.Override {
	var c throttle.Override
	seconds := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 900).Draw(t, "s")) * time.Second
	})
	c.MinInterval, c.MaxSilence = rapid.Ptr(seconds, true).Draw(t, "min_interval"), rapid.Ptr(seconds, true).Draw(t, "max_silence")
	if rapid.Bool().Draw(t, "deadband") {
		c.Deadband = &throttle.Deadband{
			Absolute: obis.Decimal{Coef: rapid.Int64Range(0, 300).Draw(t, "least"), Exp: rapid.Int8Range(-2, 0).Draw(t, "exp")},
			Percent:  obis.Decimal{Coef: rapid.Int64Range(0, 300).Draw(t, "percent"), Exp: -1},
		}
	}
	return c
}

// telegram passes a value after a while, and judges the decision.
func (m *machine) telegram(t *rapid.T, gap time.Duration) {
	m.now = m.now.Add(gap)
	m.number = obis.Decimal{
		Coef: rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-100_000, 100_000)).Draw(t, "coefficient"),
		Exp:  rapid.Int8Range(-4, 1).Draw(t, "exponent"),
	}
	m.newest = string(m.number.AppendFixed(nil, int(m.decimals)))
	d := m.throttle.Decide(m.now, m.every, m.id, m.number, m.decimals, "")
	switch d {
	case throttle.Publish:
		m.mayPublish(t)
		m.published, m.at, m.said = m.newest, m.now, m.now
	case throttle.Repeat:
		if m.published == "" || m.rate != (throttle.Rate{}) && !m.over(m.said, throttle.RepeatAfter) {
			t.Fatalf("said again %v after the last time: %s", m.now.Sub(m.said), m.published)
		}
		m.said = m.now
	default:
		m.mayHold(t)
	}
	if d == throttle.Repeat && m.rate == (throttle.Rate{}) && m.newest != m.published {
		t.Fatalf("realtime: %s is said again in place of %s", m.published, m.newest)
	}
	if want := m.newest != m.published; m.throttle.Withheld(m.id) != want {
		t.Fatalf("Rest: got %v, newest %s, published %s", !want, m.newest, m.published)
	}
	m.before = m.now
}

func (m *machine) kind() quantity.Kind { return m.id.Row().Kind }

// over is a time that has passed, give or take the jitter of a telegram, or a clock that was set back.
func (m *machine) over(since time.Time, limit time.Duration) bool {
	passed := m.now.Sub(since)
	return passed < 0 || passed >= limit-m.every/4
}

// mayPublish: never the same string twice, and never before its time but for what may.
func (m *machine) mayPublish(t *rapid.T) {
	switch {
	case m.newest == m.published:
		t.Fatalf("%s is published twice", m.newest)
	case m.published == "", m.over(m.at, m.rate.MinInterval), m.kind() == quantity.Counter && m.nearHour():
	case m.kind() == quantity.Power && (m.newest[0] == '-') != (m.published[0] == '-') && m.over(m.crossed, m.rate.MaxSilence):
		m.crossed = m.now
	default:
		t.Fatalf("%s is published %v after %s: MinInterval is %v", m.newest, m.now.Sub(m.at), m.published, m.rate.MinInterval)
	}
}

// nearHour tells if the telegram before was of another hour, or the next one may be.
func (m *machine) nearHour() bool {
	hour := func(t time.Time) time.Time { return t.Truncate(time.Hour) }
	next := max(m.every, m.now.Sub(m.before))
	return hour(m.before) != hour(m.now) || hour(m.now.Add(next+next/4)) != hour(m.now)
}

// mayHold: nothing for longer than MaxSilence, no change that reaches the deadband once it may be published.
func (m *machine) mayHold(t *rapid.T) {
	switch {
	case m.rate == throttle.Rate{}:
		t.Fatal("realtime holds a telegram")
	case m.over(m.said, throttle.RepeatAfter):
		t.Fatalf("%s is not said again after %v", m.published, m.now.Sub(m.said))
	case m.newest == m.published:
		return
	case m.over(m.at, m.rate.MaxSilence):
		t.Fatalf("%s is withheld for %v, MaxSilence is %v", m.newest, m.now.Sub(m.at), m.rate.MaxSilence)
	case m.over(m.at, m.rate.MinInterval) && m.isLarge():
		t.Fatalf("%s is withheld behind %s, the deadband is %v", m.newest, m.published, m.rate.Deadband)
	}
}

// isLarge tells if the change reaches the deadband.
func (m *machine) isLarge() bool {
	newest, published := parse(m.newest), parse(m.published)
	sum, _ := newest.Add(published.Neg())
	if sum.Sign() < 0 {
		sum = sum.Neg()
	}
	if published.Sign() < 0 {
		published = published.Neg()
	}
	part, _ := published.Mul(m.rate.Deadband.Percent)
	return sum.Cmp(rounded(m.rate.Deadband.Absolute, m.decimals)) >= 0 && sum.Cmp(rounded(part.Shift(-2), m.decimals)) >= 0
}

func rounded(d obis.Decimal, decimals uint8) obis.Decimal {
	return parse(string(d.AppendFixed(nil, int(decimals))))
}

func parse(text string) obis.Decimal {
	d, err := obis.ParseDecimal([]byte(text))
	if err != nil {
		panic(err)
	}
	return d
}
