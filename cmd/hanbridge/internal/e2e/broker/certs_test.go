//go:build linux

package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An authority is a certificate authority.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // path of its certificate
}

// A certFiles holds the paths of the files with a certificate and with its private key.
type certFiles struct{ cert, key string }

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Home"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(0, 1, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.write("CERTIFICATE", der)
	return a
}

// issue makes a certificate for a host. The certificate is valid until the given time, for a server or a client.
func (a *authority) issue(host string, until time.Time) certFiles {
	a.t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: until,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	return a.sign(template)
}

// issueWithoutSAN makes a server certificate with the host only in its common name. Old guides make such certificates, but Go rejects them.
func (a *authority) issueWithoutSAN(host string) certFiles {
	a.t.Helper()
	return a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: host}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(0, 1, 0),
	})
}

// sign makes a key, and from the template a certificate for this key.
func (a *authority) sign(template *x509.Certificate) certFiles {
	a.t.Helper()
	key := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return certFiles{a.write("CERTIFICATE", der), a.write("PRIVATE KEY", pkcs8)}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write writes a PEM file and returns its path.
func (a *authority) write(kind string, der []byte) (file string) {
	a.t.Helper()
	file = filepath.Join(a.t.TempDir(), "pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// listenerLines returns the lines of Mosquitto's configuration that make a listener use the certificate.
func (c certFiles) listenerLines() []string {
	return []string{"certfile " + c.cert, "keyfile " + c.key}
}

// clientVariables returns the environment variables that make a bridge present the certificate to the broker.
func (c certFiles) clientVariables() []string {
	return []string{"HANBRIDGE_MQTT_CERT_FILE=" + c.cert, "HANBRIDGE_MQTT_KEY_FILE=" + c.key}
}

// caVariable returns the environment variable that makes a bridge trust the authority.
func (a *authority) caVariable() string { return "HANBRIDGE_MQTT_CA_FILE=" + a.file }
