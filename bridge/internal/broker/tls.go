package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
)

// certificates reads the certificate files into p.tls, and returns a *ConfigError for each that is wrong. It is done at every dial, so
// that a renewed certificate needs no restart.
func (p *place) certificates() (wrong []error) {
	if p.plain() {
		return p.unused()
	}
	p.tls = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: p.InsecureSkipVerify}
	if p.url != nil {
		p.tls.ServerName = p.name()
	}
	if p.CAFile != "" {
		pem, err := readPEM(p.CAFile)
		p.tls.RootCAs = x509.NewCertPool()
		if err == nil && !p.tls.RootCAs.AppendCertsFromPEM(pem) {
			err = errors.New(p.CAFile + " holds no certificate in PEM form")
		}
		if err != nil {
			wrong = append(wrong, &ConfigError{"mqtt.ca_file", "", err})
		}
	}
	return append(wrong, p.identity()...)
}

// plain reports whether the way to the broker is not encrypted, as far as an address that is wrong tells.
func (p *place) plain() bool {
	if p.url != nil {
		return !schemes[p.url.Scheme].secure
	}
	return p.URL != "" && !strings.HasPrefix(p.URL, "mqtts:") && !strings.HasPrefix(p.URL, "wss:")
}

// unused refuses what does nothing without encryption: who sets it believes the connection to be encrypted.
func (p *place) unused() (wrong []error) {
	for _, f := range [...]struct{ key, file string }{{"mqtt.ca_file", p.CAFile}, {"mqtt.cert_file", p.CertFile}, {"mqtt.key_file", p.KeyFile}} {
		if f.file != "" {
			_, err := readPEM(f.file)
			wrong = append(wrong, &ConfigError{f.key, "certificates need TLS: write mqtt.url with mqtts:// or wss://", err})
		}
	}
	if p.InsecureSkipVerify {
		wrong = append(wrong, &ConfigError{"mqtt.insecure_skip_verify",
			"there is no certificate to pass over without TLS: write mqtt.url with mqtts:// or wss://, or take the line out", nil})
	}
	return wrong
}

// identity reads the client's certificate and its key.
func (p *place) identity() (wrong []error) {
	const half = ": a client's certificate needs both"
	switch {
	case p.CertFile == "" && p.KeyFile == "":
		return nil
	case p.CertFile == "":
		return []error{&ConfigError{"mqtt.key_file", "set without mqtt.cert_file" + half, nil}}
	case p.KeyFile == "":
		return []error{&ConfigError{"mqtt.cert_file", "set without mqtt.key_file" + half, nil}}
	}
	cert, err := readPEM(p.CertFile)
	if err != nil {
		wrong = append(wrong, &ConfigError{"mqtt.cert_file", "", err})
	}
	key, err := readPEM(p.KeyFile)
	if err != nil {
		wrong = append(wrong, &ConfigError{"mqtt.key_file", "", err})
	}
	if len(wrong) > 0 {
		return wrong
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return []error{&ConfigError{"mqtt.cert_file", "not a certificate and its key", err}}
	}
	p.tls.Certificates = []tls.Certificate{pair}
	return nil
}

// readPEM reads a file in PEM form, which begins with a mark where some editors have saved it.
func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 1 << 20 // a device never ends
	pem, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(pem, []byte("\xFF\xFE")) || bytes.HasPrefix(pem, []byte("\xFE\xFF")) {
		return nil, errors.New(name + ": is in UTF-16, as > of PowerShell writes it: save it as UTF-8")
	}
	return bytes.TrimPrefix(pem, []byte("\ufeff")), nil
}

func (p *place) encrypt(ctx context.Context, conn net.Conn) (net.Conn, error) {
	secure := tls.Client(conn, p.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}
