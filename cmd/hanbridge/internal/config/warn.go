package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A warning is about a setting that is allowed and not harmless.
type warning struct {
	Message string // without values
	Source  string // the file that it is about, or the setting
}

// Warnings are said when the bridge starts, and by check.
func (m Meter) Warnings() (all []warning) {
	if m.Checksum == "ignore" {
		all = append(all, warning{"checksums are ignored: a telegram that was damaged on its way is published like a sound one, " +
			"so wrong values can reach the hub; set this only for a meter that sends wrong checksums", "checksum: ignore"})
	}
	return append(all, openFile(m.KeyFile, "the file of keys")...)
}

// Warnings are those about the configuration as a whole, which was read from file.
func (c Config) Warnings(file string) (all []warning) {
	if c.MQTT.InsecureSkipVerify {
		all = append(all, warning{"the broker's certificate is not looked at: whoever is between hanbridge and the broker can read and change everything, " +
			"the password too; set mqtt.ca_file to the certificate of its authority instead", "mqtt.insecure_skip_verify"})
	}
	if c.SecretsInFile {
		all = append(all, openFile(file, "the configuration, which holds a password or a key")...)
	}
	all = append(all, openFile(c.MQTT.PasswordFile, "the file of the password")...)
	all = append(all, openFile(c.MQTT.KeyFile, "the private key of the certificate")...)
	host, _, _ := net.SplitHostPort(c.MQTT.Listen) // it has been checked
	here := host == "localhost" || net.ParseIP(host).IsLoopback()
	if c.MQTT.URL == Embedded && !here && (c.MQTT.Username == "" || c.MQTT.Password == "") {
		all = append(all, warning{"the broker inside lets in every machine of the network without a password: set mqtt.username and " +
			"mqtt.password, which it then asks each client for, or mqtt.listen to 127.0.0.1:1883", "mqtt.listen"})
	}
	return all
}

// openFile warns of a file that every user of the machine may read or write.
func openFile(name, what string) []warning {
	info, err := os.Stat(name)
	if name == "" || runtime.GOOS == "windows" || err != nil || !info.Mode().IsRegular() || isMounted(name) || info.Mode().Perm()&0o007 == 0 {
		return nil
	}
	return []warning{{fmt.Sprintf("every user of this machine can read or change %s: type chmod 600 %s, first chown USER %[2]s if it does not belong "+
		"to the user that runs hanbridge; or set what is secret as an environment variable (with systemd in /etc/hanbridge/env)", what, name), name}}
}

// isMounted reports whether a file is a secret that a container engine has mounted: everybody may read it, and nobody else is there.
// Kubernetes links such files to a folder ..data beside them.
func isMounted(name string) bool {
	_, err := os.Lstat(filepath.Join(filepath.Dir(name), "..data"))
	return strings.HasPrefix(name, "/run/secrets/") || err == nil
}
