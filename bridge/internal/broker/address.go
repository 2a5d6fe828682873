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

// otherSchemes holds schemes that are common in other programs. Each value is the scheme to write instead.
var otherSchemes = map[string]string{
	"tcp": "mqtt", "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts", "http": "ws", "https": "wss",
}

// ParseURL parses the address of a broker. It adds the default port and, for ws and wss, the path /mqtt, which nearly every broker uses. The
// errors of ParseURL do not quote the text, because the text can contain a password.
func ParseURL(text string) (*url.URL, error) {
	scheme, _, found := strings.Cut(text, "://")
	_, supported := schemes[scheme]
	switch {
	case strings.Contains(text, "@"):
		return nil, errors.New("contains @: write user name and password as mqtt.username and mqtt.password, because logs show the address")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' }):
		return nil, errors.New("has a space in it")
	case !found:
		return nil, errors.New("has no scheme: write mqtt:// in front of the host, for example mqtt://homeassistant.local")
	case otherSchemes[scheme] != "":
		return nil, fmt.Errorf("begins with %s://: use %s://", scheme, otherSchemes[scheme])
	case !supported:
		return nil, errors.New("is not the address of a broker: such an address begins with mqtt://, mqtts://, ws:// or wss://")
	}
	u, err := url.Parse(text)
	if err != nil { // err quotes a part of text, so it is not wrapped
		return nil, errors.New("is not an address: write mqtt://HOST:PORT, and user name and password as mqtt.username and mqtt.password")
	}
	return completeURL(u)
}

// completeURL checks the parts of an address and adds the default port and path.
func completeURL(u *url.URL) (*url.URL, error) {
	s, port := schemes[u.Scheme], u.Port()
	n, err := strconv.Atoi(port)
	isPort := err == nil && n >= 1 && n <= 65535
	if port != "" && !isPort {
		return nil, fmt.Errorf("%q is not a port: a port is a number from 1 to 65535", port)
	}
	if u.Hostname() == "" {
		return nil, errors.New("has no host: write mqtt://HOST:PORT")
	}
	hasPath := strings.Trim(u.Path, "/")+u.RawQuery != ""
	if u.Fragment != "" || hasPath && !s.websocket {
		return nil, errors.New("remove what follows after the port (topics are set with mqtt.base_topic)")
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
