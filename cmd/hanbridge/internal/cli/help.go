package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Columns is the maximum width of text for people, in characters.
const Columns = 80

// WrapHelp makes the help of a command and of all its subcommands fit into Columns. cobra does not wrap lines.
func WrapHelp(root *cobra.Command) {
	root.SetUsageFunc(func(c *cobra.Command) error {
		writeUsage(c.OutOrStderr(), c)
		return nil
	})
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		text := c.Long
		if text == "" {
			text = c.Short
		}
		fmt.Fprintf(c.OutOrStdout(), "%s\n\n", Wrap(strings.ReplaceAll(text, "\t", "    "), Columns))
		writeUsage(c.OutOrStdout(), c)
	})
}

// writeUsage writes the same usage text as cobra, with wrapped lines.
func writeUsage(w io.Writer, c *cobra.Command) {
	fmt.Fprintln(w, "Usage:")
	if c.Runnable() {
		fmt.Fprintf(w, "  %s\n", c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s [command]\n", c.CommandPath())
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nAvailable Commands:\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintln(w, Wrap(fmt.Sprintf("  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short), Columns))
			}
		}
	}
	if c.HasAvailableLocalFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s\n", strings.TrimRight(c.LocalFlags().FlagUsagesWrapped(Columns), "\n"))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nFor more about a command: %s [command] --help\n", c.CommandPath())
	}
}

// Wrap breaks text between words so that lines have at most width characters. It does not break long words. Consecutive lines are joined to one
// paragraph first. A line that begins with a blank is not joined with other lines. If a line that begins with a blank is broken, the rest is
// indented to the last column of the line (see lastColumn).
func Wrap(text string, width int) string {
	var out, paragraph []string
	endParagraph := func() {
		if len(paragraph) > 0 {
			out = append(out, fill("", paragraph, width))
		}
		paragraph = nil
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			endParagraph()
			out = append(out, "")
		case line[0] == ' ':
			endParagraph()
			column := lastColumn(line)
			out = append(out, fill(line[:column], strings.Fields(line[column:]), width))
		default:
			paragraph = append(paragraph, strings.Fields(line)...)
		}
	}
	endParagraph()
	return strings.Join(out, "\n")
}

// lastColumn returns the position of the last column of an indented line. Two or more blanks separate columns.
func lastColumn(line string) int {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	if i := strings.LastIndex(text, "  "); i >= 0 {
		return indent + i + 2
	}
	return indent
}

// fill returns head and the words in lines of at most width characters. Each line after the first is indented by the width of head.
func fill(head string, words []string, width int) string {
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	text, line := "", head
	for i, word := range words {
		switch {
		case i == 0:
		case utf8.RuneCountInString(line+" "+word) > width:
			text += line + "\n"
			line = indent
		default:
			line += " "
		}
		line += word
	}
	return text + line
}

// A Table prints rows in columns of fixed widths, with one blank between them. A cell that is too wide is wrapped within its column.
type Table struct {
	W      io.Writer
	Widths []int
}

// Row prints one row. There must be one cell for each width.
func (t *Table) Row(cells ...string) {
	cellLines, lineCount := make([][]string, len(cells)), 1 // the wrapped lines of each cell, and the maximum number of lines
	for i, cell := range cells {
		cellLines[i] = strings.Split(Wrap(cell, t.Widths[i]), "\n")
		lineCount = max(lineCount, len(cellLines[i]))
	}
	for n := range lineCount {
		line := ""
		for i, lines := range cellLines {
			text := ""
			if n < len(lines) {
				text = lines[n]
			}
			line += fmt.Sprintf("%-*s ", t.Widths[i], text)
		}
		fmt.Fprintln(t.W, strings.TrimRight(line, " "))
	}
}
