package interop

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	stdx509 "crypto/x509"
	"encoding/pem"
	"fmt"
)

// keyForm is what talos-pki.md §2.5 prescribes for one kind of private key.
type keyForm struct {
	label, publicLabel string
	parse              func(der []byte) (any, error)
	marshal            func(key any) ([]byte, error)
}

var (
	rsaForm = keyForm{
		label: "RSA PRIVATE KEY", publicLabel: "PUBLIC KEY",
		parse:   func(der []byte) (any, error) { return stdx509.ParsePKCS1PrivateKey(der) },
		marshal: func(key any) ([]byte, error) { return stdx509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey)), nil },
	}
	ecForm = keyForm{
		label: "EC PRIVATE KEY", publicLabel: "EC PUBLIC KEY",
		parse:   func(der []byte) (any, error) { return stdx509.ParseECPrivateKey(der) },
		marshal: func(key any) ([]byte, error) { return stdx509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey)) },
	}
	ed25519Form = keyForm{
		label: "ED25519 PRIVATE KEY", publicLabel: "ED25519 PUBLIC KEY",
		parse:   stdx509.ParsePKCS8PrivateKey,
		marshal: stdx509.MarshalPKCS8PrivateKey,
	}
)

// ed25519FileLabel is how the key of a leaf is labelled in the files of the PKI directory. Talos' own
// label is one that OpenSSL cannot read; resources, bundles and talosconfigs have Talos' in any case.
const ed25519FileLabel = "PRIVATE KEY"

func formFor(public any) (keyForm, error) {
	switch public.(type) {
	case *rsa.PublicKey:
		return rsaForm, nil
	case *ecdsa.PublicKey:
		return ecForm, nil
	case ed25519.PublicKey:
		return ed25519Form, nil
	default:
		return keyForm{}, fmt.Errorf("public key of type %T", public)
	}
}

// checkKey asks that a private key belongs to a public one and stands in the PEM that Talos writes.
func checkKey(text []byte, public crypto.PublicKey) error {
	form, err := formFor(public)
	if err != nil {
		return err
	}

	return checkKeyForm(text, public, form)
}

// checkKeyFile is checkKey for a file of the PKI directory.
func checkKeyFile(text []byte, public crypto.PublicKey) error {
	form, err := formFor(public)
	if err != nil {
		return err
	}

	if form.label == ed25519Form.label {
		form.label = ed25519FileLabel
	}

	return checkKeyForm(text, public, form)
}

func checkKeyForm(text []byte, public crypto.PublicKey, form keyForm) error {
	key, err := readKey(text, form)
	if err != nil {
		return err
	}

	if !samePublic(key.(crypto.Signer).Public(), public) {
		return fmt.Errorf("key does not match the certificate")
	}

	return nil
}

func readKey(text []byte, form keyForm) (any, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("PEM: no block")
	}

	if block.Type != form.label {
		return nil, fmt.Errorf("PEM label: %q, want %q", block.Type, form.label)
	}

	if len(rest) > 0 {
		return nil, fmt.Errorf("PEM: %d bytes after the block", len(rest))
	}

	if err := checkPEM(text); err != nil {
		return nil, err
	}

	key, err := form.parse(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("PEM body: %w", err)
	}

	again, err := form.marshal(key)
	if err != nil {
		return nil, fmt.Errorf("PEM body: %w", err)
	}

	if !bytes.Equal(again, block.Bytes) {
		// Never print the bytes: a key that is the referee's today may be somebody's tomorrow.
		return nil, fmt.Errorf("PEM body: %d bytes, and not the %d bytes that Go writes for this key", len(block.Bytes), len(again))
	}

	return key, nil
}

// checkPEM asks for PEM as Go writes it: 64 columns, LF, one LF at the end, no headers.
func checkPEM(text []byte) error {
	blocks, err := pemBlocks(text)
	if err != nil {
		return fmt.Errorf("PEM: %w", err)
	}

	var again []byte
	for _, block := range blocks {
		again = append(again, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
	}

	if !bytes.Equal(again, text) {
		return fmt.Errorf("PEM: columns or line ends are not those of Go (%d bytes, want %d)", len(text), len(again))
	}

	return nil
}

func samePublic(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })

	return ok && comparable.Equal(b)
}

// checkServiceAccount asks that the public half is the private one's, each in its form.
func checkServiceAccount(private, public []byte) error {
	block, _ := pem.Decode(private)
	if block == nil {
		return fmt.Errorf("sa.key: PEM: no block")
	}

	var form keyForm

	switch block.Type {
	case rsaForm.label:
		form = rsaForm
	case ecForm.label:
		form = ecForm
	default:
		return fmt.Errorf("sa.key: PEM label: %q, want %q or %q", block.Type, rsaForm.label, ecForm.label)
	}

	key, err := readKey(private, form)
	if err != nil {
		return fmt.Errorf("sa.key: %w", err)
	}

	spki, err := stdx509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		return fmt.Errorf("sa.key: %w", err)
	}

	want := pem.EncodeToMemory(&pem.Block{Type: form.publicLabel, Bytes: spki})
	if !bytes.Equal(public, want) {
		return fmt.Errorf("sa.pub: %q, want %q", public, want)
	}

	return nil
}
