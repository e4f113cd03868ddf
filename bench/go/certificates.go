package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"runtime"
	"time"
)

// keys is how many keys the leaves take turns with.
const keys = 16

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

var (
	leafSubject = pkix.Name{CommonName: "node-1.example.org", Organization: []string{"example"}}
	dnsNames    = []string{"node-1", "node-1.example.org", "api.example.org"}
	ipAddresses = []net.IP{net.IPv4(10, 5, 0, 2).To4(), net.ParseIP("fd00::2")}
)

func serialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}

	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}

	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"etcd"}},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}

	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}

	certificate, err := x509.ParseCertificate(der)

	return &authority{certificate: certificate, key: key}, err
}

// issue signs a leaf and reads it again, as who issues for others has to.
func (ca *authority) issue(publicKey any, dnsNames []string, ipAddresses []net.IP) (*x509.Certificate, []byte, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, nil, err
	}

	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               leafSubject,
		NotBefore:             now.Add(-15 * time.Minute),
		NotAfter:              now.Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		DNSNames:              dnsNames,
		IPAddresses:           ipAddresses,
	}

	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, publicKey, ca.key)
	if err != nil {
		return nil, nil, err
	}

	certificate, err := x509.ParseCertificate(der)

	return certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

func newKeys() ([]*ecdsa.PrivateKey, error) {
	made := make([]*ecdsa.PrivateKey, keys)

	for i := range made {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}

		made[i] = key
	}

	return made, nil
}

// leaf issues for keys that are there.
func leaf(_ context.Context, size Size) (float64, error) {
	ca, err := newAuthority()
	if err != nil {
		return 0, err
	}

	made, err := newKeys()
	if err != nil {
		return 0, err
	}

	return serially(size, func(i int) error {
		_, _, err := ca.issue(made[i%keys].Public(), dnsNames, ipAddresses)

		return err
	})
}

// leafFromCSR reads and verifies a request, and issues what it asks for.
func leafFromCSR(_ context.Context, size Size) (float64, error) {
	ca, err := newAuthority()
	if err != nil {
		return 0, err
	}

	made, err := newKeys()
	if err != nil {
		return 0, err
	}

	requests := make([][]byte, keys)

	for i, key := range made {
		template := &x509.CertificateRequest{Subject: leafSubject, DNSNames: dnsNames, IPAddresses: ipAddresses}

		der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
		if err != nil {
			return 0, err
		}

		requests[i] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}

	return serially(size, func(i int) error {
		block, _ := pem.Decode(requests[i%keys])
		if block == nil {
			return errors.New("not a PEM block")
		}

		request, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			return err
		}

		if err = request.CheckSignature(); err != nil {
			return fmt.Errorf("the request is not signed by its key: %w", err)
		}

		_, _, err = ca.issue(request.PublicKey, request.DNSNames, request.IPAddresses)

		return err
	})
}

// serially measures on one thread.
func serially(size Size, work func(i int) error) (float64, error) {
	runtime.GOMAXPROCS(1)

	if err := each(1, size.Warmup, work); err != nil {
		return 0, err
	}

	start := time.Now()
	err := each(1, size.Count, work)

	return rate(size.Count, time.Since(start)), err
}
