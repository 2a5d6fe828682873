package quantity_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestConstants: ids.go has one constant for each row, in the order of the table. The constant has the name of the row in camel case, and
// is the index of the row.
func TestConstants(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			got = append(got, spec.Names[0].Name)
		}
		return true
	})
	for _, row := range quantity.Rows() {
		want = append(want, camelCase(row.Name))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("constants, -want +got:\n%s", diff)
	}
	if quantity.ImportPower != 0 || int(quantity.PowerLimit) != quantity.Count()-1 || quantity.ImportEnergyT4.String() != "import_energy_t4" {
		t.Errorf("got ImportPower %d, PowerLimit %d, ImportEnergyT4 %v; want 0, %d, import_energy_t4",
			quantity.ImportPower, quantity.PowerLimit, quantity.ImportEnergyT4, quantity.Count()-1)
	}
}

func camelCase(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
