package interop

import (
	stdx509 "crypto/x509"
	"encoding/pem"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"
)

// The helpers `gen ca|key|csr|crt|keypair` (spec §3.7), as run.ts calls them:
//
//	gen ca --organization interop                  interop.crt .sha256 .key
//	gen ca --organization interop-rsa --rsa        interop-rsa.crt .sha256 .key
//	gen key --name client                          client.key
//	gen csr --key client.key --ip 192.0.2.30 --roles os:reader,os:admin    client.csr
//	gen crt --name client --ca interop --csr client.csr                    client.crt
//	gen keypair --organization pair --ip 192.0.2.31                        pair.crt .key

func generated(t *testing.T) string {
	t.Helper()

	made, _ := artifacts(t)
	onlyOurs(t, made, made.Generated != "", "file of the gen helpers")

	return made.Generated
}

func TestGenCA(t *testing.T) {
	directory := generated(t)

	for _, c := range []struct {
		name    string
		options []x509.Option
	}{{"interop", nil}, {"interop-rsa", []x509.Option{x509.RSA(true)}}} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()

			twin, err := x509.NewSelfSignedCertificateAuthority(authorityOptions(now, append(c.options, x509.Organization(c.name))...)...)
			if err != nil {
				t.Fatal(err)
			}

			ca, held := readAuthority(t, directory, c.name)
			report(t, checkAuthority(ca, held, twin, authorityLife))

			if got, want := string(mustRead(t, directory, c.name+".sha256")), x509.Hash(ca.Certificate); got != want {
				t.Errorf("%s.sha256: %q, want %q", c.name, got, want)
			}

			private(t, directory, c.name+".crt", c.name+".key", c.name+".sha256")
		})
	}
}

func TestGenKey(t *testing.T) {
	directory := generated(t)

	if _, err := readKey(mustRead(t, directory, "client.key"), ed25519Form); err != nil {
		t.Errorf("client.key: %v", err)
	}

	private(t, directory, "client.key")
}

func TestGenCSR(t *testing.T) {
	directory := generated(t)

	key, err := readKey(mustRead(t, directory, "client.key"), ed25519Form)
	if err != nil {
		t.Fatal(err)
	}

	twin, err := x509.NewCertificateSigningRequest(key, x509.Organization("os:admin", "os:reader"),
		x509.IPAddresses([]net.IP{net.ParseIP("192.0.2.30")}))
	if err != nil {
		t.Fatal(err)
	}

	ours, theirs := requestBlock(t, mustRead(t, directory, "client.csr")), requestBlock(t, twin.X509CertificateRequestPEM)
	report(t, differencesAsErrors(compareRequests(ours.Bytes, theirs.Bytes)))
	report(t, compact(checkPEM(mustRead(t, directory, "client.csr"))))
	private(t, directory, "client.csr")

	parsed, err := stdx509.ParseCertificateRequest(ours.Bytes)
	if err != nil {
		t.Fatal(err)
	}

	report(t, compact(parsed.CheckSignature()))
	report(t, compact(checkKey(mustRead(t, directory, "client.key"), parsed.PublicKey)))
}

func TestGenCrt(t *testing.T) {
	directory := generated(t)
	_, held := readAuthority(t, directory, "interop")
	issuer := osIssuer(t, held)

	leaf := parse(t, mustRead(t, directory, "client.crt"))
	options := append(talosClient(talosLife, "os:admin", "os:reader"), x509.IPAddresses([]net.IP{net.ParseIP("192.0.2.30")}))

	report(t, differencesAsErrors(compareLeaf(leaf, issuer, options)))
	report(t, checkUse(leaf.Certificate, issuer.Crt, both[1:], time.Now()))
	report(t, compact(checkLife(leaf, issuer.Crt, talosLife)))
	report(t, compact(checkKey(mustRead(t, directory, "client.key"), leaf.PublicKey)))
	report(t, compact(checkPEM(mustRead(t, directory, "client.crt"))))
	private(t, directory, "client.crt")
}

func TestGenKeypair(t *testing.T) {
	directory := generated(t)

	twin, err := x509.NewSelfSignedCertificateAuthority(x509.Organization("pair"), x509.IPAddresses([]net.IP{net.ParseIP("192.0.2.31")}))
	if err != nil {
		t.Fatal(err)
	}

	ca, held := readAuthority(t, directory, "pair")
	report(t, checkAuthority(ca, held, twin, talosLife))
	private(t, directory, "pair.crt", "pair.key")
}

func readAuthority(t *testing.T, directory, name string) (*certificate, *x509.PEMEncodedCertificateAndKey) {
	t.Helper()

	held := &x509.PEMEncodedCertificateAndKey{
		Crt: mustRead(t, directory, name+".crt"), Key: mustRead(t, directory, name+".key"),
	}

	return parse(t, held.Crt), held
}

func requestBlock(t *testing.T, text []byte) *pem.Block {
	t.Helper()

	block, _ := pem.Decode(text)
	if block == nil || block.Type != x509.PEMTypeCertificateRequest {
		t.Fatalf("no block %q", x509.PEMTypeCertificateRequest)
	}

	return block
}

func private(t *testing.T, directory string, names ...string) {
	t.Helper()

	for _, name := range names {
		report(t, compact(checkPrivate(filepath.Join(directory, name))))
	}
}
