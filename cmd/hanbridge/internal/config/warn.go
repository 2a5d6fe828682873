package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A warning says why a valid setting is risky.
type warning struct {
	Message string
	Source  string // the setting or the file
}

// Warnings returns the warnings about a meter. The bridge logs these warnings when it starts, and the command check prints them.
func (m Meter) Warnings() (all []warning) {
	if m.Checksum == "ignore" {
		all = append(all, warning{"checksums are ignored: values of damaged telegrams are published too, so wrong values can reach the hub; " +
			"set this only for a meter that sends wrong checksums", "checksum: ignore"})
	}
	return append(all, worldReadable(m.KeyFile, "the file of keys")...)
}

// Warnings returns the warnings about everything but the meters. file is the configuration file.
func (c Config) Warnings(file string) (all []warning) {
	if c.MQTT.InsecureSkipVerify {
		all = append(all, warning{"the broker's certificate is not verified: somebody in the network between hanbridge and the broker can read and change " +
			"everything, also the password; instead set mqtt.ca_file to the certificate of the authority that signed the broker's certificate", "mqtt.insecure_skip_verify"})
	}
	if c.SecretsInFile {
		all = append(all, worldReadable(file, "the configuration, which holds a password or a key")...)
	}
	all = append(all, worldReadable(c.MQTT.PasswordFile, "the file of the password")...)
	all = append(all, worldReadable(c.MQTT.KeyFile, "the private key of the certificate")...)
	host, _, _ := net.SplitHostPort(c.MQTT.Listen) // Load has checked mqtt.listen if the broker is embedded; host is used only then
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	if c.MQTT.URL == Embedded && !loopback && (c.MQTT.Username == "" || c.MQTT.Password == "") {
		all = append(all, warning{"the embedded broker accepts every machine of the network without a password: set mqtt.username and " +
			"mqtt.password, or set mqtt.listen to 127.0.0.1:1883", "mqtt.listen"})
	}
	return all
}

// worldReadable returns a warning if every user of the machine can read or write a file. content says what the file contains. There is no
// warning if the file does not exist or name is "".
func worldReadable(name, content string) []warning {
	info, err := os.Stat(name) // an empty name gives an error too
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o007 == 0 {
		return nil
	}
	if runtime.GOOS == "windows" || isMounted(name) { // these permissions say nothing about who can read the file
		return nil
	}
	return []warning{{fmt.Sprintf("every user of this machine can read or change %s: type chmod 600 %s (if the file does not belong to the user that "+
		"runs hanbridge, type chown USER %[2]s first); or set the secret as an environment variable (with systemd in /etc/hanbridge/env)", content, name), name}}
}

// isMounted reports whether a container engine has mounted a file as a secret. Such a file needs no warning: every user of the container can
// read it, but the container has only one user. Docker and Podman mount secrets in /run/secrets. Kubernetes mounts a secret beside a folder
// ..data.
func isMounted(name string) bool {
	_, err := os.Lstat(filepath.Join(filepath.Dir(name), "..data"))
	return strings.HasPrefix(name, "/run/secrets/") || err == nil
}
