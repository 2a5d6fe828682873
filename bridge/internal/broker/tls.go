package broker

import (
	"bytes"
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
	c := &tls.Config{ServerName: p.name(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: p.InsecureSkipVerify}
	if p.CAFile != "" {
		pem, err := readPEM("ca_file", p.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &ConfigError{"ca_file", p.CAFile + " holds no certificate in PEM form", nil}
		}
	}
	return c, p.identity(c)
}

// readPEM reads a file in PEM form, which begins with a mark where some editors have saved it.
func readPEM(key, name string) ([]byte, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, &ConfigError{key, "", err}
	}
	if bytes.HasPrefix(pem, []byte("\xFF\xFE")) || bytes.HasPrefix(pem, []byte("\xFE\xFF")) {
		return nil, &ConfigError{key, name + " is in UTF-16, as > of PowerShell writes it: save it as UTF-8", nil}
	}
	return bytes.TrimPrefix(pem, []byte("\ufeff")), nil
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
	cert, err := readPEM("cert_file", p.CertFile)
	if err != nil {
		return err
	}
	key, err := readPEM("key_file", p.KeyFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
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
