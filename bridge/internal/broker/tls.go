package broker

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// loadCertificates reads the certificate files into p.tls and returns a *ConfigError for each faulty file. It runs at every dial, so the
// bridge uses a renewed certificate without a restart.
func (p *target) loadCertificates() (errs []error) {
	refuse := func(key, reason string, err error) { errs = append(errs, &ConfigError{key, reason, err}) }
	// The scheme is read from the text, because p.url is nil if the address is not valid.
	if scheme, _, _ := strings.Cut(p.URL, ":"); p.URL != "" && !schemes[scheme].secure {
		for _, f := range [...]struct{ key, file string }{{"mqtt.ca_file", p.CAFile}, {"mqtt.cert_file", p.CertFile}, {"mqtt.key_file", p.KeyFile}} {
			if f.file != "" {
				_, err := readPEM(f.file) // if the file is faulty too, the error says both
				refuse(f.key, "certificates need TLS: write mqtt.url with mqtts:// or wss://", err)
			}
		}
		if p.InsecureSkipVerify {
			refuse("mqtt.insecure_skip_verify",
				"has no effect without TLS: write mqtt.url with mqtts:// or wss://, or remove this line", nil)
		}
		return errs
	}
	p.tls = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: p.InsecureSkipVerify}
	if p.CAFile != "" {
		pem, err := readPEM(p.CAFile)
		p.tls.RootCAs = x509.NewCertPool()
		if err == nil && !p.tls.RootCAs.AppendCertsFromPEM(pem) {
			err = errors.New(p.CAFile + " holds no certificate in PEM form")
		}
		if err != nil {
			refuse("mqtt.ca_file", "", err)
		}
	}
	return append(errs, p.loadClientCertificate()...)
}

// loadClientCertificate reads the client's certificate and its key into p.tls.
func (p *target) loadClientCertificate() (errs []error) {
	if p.CertFile == "" && p.KeyFile == "" {
		return nil
	}
	var pem [2][]byte
	for i, f := range [2]struct{ key, file, otherKey string }{
		{"mqtt.cert_file", p.CertFile, "mqtt.key_file"}, {"mqtt.key_file", p.KeyFile, "mqtt.cert_file"},
	} {
		var err error
		if f.file == "" {
			return []error{&ConfigError{f.otherKey, "set without " + f.key + ": a client's certificate needs both", nil}}
		}
		if pem[i], err = readPEM(f.file); err != nil {
			errs = append(errs, &ConfigError{f.key, "", err})
		}
	}
	if len(errs) > 0 {
		return errs
	}
	pair, err := tls.X509KeyPair(pem[0], pem[1])
	if err != nil {
		return []error{&ConfigError{"mqtt.cert_file", "not a certificate and its key", err}}
	}
	p.tls.Certificates = []tls.Certificate{pair}
	return nil
}

// readPEM reads a file in PEM form and removes the byte order mark that some editors write.
func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, 1<<20)) // without a limit, reading a device file would never end
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(pem, []byte("\xFF\xFE")) || bytes.HasPrefix(pem, []byte("\xFE\xFF")) {
		return nil, errors.New(name + ": is in UTF-16, which PowerShell writes with >: save the file as UTF-8")
	}
	return bytes.TrimPrefix(pem, []byte("\ufeff")), nil
}

// explainCertificate explains what is wrong with the broker's certificate. It returns nil if err has another cause. A certificate that has
// expired or is not valid yet is not a permanent error, because the clock of this machine is possibly wrong.
func (p *target) explainCertificate(err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return p.unknownAuthority(authority.Cert)
	case errors.As(err, &name):
		return p.otherName(name.Certificate)
	case !errors.As(err, &invalid):
		return nil
	case invalid.Reason != x509.Expired:
		return permanentf("the certificate of %s cannot be used: %w (make another certificate)", p.host, invalid)
	case time.Now().Before(invalid.Cert.NotBefore):
		return fmt.Errorf("mqtt: the certificate of %s is not valid before %s, and the clock here says %s (is the clock right?)",
			p.host, minute(invalid.Cert.NotBefore), minute(time.Now()))
	}
	return fmt.Errorf("mqtt: the certificate of %s was valid until %s, and the clock here says %s (is the clock right? If so, renew the certificate)",
		p.host, minute(invalid.Cert.NotAfter), minute(time.Now()))
}

// minute formats a time to the minute, in UTC.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// unknownAuthority explains a certificate that no trusted authority has signed.
func (p *target) unknownAuthority(cert *x509.Certificate) error {
	signer, neededFile := "not signed by an authority that this machine trusts", "the certificate of its authority"
	if p.CAFile != "" {
		signer = "not signed by an authority in mqtt.ca_file"
	}
	if cert != nil && (cert.CheckSignatureFrom(cert) == nil || cert.Issuer.String() == cert.Subject.String()) {
		neededFile = "a copy of this certificate, because it is self-signed"
	}
	return permanentf("the certificate of %s is %s (set mqtt.ca_file to %s)", p.host, signer, neededFile)
}

// otherName explains a certificate that is not valid for the host. The common name does not count, because crypto/tls ignores it.
func (p *target) otherName(cert *x509.Certificate) error {
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	wanted := "DNS:" + p.url.Hostname()
	if net.ParseIP(p.url.Hostname()) != nil {
		wanted = "IP:" + p.url.Hostname()
	}
	if len(names) > 0 {
		return permanentf("the certificate of %s is for another name: %s (use a name from the certificate in mqtt.url, or make a certificate with %s)",
			p.host, strings.Join(names[:min(len(names), 5)], ", "), wanted)
	}
	return permanentf("the certificate of %s has its host only in the common name (CN=%s), which is no longer valid: make a certificate "+
		"with a subjectAltName (openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout broker.key -out broker.pem -subj /CN=%s "+
		"-addext \"subjectAltName=%s\") and set mqtt.ca_file to broker.pem, or skip the check with mqtt.insecure_skip_verify: true",
		p.host, cert.Subject.CommonName, p.url.Hostname(), wanted)
}
