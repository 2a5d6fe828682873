package throttle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A model passes random values of one quantity to a Throttle, under a random rate, and checks each decision.
type model struct {
	id       quantity.ID
	rate     throttle.Rate
	throttle *throttle.Throttle
	decimals uint8
	interval time.Duration

	// now is the time of the telegram, previousAt the time of the telegram before.
	now, previousAt time.Time
	// publishedAt is when the published value was published, repeatedAt when it was published or repeated last. signChangeAt is when a change
	// of sign was last published before MinInterval had passed.
	publishedAt, repeatedAt, signChangeAt time.Time
	// published and newest are values as they are published.
	published, newest string
}

// TestDecideProperties tests that every decision keeps the rules of the rate, for values of any size at any time.
func TestDecideProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"telegram": func(t *rapid.T) {
				m.telegram(t, time.Duration(rapid.Int64Range(0, 2*int64(m.interval)).Draw(t, "gap")))
			},
			"silence": func(t *rapid.T) {
				m.telegram(t, time.Duration(rapid.IntRange(0, 4000).Draw(t, "seconds"))*time.Second)
			},
			"all published again": func(*rapid.T) {
				m.throttle.PublishNewest()
				if m.newest != "" {
					m.published, m.publishedAt, m.repeatedAt = m.newest, m.now, m.now
				}
			},
			"clock set back": func(t *rapid.T) {
				m.telegram(t, -time.Duration(rapid.IntRange(1, 1e8).Draw(t, "seconds"))*time.Second)
			},
		})
	})
}

func newModel(t *rapid.T) *model {
	name := rapid.SampledFrom([]string{"import_power", "net_power", "voltage_l2", "import_energy", "frequency", "voltage_sags_l1"}).Draw(t, "quantity")
	plan := throttle.NewPlan(rapid.SampledFrom([]throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal}).Draw(t, "preset"))
	m := &model{id: named(t, name), now: noon(0), interval: time.Duration(rapid.IntRange(0, 15_000).Draw(t, "interval")) * time.Millisecond}
	if rapid.Bool().Draw(t, "overridden") {
		plan.Set(m.id, drawOverride(t))
	}
	m.decimals = rapid.Uint8Range(0, 3).Draw(t, "decimals")
	m.rate, m.throttle = plan.Rate(m.id), throttle.New(plan)
	return m
}

// drawOverride draws an Override that sets any of the fields.
func drawOverride(t *rapid.T) throttle.Override {
	var o throttle.Override
	seconds := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds")) * time.Second
	})
	o.MinInterval, o.MaxSilence = rapid.Ptr(seconds, true).Draw(t, "min_interval"), rapid.Ptr(seconds, true).Draw(t, "max_silence")
	if rapid.Bool().Draw(t, "deadband") {
		o.Deadband = &throttle.Deadband{
			Absolute: obis.Decimal{Coef: rapid.Int64Range(0, 300).Draw(t, "absolute"), Exp: rapid.Int8Range(-2, 0).Draw(t, "exp")},
			Percent:  obis.Decimal{Coef: rapid.Int64Range(0, 300).Draw(t, "percent"), Exp: -1},
		}
	}
	return o
}

// telegram passes a random value after a gap, and checks the decision.
func (m *model) telegram(t *rapid.T, gap time.Duration) {
	m.now = m.now.Add(gap)
	number := obis.Decimal{
		Coef: rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-100_000, 100_000)).Draw(t, "coefficient"),
		Exp:  rapid.Int8Range(-4, 1).Draw(t, "exponent"),
	}
	m.newest = string(number.AppendFixed(nil, int(m.decimals)))
	d := m.throttle.Decide(m.now, m.interval, m.id, number, m.decimals, "")
	switch d {
	case throttle.Publish:
		m.checkPublish(t)
		m.published, m.publishedAt, m.repeatedAt = m.newest, m.now, m.now
	case throttle.Repeat:
		if m.published == "" || m.rate != (throttle.Rate{}) && !m.elapsed(m.repeatedAt, throttle.RepeatAfter) {
			t.Fatalf("%q is repeated %v after the last time, want %v", m.published, m.now.Sub(m.repeatedAt), throttle.RepeatAfter)
		}
		m.repeatedAt = m.now
	default:
		m.checkWithhold(t)
	}
	if d == throttle.Repeat && m.rate == (throttle.Rate{}) && m.newest != m.published {
		t.Fatalf("realtime: %s is repeated in place of %s", m.published, m.newest)
	}
	if want := m.newest != m.published; m.throttle.Withheld(m.id) != want {
		t.Fatalf("Withheld is %v, newest %s, published %s", !want, m.newest, m.published)
	}
	m.previousAt = m.now
}

func (m *model) kind() quantity.Kind { return m.id.Row().Kind }

// elapsed reports whether the limit has passed since a time, allowing for a telegram that arrives early, or the clock was set back.
func (m *model) elapsed(since time.Time, limit time.Duration) bool {
	passed := m.now.Sub(since)
	return passed < 0 || passed >= limit-m.interval/4
}

// checkPublish checks that a published value differs from the one before, and is not published before MinInterval has passed. Two values
// can be published earlier: a counter next to a full hour and, once in each MaxSilence, a power that changes its sign.
func (m *model) checkPublish(t *rapid.T) {
	switch {
	case m.newest == m.published:
		t.Fatalf("%s is published twice", m.newest)
	case m.published == "", m.elapsed(m.publishedAt, m.rate.MinInterval), m.kind() == quantity.Counter && m.isNextToFullHour():
	case m.kind() == quantity.Power && (m.newest[0] == '-') != (m.published[0] == '-') && m.elapsed(m.signChangeAt, m.rate.MaxSilence):
		m.signChangeAt = m.now
	default:
		t.Fatalf("%s is published %v after %s: MinInterval is %v", m.newest, m.now.Sub(m.publishedAt), m.published, m.rate.MinInterval)
	}
}

// isNextToFullHour reports whether the telegram before was of another hour, or the next one is possibly of another hour.
func (m *model) isNextToFullHour() bool {
	hour := func(t time.Time) time.Time { return t.Truncate(time.Hour) }
	next := max(m.interval, m.now.Sub(m.previousAt))
	return hour(m.previousAt) != hour(m.now) || hour(m.now.Add(next+next/4)) != hour(m.now)
}

// checkWithhold checks that no value is withheld for longer than MaxSilence, and no change that reaches the deadband for longer than
// MinInterval.
func (m *model) checkWithhold(t *rapid.T) {
	switch {
	case m.rate == throttle.Rate{}:
		t.Fatal("realtime withholds a telegram")
	case m.elapsed(m.repeatedAt, throttle.RepeatAfter):
		t.Fatalf("%s is not repeated after %v", m.published, m.now.Sub(m.repeatedAt))
	case m.newest == m.published:
		return
	case m.elapsed(m.publishedAt, m.rate.MaxSilence):
		t.Fatalf("%s is withheld for %v, MaxSilence is %v", m.newest, m.now.Sub(m.publishedAt), m.rate.MaxSilence)
	case m.elapsed(m.publishedAt, m.rate.MinInterval) && m.reachesDeadband():
		t.Fatalf("%s is withheld after %s, the deadband is %v", m.newest, m.published, m.rate.Deadband)
	}
}

// reachesDeadband reports whether the change reaches the deadband.
func (m *model) reachesDeadband() bool {
	newest, published := parse(m.newest), parse(m.published)
	change, _ := newest.Add(published.Neg())
	if change.Sign() < 0 {
		change = change.Neg()
	}
	if published.Sign() < 0 {
		published = published.Neg()
	}
	relative, _ := published.Mul(m.rate.Deadband.Percent)
	return change.Cmp(rounded(m.rate.Deadband.Absolute, m.decimals)) >= 0 && change.Cmp(rounded(relative.Shift(-2), m.decimals)) >= 0
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
