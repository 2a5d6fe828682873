package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatedKeys are the flags of `decode` for simulated meters that encrypt.
const simulatedKeys = "  --key " + simulate.EncryptionKey + " --auth-key " + simulate.AuthenticationKey

func listFamilies(p *cli.Program) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAMILY\tMETER\tCOUNTRY\tSOCKET\tLINE\tCIPHER\tEVERY")
	for _, f := range simulate.Families() {
		cipher := "none"
		if f.Cipher != 0 {
			cipher = fmt.Sprintf("%02X", f.Cipher)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\n", f.Name, f.Title, f.Country, f.Connector, f.Line, cipher, f.Interval)
	}
	fmt.Fprintf(w, "\nThose with a cipher are read with\n%s\n", simulatedKeys)
	return w.Flush()
}

// faultTable is what --help says of faults.
func faultTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range simulate.FaultKinds() {
		fmt.Fprintf(w, "  %s=%d\t%s\n", k.Name, k.Usual, k.Does)
	}
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\n") + "\nThe number is the N that is meant where none is given."
}
