package virtualport

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// Family returns the family of simulated meters with this name. The error names the flag --family and suggests a similar name.
func Family(name string) (simulate.Family, error) {
	f, ok := simulate.Named(name)
	if ok {
		return f, nil
	}
	var names []string
	for _, f := range simulate.Families() {
		names = append(names, f.Name)
	}
	return f, fmt.Errorf("--family %s: no such family%s; hanbridge simulate --list names all %d", name, cli.DidYouMean(name, names), len(names))
}

// SimulatedKeyFlags are the flags with which the command decode decrypts the telegrams of simulated meters.
const SimulatedKeyFlags = "  --key " + simulate.EncryptionKey + " \\\n  --auth-key " + simulate.AuthenticationKey

// ListFamilies prints the families of simulated meters.
func ListFamilies(p *cli.Program) error {
	t := cli.Table{W: p.Out, Widths: []int{23, 8, 8, 11, 7, 6}}
	t.Row("FAMILY", "COUNTRY", "SOCKET", "LINE", "CIPHER", "EVERY")
	for _, f := range simulate.Families() {
		cipher := "none"
		if f.Cipher != 0 {
			cipher = fmt.Sprintf("%02X", f.Cipher)
		}
		t.Row(f.Name, f.Country, f.Connector, f.Line, cipher, f.Interval.String())
		fmt.Fprintln(p.Out, cli.Wrap("    "+f.Title, cli.Columns))
	}
	_, err := fmt.Fprintf(p.Out, "\nhanbridge decode reads the families with a cipher with these flags:\n%s\n", SimulatedKeyFlags)
	return err
}

// FaultHelp returns the list of faults for the help text of --fault.
func FaultHelp() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range simulate.FaultKinds() {
		fmt.Fprintf(w, "  %s=%d\t%s\n", k.Name, k.Default, k.Effect)
	}
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\n") + "\nThe numbers are the defaults of N."
}
