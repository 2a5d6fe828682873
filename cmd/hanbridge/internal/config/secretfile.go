package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// A secretFile is a setting that holds the path of a file. People write the secret itself there, so that what stands there is
// shown only where it is a path beyond doubt.
type secretFile struct {
	holds   string // what the file holds
	example string // a path
	itself  string // where to write what the file would hold; "" where it has to be in a file
	digits  bool   // that would be a key, so that a short name is none
}

var secretFiles = map[string]secretFile{
	"mqtt.password_file": {"the password", "/run/secrets/mqtt_password", "the password itself is written as mqtt.password", false},
	"key_file":           {"the key", "/etc/hanbridge/meter.key", "the key itself is written as key", true},
	"--key-file":         {"the key", "meter.key", "the key itself is written behind --key", true},
	"mqtt.key_file":      {"the client's private key as PEM", "/etc/hanbridge/client.key", "", false},
	"mqtt.cert_file":     {"the client's certificate as PEM", "/etc/hanbridge/client.crt", "", false},
	"mqtt.ca_file":       {"the certificate authority's certificate as PEM", "/etc/hanbridge/ca.crt", "", false},
}

// fault returns the error of a file that cannot be read: err where name may be shown, else what is wrong and what to write.
func (s secretFile) fault(name string, err error) error {
	if err == nil || isPath(name) || s.digits && safetext.HexDigits(name) < safetext.LeastKeyLike {
		return err
	}
	what := "no file has this name (it is not shown, as it may be a secret)"
	if safetext.IsKeyLike(name) {
		what = "what stands here looks like a key (it is not shown)"
	} else if strings.Contains(name, "-----BEGIN") {
		what = "what stands here is the text of a PEM file (it is not shown)"
	}
	wanted := fmt.Sprintf("%s: write the path of a file that holds %s, such as %s", what, s.holds, s.example)
	if s.itself != "" {
		wanted += "; " + s.itself
	}
	return errors.New(wanted)
}

// fileName is a name without a folder that nobody takes for a password.
var fileName = regexp.MustCompile(`^[\w-]+(\.[\w-]+)*\.(key|keys|pem|crt|cer|txt|pass|secret)$`)

// isPath reports whether text is the path of a file beyond doubt: the file is there, or its first folder is, or it has the name
// of one.
func isPath(text string) bool {
	if strings.ContainsFunc(text, safetext.IsInvisible) {
		return false
	}
	if _, err := os.Lstat(text); err == nil || errors.Is(err, fs.ErrPermission) {
		return true
	}
	dir, name := filepath.Split(text)
	if dir == "" {
		return fileName.MatchString(name) && !safetext.IsKeyLike(strings.TrimSuffix(name, filepath.Ext(name)))
	}
	rest := strings.TrimLeft(text, string(filepath.Separator))
	first, _, deeper := strings.Cut(rest, string(filepath.Separator))
	is, err := os.Stat(text[:len(text)-len(rest)] + first)
	return deeper && err == nil && is.IsDir()
}
