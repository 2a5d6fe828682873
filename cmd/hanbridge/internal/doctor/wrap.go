package doctor

import (
	"fmt"
	"strings"
)

const (
	// lineWidth is how many columns a terminal has at least, nameWidth how many of them the name of a line takes.
	lineWidth, nameWidth = 80, 10
)

// reportLine returns a line of the report: a name, and a text beside it that is wrapped at words. A word that is longer than a line stays
// whole, and so do several blanks in a row within a line: they set off what comes behind.
func reportLine(name, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s", nameWidth, name)
	column, gap := nameWidth, ""
	for word := range strings.SplitSeq(text, " ") {
		if width := len([]rune(gap + word)); word != "" && column > nameWidth && column+width > lineWidth {
			b.WriteString("\n" + strings.Repeat(" ", nameWidth))
			column, gap = nameWidth, ""
		}
		if word != "" {
			b.WriteString(gap + word)
			column, gap = column+len([]rune(gap+word)), ""
		}
		gap += " "
	}
	return b.String() + "\n"
}
