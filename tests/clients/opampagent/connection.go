package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/open-telemetry/opamp-go/protobufs"
)

// connection is where and how the agent connects.
type connection struct {
	url       string
	header    http.Header
	tls       *tls.Config
	heartbeat time.Duration
}

func connectionFromFiles(o options) (connection, error) {
	c := connection{url: o.url, header: o.header, heartbeat: o.poll}
	if o.caFile == "" {
		return c, nil
	}
	c.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	pemBytes, err := os.ReadFile(o.caFile)
	if err != nil {
		return c, err
	}
	c.tls.RootCAs = x509.NewCertPool()
	if !c.tls.RootCAs.AppendCertsFromPEM(pemBytes) {
		return c, errors.New("no certificate in " + o.caFile)
	}
	if o.certFile != "" {
		pair, err := tls.LoadX509KeyPair(o.certFile, o.keyFile)
		if err != nil {
			return c, err
		}
		c.tls.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// onOpampSettings accepts an offer that can be used and reconnects with it; an error makes the
// library report FAILED. The client cannot be stopped from its own callback, hence the goroutine.
func (a *agent) onOpampSettings(_ context.Context, s *protobufs.OpAMPConnectionSettings) error {
	a.lock.Lock()
	old, next, hash, key := a.now, a.now, a.offered, a.csrKey
	a.lock.Unlock()
	if s.DestinationEndpoint != "" {
		next.url = s.DestinationEndpoint
	}
	if s.HeartbeatIntervalSeconds > 0 {
		next.heartbeat = time.Duration(s.HeartbeatIntervalSeconds) * time.Second
	}
	if s.Headers != nil {
		next.header = http.Header{}
		for _, h := range s.Headers.Headers {
			next.header.Add(h.Key, h.Value)
		}
	}
	if s.Certificate != nil {
		if len(s.Certificate.PrivateKey) > 0 {
			key = s.Certificate.PrivateKey
		}
		pair, err := tls.X509KeyPair(s.Certificate.Cert, key)
		if err != nil {
			return err
		}
		next.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if old.tls != nil {
			next.tls = old.tls.Clone()
		}
		next.tls.Certificates = []tls.Certificate{pair}
	}
	emit("opamp_settings", map[string]any{"url": next.url, "headers": len(next.header),
		"heartbeat_s": next.heartbeat.Seconds(), "certificate": s.Certificate != nil})
	if s.DestinationEndpoint == "" && s.Headers == nil && s.Certificate == nil {
		return nil // only the heartbeat, which the library has already taken over
	}
	go a.reconnect(old, next, hash)
	return nil
}

// reconnect goes back to the old connection when the new one does not open within 5 s.
func (a *agent) reconnect(old, next connection, hash []byte) {
	time.Sleep(200 * time.Millisecond) // lets the status leave on the old connection
	a.stop()
	status := &protobufs.ConnectionSettingsStatus{
		LastConnectionSettingsHash: hash,
		Status:                     protobufs.ConnectionSettingsStatuses_ConnectionSettingsStatuses_APPLIED,
	}
	a.must(a.start(next, status))
	a.lock.Lock()
	connected := a.connected
	a.lock.Unlock()
	select {
	case <-connected:
		emit("reconnected", map[string]any{"url": next.url})
	case <-time.After(5 * time.Second):
		a.stop()
		status.Status = protobufs.ConnectionSettingsStatuses_ConnectionSettingsStatuses_FAILED
		status.ErrorMessage = "could not connect with the offered settings"
		a.must(a.start(old, status))
		emit("went_back", map[string]any{"url": old.url})
	}
}

// requestCertificate makes a key and asks the server to sign a request for it.
func (a *agent) requestCertificate(commonName string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader,
		&x509.CertificateRequest{Subject: pkix.Name{CommonName: commonName}}, key)
	if err != nil {
		return err
	}
	a.lock.Lock()
	a.csrKey = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	a.lock.Unlock()
	return a.current().RequestConnectionSettings(&protobufs.ConnectionSettingsRequest{
		Opamp: &protobufs.OpAMPConnectionSettingsRequest{
			CertificateRequest: &protobufs.CertificateRequest{
				Csr: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr}),
			},
		},
	})
}
