package doctor

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDoctorKeyJSON tests that the JSON report says which of the two keys is wrong.
func TestDoctorKeyJSON(t *testing.T) {
	key, auth := simulate.EncryptionKey, simulate.AuthenticationKey
	for name, tt := range map[string]struct {
		keys func(*config.Config)
		want string
	}{
		"no key":                   {onPort, `"cipher":{"encrypted":true,"maker":"KAM","key":"missing"},"verdict":{"code":"no-key",`},
		"wrong encryption key":     {withKeys(auth, key), `"cipher":{"encrypted":true,"maker":"KAM","key":"wrong"},"verdict":{"code":"wrong-key",`},
		"wrong authentication key": {withKeys(key, key), `"cipher":{"encrypted":true,"maker":"KAM","key":"wrong-auth"},"verdict":{"code":"wrong-auth-key",`},
	} {
		_, r := machine{family: "kamstrup-dk", config: with(onPort, tt.keys)}.examine(t)
		var out bytes.Buffer
		if err := printJSON((&cli.Program{Out: &out}), r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: got %s, which lacks %s", name, &out, tt.want)
		}
	}
}

// TestDoctorJSON compares the JSON report with a golden file, because programs depend on the names of its members.
func TestDoctorJSON(t *testing.T) {
	_, r := machine{family: "kamstrup-dk", config: with(onPort, withKeys(simulate.EncryptionKey, simulate.AuthenticationKey)), hub: true}.examine(t)
	var out bytes.Buffer
	if err := printJSON((&cli.Program{Out: &out}), r); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/doctor.json"
	if *updateGolden {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readText(t, golden), out.String()); diff != "" {
		t.Errorf("-golden +got (go test -update-golden writes it):\n%s", diff)
	}
}
