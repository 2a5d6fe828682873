package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// schemes holds the properties of each URL scheme.
var schemes = map[string]struct {
	port      string // the default port
	secure    bool   // the connection uses TLS
	websocket bool
}{
	"mqtt":  {port: "1883"},
	"mqtts": {port: "8883", secure: true},
	"ws":    {port: "80", websocket: true},
	"wss":   {port: "443", secure: true, websocket: true},
}

// otherSchemes maps schemes that other programs use to the keys of schemes.
var otherSchemes = map[string]string{
	"tcp": "mqtt", "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts", "http": "ws", "https": "wss",
}

// ParseURL parses the address of a broker. It adds the default port and, for ws and wss, the path /mqtt, which nearly every broker uses. Its
// errors do not quote the text, because the text can contain a password.
func ParseURL(text string) (*url.URL, error) {
	scheme, _, found := strings.Cut(text, "://")
	_, supported := schemes[scheme]
	switch {
	case strings.Contains(text, "@"):
		return nil, errors.New("a user's name or password in the address would be seen in logs: write them as mqtt.username and mqtt.password")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' }):
		return nil, errors.New("has a space in it")
	case !found:
		return nil, errors.New("has no scheme: write mqtt:// in front of the host, for example mqtt://homeassistant.local")
	case otherSchemes[scheme] != "":
		return nil, fmt.Errorf("begins with %s://: use %s://", scheme, otherSchemes[scheme])
	case !supported:
		return nil, errors.New("is not the address of a broker: it begins with mqtt://, mqtts://, ws:// or wss://")
	}
	u, err := url.Parse(text)
	if err != nil { // err quotes a part of text, so it is not wrapped
		return nil, errors.New("is not an address: write it as mqtt://HOST:PORT, and user name and password as mqtt.username and mqtt.password")
	}
	return completeURL(u)
}

// completeURL checks the parts of an address and adds the default port and path.
func completeURL(u *url.URL) (*url.URL, error) {
	s, port := schemes[u.Scheme], u.Port()
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
		return nil, fmt.Errorf("%q is not a port: it is a number from 1 to 65535", port)
	}
	if u.Hostname() == "" {
		return nil, errors.New("has no host: write it as mqtt://HOST:PORT")
	}
	if u.Fragment != "" || !s.websocket && strings.Trim(u.Path, "/")+u.RawQuery != "" {
		return nil, errors.New("nothing comes after the port (topics are mqtt.base_topic)")
	}
	if port == "" {
		port = s.port
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	switch {
	case !s.websocket:
		u.Path = ""
	case u.Path == "":
		u.Path = "/mqtt"
	}
	return u, nil
}
