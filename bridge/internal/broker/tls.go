package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
)

// certificates reads the certificate files. It is done at every dial, so that a renewed certificate needs no restart.
func (p *place) certificates(secure bool) (*tls.Config, error) {
	if !secure {
		return nil, p.plain()
	}
	name, _, _ := net.SplitHostPort(p.host)
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: p.InsecureSkipVerify}
	if p.CAFile != "" {
		pem, err := os.ReadFile(p.CAFile)
		if err != nil {
			return nil, &ConfigError{"ca_file", "", err}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &ConfigError{"ca_file", p.CAFile + " holds no certificate in PEM form", nil}
		}
	}
	return c, p.identity(c)
}

// plain refuses certificates that would not be used: who names them believes the connection to be encrypted.
func (p *place) plain() error {
	for _, f := range [...]struct{ key, file string }{{"ca_file", p.CAFile}, {"cert_file", p.CertFile}, {"key_file", p.KeyFile}} {
		if f.file != "" {
			return &ConfigError{f.key, "set, but mqtt.url is not encrypted (want mqtts:// or wss://)", nil}
		}
	}
	if p.InsecureSkipVerify {
		return &ConfigError{"insecure_skip_verify", "set, but mqtt.url is not encrypted (want mqtts:// or wss://)", nil}
	}
	return nil
}

func (p *place) identity(c *tls.Config) error {
	if p.CertFile == "" && p.KeyFile == "" {
		return nil
	}
	if p.CertFile == "" {
		return &ConfigError{"cert_file", "missing: mqtt.key_file is set", nil}
	}
	if p.KeyFile == "" {
		return &ConfigError{"key_file", "missing: mqtt.cert_file is set", nil}
	}
	for _, f := range [...]struct{ key, file string }{{"cert_file", p.CertFile}, {"key_file", p.KeyFile}} {
		if _, err := os.Stat(f.file); err != nil {
			return &ConfigError{f.key, "", err}
		}
	}
	pair, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
	if err != nil {
		return &ConfigError{"cert_file", "not a certificate and its key", err}
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}

func (p *place) encrypt(ctx context.Context, conn net.Conn) (net.Conn, error) {
	secure := tls.Client(conn, p.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}
