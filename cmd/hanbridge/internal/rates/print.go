package rates

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Print writes a table for each meter.
func (r *Report) Print(out io.Writer) error {
	var b strings.Builder
	if r.Note != "" {
		fmt.Fprintf(&b, "%s\n\n", r.Note)
	}
	for _, m := range r.Meters {
		m.print(&b, r.Publish)
	}
	if len(r.Meters) > 1 {
		rateLine(&b, "all meters", "", r.States, r.EveryTelegram)
	}
	fmt.Fprintf(&b, "\npublish: %s causes about %s states a day, %s of every telegram\n", r.Publish, spaced(r.States), r.share())
	_, err := io.WriteString(out, b.String())
	return err
}

func (m *meterRates) print(b *strings.Builder, publish string) {
	fmt.Fprintf(b, "%s, a telegram every %s s\n\n", m.Meter, m.Interval)
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", "QUANTITY", "SENT EVERY", "STATES A DAY", "EVERY TELEGRAM")
	for _, q := range m.Quantities {
		rateLine(b, q.Quantity, string(q.Every)+" s", q.States, q.EveryTelegram)
	}
	rateLine(b, strings.Join(m.Diagnostics.Names, ", "), string(m.Diagnostics.Every)+" s", m.Diagnostics.States, m.Diagnostics.EveryTelegram)
	rateLine(b, "total", "", m.States, m.EveryTelegram)
}

func rateLine(b *strings.Builder, name, every string, states, all int) {
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", name, every, spaced(states), spaced(all))
}

// share is the part of all states that is caused, in percent with one decimal.
func (d dayRates) share() string {
	tenths := (d.States*1000 + d.EveryTelegram/2) / max(d.EveryTelegram, 1)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// spaced writes a number with a blank before each three digits.
func spaced(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
