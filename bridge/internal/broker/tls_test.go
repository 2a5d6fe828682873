package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
)

// A certificate is a self-signed certificate and the files that hold it.
type certificate struct {
	pair              tls.Certificate
	certFile, keyFile string
}

// issue makes a certificate for host, which is a name or an IP address. The certificate is valid until the given time.
func issue(t *testing.T, host string, until time.Time) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := certificate{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem")}
	for file, block := range map[string]*pem.Block{
		c.certFile: {Type: "CERTIFICATE", Bytes: der}, c.keyFile: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c.pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSchemes tests publishing over each scheme of a URL.
func TestSchemes(t *testing.T) {
	trusted := issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{trusted.pair}}
	s := start(t)
	mqtts := listeners.NewTCP(listeners.Config{ID: "mqtts", Address: "127.0.0.1:0", TLSConfig: tlsConfig})
	ws := listeners.NewWebsocket(listeners.Config{ID: "ws", Address: faultnet.UnusedAddress(t)})
	wss := listeners.NewWebsocket(listeners.Config{ID: "wss", Address: faultnet.UnusedAddress(t), TLSConfig: tlsConfig})
	for _, l := range []listeners.Listener{mqtts, ws, wss} {
		if err := s.AddListener(l); err != nil {
			t.Fatal(err)
		}
		go l.Serve(s.EstablishConnection)
	}
	for url, caFile := range map[string]string{
		s.url: "", "mqtts://" + mqtts.Address(): trusted.certFile, "ws://" + ws.Address(): "", "wss://" + wss.Address(): trusted.certFile,
	} {
		c := config(url)
		c.CAFile = caFile
		var conn *broker.Conn
		waitFor(t, "cannot dial "+url, func() bool { // the listener is possibly still starting
			var err error
			conn, err = broker.Dial(t.Context(), c)
			return err == nil
		})
		publishAll(t, conn, 0, 100)
		if err := conn.Close(t.Context()); err != nil {
			t.Errorf("Close of %s: %v", url, err)
		}
	}
	s.await(t, 400) // 100 messages over each of four schemes
}

// TestCertificatesExplained tests the error for each kind of certificate that the client or the broker does not accept.
func TestCertificatesExplained(t *testing.T) {
	later := time.Now().Add(time.Hour)
	valid, otherHost := issue(t, "127.0.0.1", later), issue(t, "broker.example", later)
	expired := issue(t, "127.0.0.1", time.Now().Add(-24*time.Hour))
	for name, tc := range map[string]struct {
		server     certificate
		clientAuth tls.ClientAuthType
		caFile     string
		want       string // part of the error
		permanent  bool
	}{
		"unknown authority":           {valid, tls.NoClientCert, otherHost.certFile, "mqtt.ca_file", true},
		"another host":                {otherHost, tls.NoClientCert, otherHost.certFile, "for another name", true},
		"expired":                     {expired, tls.NoClientCert, expired.certFile, "is the clock right?", false},
		"client certificate required": {valid, tls.RequireAnyClientCert, valid.certFile, "mqtt.cert_file", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			l := listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:0", TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{tc.server.pair}, ClientAuth: tc.clientAuth,
			}})
			if err := s.AddListener(l); err != nil {
				t.Fatal(err)
			}
			go l.Serve(s.EstablishConnection)
			c := config("mqtts://" + l.Address())
			c.CAFile = tc.caFile
			_, err := broker.Dial(t.Context(), c)
			checkRefusal(t, err, tc.want)
			if got := broker.Permanent(err); got != tc.permanent {
				t.Errorf("Permanent(%v): got %v, want %v", err, got, tc.permanent)
			}
			if tc.clientAuth == tls.NoClientCert {
				return
			}
			c.CertFile, c.KeyFile = valid.certFile, valid.keyFile
			publishAll(t, dial(t, c), 0, 1) // with a client certificate the login succeeds
		})
	}
}
