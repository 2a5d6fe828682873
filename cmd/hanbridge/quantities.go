package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func quantitiesCommand(p *cli.Program) *cobra.Command {
	return &cobra.Command{
		Use: "quantities", Short: "Lists all quantities with their OBIS codes and units",
		Long: "Lists all quantities. CLASS and STATE CLASS are the device class and the state class that are announced to Home Assistant. DIGITS is the\n" +
			"number of digits after the decimal point. With \"sent\", it is the number of digits that the meter sends.",
		Example: "  hanbridge quantities | grep energy", Args: argCount(0, 0),
		RunE: func(*cobra.Command, []string) error {
			t := cli.Table{W: p.Out, Widths: []int{25, 8, 5, 6, 15, 16}}
			t.Row("QUANTITY", "OBIS", "UNIT", "DIGITS", "CLASS", "STATE CLASS")
			for i := range quantity.Rows() {
				r := &quantity.Rows()[i]
				t.Row(r.Name, codesOf(r), unitsOf(r), decimalsOf(r), classOf(r), r.StateClass)
			}
			return nil
		},
	}
}

// codesOf returns the OBIS codes of a quantity, separated by blanks.
func codesOf(r *quantity.Row) string {
	codes := make([]string, len(r.Codes))
	for i, c := range r.Codes {
		codes[i] = fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
	}
	return strings.Join(codes, " ")
}

// unitsOf returns the units of a quantity, separated by blanks. It lists equal adjacent units once.
func unitsOf(r *quantity.Row) string {
	var units []string
	for _, unit := range r.Units {
		units = append(units, unit.Symbol)
	}
	return strings.Join(slices.Compact(units), " ")
}

func decimalsOf(r *quantity.Row) string {
	switch {
	case !r.Numeric():
		return "text"
	case r.Decimals == quantity.AsSent:
		return "sent"
	}
	return strconv.Itoa(int(r.Decimals))
}

// classOf returns the Home Assistant device classes of a quantity, followed by "diagnostic" if the quantity is diagnostic.
func classOf(r *quantity.Row) string {
	var classes []string
	for _, unit := range r.Units {
		if unit.DeviceClass != "" && !slices.Contains(classes, unit.DeviceClass) {
			classes = append(classes, unit.DeviceClass)
		}
	}
	if r.Diagnostic {
		classes = append(classes, "diagnostic")
	}
	return strings.Join(classes, " ")
}
