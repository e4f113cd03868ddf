// Package interop is the referee of trustplane's certificates and files. Everything that the product
// writes is read here by Go: crypto/x509, siderolabs/crypto and the machinery of Talos.
package interop

import (
	stdx509 "crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
)

// extension is one extension as it stands in the DER.
type extension struct {
	Raw      asn1.RawContent
	ID       asn1.ObjectIdentifier
	Critical bool `asn1:"optional"`
	Value    []byte
}

// request is the part of PKCS#10 that is compared.
type request struct {
	Version    int
	Subject    asn1.RawValue
	PublicKey  publicKey
	Attributes []asn1.RawValue `asn1:"tag:0"`
}

type publicKey struct {
	Algorithm asn1.RawValue
	Bits      asn1.BitString
}

type validity struct {
	NotBefore, NotAfter asn1.RawValue
}

// toBeSigned is TBSCertificate of RFC 5280 §4.1, split no further than the comparison needs.
type toBeSigned struct {
	Version    asn1.RawValue `asn1:"optional,tag:0"`
	Serial     *big.Int
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   validity
	Subject    asn1.RawValue
	PublicKey  publicKey
	Extensions []extension `asn1:"optional,explicit,tag:3"`
}

// certificate is one certificate twice: as DER fields, and as crypto/x509 understands it.
type certificate struct {
	*stdx509.Certificate

	fields    toBeSigned
	algorithm asn1.RawValue
}

// parseCertificate reads the DER of one certificate and refuses anything left over.
func parseCertificate(der []byte) (*certificate, error) {
	parsed, err := stdx509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}

	var outer struct {
		Fields    asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}

	if err := unmarshalAll(der, &outer); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}

	c := &certificate{Certificate: parsed, algorithm: outer.Algorithm}
	if err := unmarshalAll(outer.Fields.FullBytes, &c.fields); err != nil {
		return nil, fmt.Errorf("tbsCertificate: %w", err)
	}

	return c, nil
}

func unmarshalAll(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes left over: %s", len(rest), hex.EncodeToString(rest))
	}

	return err
}

// extensionValue gives the value of an extension, or nil when there is none.
func (c *certificate) extensionValue(id asn1.ObjectIdentifier) []byte {
	for _, e := range c.fields.Extensions {
		if e.ID.Equal(id) {
			return e.Value
		}
	}

	return nil
}

// pemBlocks splits PEM text into its blocks and refuses text outside of them, save blank lines.
func pemBlocks(text []byte) ([]*pem.Block, error) {
	var blocks []*pem.Block

	for rest := text; ; {
		block, after := pem.Decode(rest)
		if block == nil {
			if len(blocks) == 0 || len(trimmed(after)) > 0 {
				return nil, fmt.Errorf("%d PEM blocks, then %d bytes that are none", len(blocks), len(after))
			}

			return blocks, nil
		}

		blocks, rest = append(blocks, block), after
	}
}

func trimmed(text []byte) []byte {
	for len(text) > 0 && (text[0] == '\n' || text[0] == '\r') {
		text = text[1:]
	}

	return text
}

// parseChain reads certificates from PEM text, first one first.
func parseChain(text []byte) ([]*certificate, error) {
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}

	chain := make([]*certificate, 0, len(blocks))

	for i, block := range blocks {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d: label %q, want %q", i, block.Type, "CERTIFICATE")
		}

		c, err := parseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}

		chain = append(chain, c)
	}

	return chain, nil
}

// parseOne reads PEM text that must hold exactly one certificate.
func parseOne(text []byte) (*certificate, error) {
	chain, err := parseChain(text)
	if err != nil {
		return nil, err
	}

	if len(chain) != 1 {
		return nil, fmt.Errorf("%d certificates, want 1", len(chain))
	}

	return chain[0], nil
}

func readOne(file string) (*certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}

	return parseOne(text)
}
