package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// Embedded is the mqtt.url that asks for a broker inside.
const Embedded = "embedded"

// schemes are those of a broker, with the port that mqtt and mqtts mean; for the
// others a websocket client knows it.
var schemes = map[string]string{"mqtt": "1883", "mqtts": "8883", "ws": "", "wss": ""}

// otherSchemes are names that people write for one of schemes.
var otherSchemes = map[string]string{
	"tcp": "mqtt", "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts", "http": "ws", "https": "wss",
}

// checkURL returns what is wrong with the address of a broker. It does not quote it: what stands there may be a password.
func checkURL(text string) error {
	if text == "" || text == Embedded {
		return nil
	}
	scheme, rest, found := strings.Cut(text, "://")
	_, known := schemes[scheme]
	switch {
	case strings.Contains(text, "@"):
		return errors.New("a user's name or password in the address would be seen in logs: write them as mqtt.username and mqtt.password")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' }):
		return errors.New("has a space in it")
	case !found:
		return fmt.Errorf("has no scheme: write for example \"mqtt://%s\", or embedded%s", plainHost(text), cli.DidYouMean(text, []string{Embedded}))
	case otherSchemes[scheme] != "":
		return fmt.Errorf("begins with %s://: use %s://", scheme, otherSchemes[scheme])
	case !known:
		return errors.New("is not the address of a broker: it begins with mqtt://, mqtts://, ws:// or wss://")
	case rest == "":
		return fmt.Errorf("has no host: write for example \"%s://localhost\"", scheme)
	}
	return checkHost(text)
}

func checkHost(text string) error {
	u, err := url.Parse(text)
	if err != nil { // which holds a part of text
		return errors.New("is not an address: write it as mqtt://HOST:PORT, and user name and password as mqtt.username and mqtt.password")
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return fmt.Errorf("%q is not a port: it is a number from 1 to 65535", u.Port())
	}
	if u.Hostname() == "" {
		return errors.New("has no host: write it as mqtt://HOST:PORT")
	}
	if schemes[u.Scheme] != "" && strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		return errors.New("nothing comes after the port (topics are mqtt.base_topic)")
	}
	return nil
}

// plainHost returns text where it is certainly that of a host, else an example of one.
func plainHost(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, "1"
	}
	if _, bad := strconv.Atoi(port); bad == nil && (host == "localhost" || net.ParseIP(host) != nil) {
		return text
	}
	return "homeassistant.local"
}

// withPort returns a sound address with what people leave out: the port of mqtt
// and mqtts, and the path of ws and wss, which is /mqtt at nearly every broker.
func withPort(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	if port := schemes[u.Scheme]; port != "" {
		u.Path = ""
		if u.Port() == "" {
			u.Host = strings.TrimSuffix(u.Host, ":") + ":" + port
		}
		return u.String()
	}
	if u.Path == "" {
		u.Path = "/mqtt"
	}
	return u.String()
}

// readPassword puts the content of the password file, without the end of its
// line, into m.
func (l *loader) readPassword(m *MQTT) {
	const path = "mqtt.password_file"
	if m.PasswordFile == "" {
		return
	}
	if m.Password != "" {
		l.add(l.placeOf(path), path, "mqtt.password is set too (%s): keep one of the two", l.placeOf("mqtt.password"))
		return
	}
	text, err := readText(m.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (is the secret mounted?)", err)
	}
	err = secretFiles["password_file"].fault(m.PasswordFile, err)
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = fmt.Errorf("%s is empty", m.PasswordFile)
	}
	if err != nil {
		l.add(l.placeOf(path), path, "%s", err)
	}
	m.Password = Secret(strings.TrimRight(string(text), "\r\n"))
}
