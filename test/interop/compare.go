package interop

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
)

var (
	oidSubjectKeyID   = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// difference is one field in which a certificate of ours is not what siderolabs/crypto makes.
type difference struct {
	field, ours, twin string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: ours %s, siderolabs/crypto %s", d.field, d.ours, d.twin)
}

type differences []difference

func (d *differences) bytes(field string, ours, twin []byte) {
	if !bytes.Equal(ours, twin) {
		*d = append(*d, difference{field, hexOf(ours), hexOf(twin)})
	}
}

func (d *differences) values(field string, ours, twin any) {
	if o, t := fmt.Sprint(ours), fmt.Sprint(twin); o != t {
		*d = append(*d, difference{field, o, t})
	}
}

func hexOf(b []byte) string {
	if b == nil {
		return "(absent)"
	}

	return "0x" + hex.EncodeToString(b)
}

// compare holds ours against its twin, field by field, save the serial number, the dates, the key bits,
// the values of the key identifiers, and the signature.
func compare(ours, twin *certificate) []difference {
	var d differences

	o, t := &ours.fields, &twin.fields

	d.bytes("version", o.Version.FullBytes, t.Version.FullBytes)
	d.bytes("signature (inside)", o.Algorithm.FullBytes, t.Algorithm.FullBytes)
	d.bytes("signatureAlgorithm", ours.algorithm.FullBytes, twin.algorithm.FullBytes)
	d.bytes("subject", o.Subject.FullBytes, t.Subject.FullBytes)
	d.bytes("issuer", o.Issuer.FullBytes, t.Issuer.FullBytes)
	d.values("notBefore, tag", o.Validity.NotBefore.Tag, t.Validity.NotBefore.Tag)
	d.values("notAfter, tag", o.Validity.NotAfter.Tag, t.Validity.NotAfter.Tag)
	d.publicKey(o.PublicKey, t.PublicKey)
	d.serial(ours)
	d.values("extensions, order and critical", outline(o.Extensions), outline(t.Extensions))

	for _, theirs := range t.Extensions {
		own := find(o.Extensions, theirs.ID)

		switch {
		case own == nil: // the outline has said so
		case theirs.ID.Equal(oidSubjectKeyID):
			d.bytes(oidName(theirs.ID)+", value masked", masked(own.Raw, ours.SubjectKeyId), masked(theirs.Raw, twin.SubjectKeyId))
		case theirs.ID.Equal(oidAuthorityKeyID):
			d.bytes(oidName(theirs.ID)+", value masked", masked(own.Raw, ours.AuthorityKeyId), masked(theirs.Raw, twin.AuthorityKeyId))
		default:
			d.bytes(oidName(theirs.ID), own.Raw, theirs.Raw)
		}
	}

	if !bytes.Equal(ours.extensionValue(oidSubjectAltName), twin.extensionValue(oidSubjectAltName)) {
		d.values("subjectAltName, names in order", ours.DNSNames, twin.DNSNames)
		d.values("subjectAltName, addresses in order", ours.IPAddresses, twin.IPAddresses)
	}

	return d
}

// publicKey compares algorithm and parameters, and the size but not the bits of the key.
func (d *differences) publicKey(ours, twin publicKey) {
	d.bytes("subjectPublicKeyInfo.algorithm", ours.Algorithm.FullBytes, twin.Algorithm.FullBytes)
	d.values("subjectPublicKeyInfo, size of the key in bytes", len(ours.Bits.Bytes), len(twin.Bits.Bytes))
}

// serial asks for what RFC 5280 §4.1.2.2 and siderolabs/crypto have in common: positive, 128 bits at most.
func (d *differences) serial(ours *certificate) {
	if s := ours.fields.Serial; s.Sign() <= 0 || s.BitLen() > 128 {
		*d = append(*d, difference{"serialNumber", s.String(), "positive, at most 128 bits"})
	}
}

// compareRequests holds our PKCS#10 request against the twin's, save the key bits and the signature.
func compareRequests(ours, twin []byte) ([]difference, error) {
	var (
		d differences
		o struct {
			Fields    request
			Algorithm asn1.RawValue
			Signature asn1.BitString
		}
		t = o
	)

	if err := unmarshalAll(ours, &o); err != nil {
		return nil, fmt.Errorf("our request: %w", err)
	}

	if err := unmarshalAll(twin, &t); err != nil {
		return nil, fmt.Errorf("the twin's request: %w", err)
	}

	d.values("version", o.Fields.Version, t.Fields.Version)
	d.bytes("subject", o.Fields.Subject.FullBytes, t.Fields.Subject.FullBytes)
	d.publicKey(o.Fields.PublicKey, t.Fields.PublicKey)
	d.bytes("attributes", joined(o.Fields.Attributes), joined(t.Fields.Attributes))
	d.bytes("signatureAlgorithm", o.Algorithm.FullBytes, t.Algorithm.FullBytes)

	return d, nil
}

func joined(values []asn1.RawValue) []byte {
	out := []byte{}
	for _, v := range values {
		out = append(out, v.FullBytes...)
	}

	return out
}

func outline(extensions []extension) string {
	names := make([]string, 0, len(extensions))

	for _, e := range extensions {
		name := oidName(e.ID)
		if e.Critical {
			name += " critical"
		}

		names = append(names, name)
	}

	return "[" + strings.Join(names, ", ") + "]"
}

func find(extensions []extension, id asn1.ObjectIdentifier) *extension {
	for i := range extensions {
		if extensions[i].ID.Equal(id) {
			return &extensions[i]
		}
	}

	return nil
}

// masked puts zeros where the value of a key identifier stands, so that the bytes around it compare.
func masked(raw, value []byte) []byte {
	if len(value) == 0 {
		return raw
	}

	return bytes.Replace(raw, value, make([]byte, len(value)), 1)
}

func oidName(id asn1.ObjectIdentifier) string {
	names := map[string]string{
		"2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.17": "subjectAltName",
		"2.5.29.19": "basicConstraints", "2.5.29.35": "authorityKeyIdentifier", "2.5.29.37": "extKeyUsage",
	}

	if name, known := names[id.String()]; known {
		return name
	}

	return id.String()
}
