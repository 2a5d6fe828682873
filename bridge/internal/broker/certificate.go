package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// insecure explains why encryption was not agreed on.
func (p *place) insecure(ctx context.Context, err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.As(err, &authority):
		return p.unknown(authority.Cert)
	case errors.As(err, &name):
		return p.misnamed(name.Certificate)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return p.outOfDate(invalid.Cert)
	case errors.As(err, &invalid):
		return no("the certificate of %s cannot be used: %w (make another)", p.host, invalid)
	case errors.As(err, &header):
		why, _ := p.explainProtocol(ctx, true)
		return no("%s does not speak TLS (%s)", p.host, why)
	case errors.As(err, &remote) && remote.Op == "remote error":
		return p.alert(remote)
	case ended(err):
		return p.closed(ctx, "during the handshake")
	}
	return fmt.Errorf("mqtt: connect to %s: %w", p.host, err)
}

// alert explains why the other side has ended a handshake (RFC 8446, 6.2).
func (p *place) alert(remote *net.OpError) error {
	why := p.card()
	if text := remote.Err.Error(); !strings.Contains(text, "certificate") && !strings.Contains(text, "handshake failure") {
		why = "its log tells why; hanbridge speaks TLS 1.2 and 1.3"
	}
	return no("%s refuses the encrypted connection: %w (%s)", p.host, remote.Err, why)
}

// unknown explains a certificate that is signed by nobody who is trusted.
func (p *place) unknown(cert *x509.Certificate) error {
	who := "signed by nobody known here"
	if p.CAFile != "" {
		who = "not signed by whom mqtt.ca_file names"
	}
	whose := "the certificate of its authority"
	if cert != nil && cert.CheckSignatureFrom(cert) == nil || cert != nil && cert.Issuer.String() == cert.Subject.String() {
		whose = "a copy of it, since it signs itself"
	}
	return no("the certificate of %s is %s (set mqtt.ca_file to %s)", p.host, who, whose)
}

// misnamed explains a certificate that is not for the host. The common name is not looked at, as with other programs since 2020.
func (p *place) misnamed(cert *x509.Certificate) error {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > 0 {
		return no("the certificate of %s is for another name: %s (use a name from the certificate in mqtt.url, or make one with %s)",
			p.host, strings.Join(names[:min(len(names), 5)], ", "), p.alternative())
	}
	return no("the certificate of %s has its host in the common name alone (CN=%s), which counts no more: make one with "+
		"a subjectAltName (openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout broker.key -out broker.pem -subj /CN=%s "+
		"-addext \"subjectAltName=%s\") and set mqtt.ca_file to it, or give up the check with mqtt.insecure_skip_verify: true",
		p.host, cert.Subject.CommonName, p.name(), p.alternative())
}

// alternative is the name of the host as a certificate has it.
func (p *place) alternative() string {
	if net.ParseIP(p.name()) != nil {
		return "IP:" + p.name()
	}
	return "DNS:" + p.name()
}

func (p *place) name() string {
	name, _, _ := net.SplitHostPort(p.host)
	return name
}

// outOfDate explains a certificate that is not valid at this time. That is not permanent: a clock may be set later.
func (p *place) outOfDate(cert *x509.Certificate) error {
	now := time.Now()
	if now.Before(cert.NotBefore) {
		return fmt.Errorf("mqtt: the certificate of %s is not valid before %s, and the clock here says %s (is the clock right?)",
			p.host, day(cert.NotBefore), day(now))
	}
	return fmt.Errorf("mqtt: the certificate of %s was valid until %s, and the clock here says %s (is the clock right? If so, renew it at the broker)",
		p.host, day(cert.NotAfter), day(now))
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
