package interop

import (
	"crypto/rand"
	stdx509 "crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

// The referee is examined first: it must find nothing in what Talos' own library makes, and must find
// each fault that is put in on purpose.

const demoConfig = "../fixtures/talos-demo/controlplane.yaml"

func demoFacts(t *testing.T) facts {
	t.Helper()

	provider, err := configloader.NewFromFile(demoConfig)
	if err != nil {
		t.Fatal(err)
	}

	return factsOf(provider, "node-1.example.test", netip.MustParseAddr("192.0.2.20"))
}

func TestRefereeFindsNothingInATreeOfTalos(t *testing.T) {
	root, f := t.TempDir(), demoFacts(t)
	writeTree(t, root, f)

	read, err := nodeFacts(root, demoConfig, "", "192.0.2.20")
	if err != nil {
		t.Fatal(err)
	}

	if read.hostname != f.hostname || read.fqdn != f.fqdn {
		t.Errorf("names read from apid.crt: %q, %q, want %q, %q", read.hostname, read.fqdn, f.hostname, f.fqdn)
	}

	for _, p := range profiles {
		for _, a := range aspects {
			report(t, a.examine(root, read, p))
		}
	}

	report(t, checkRoots(root, read))
	report(t, checkTree(root))
}

func TestRefereeFindsFaultsInFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(t *testing.T, root string)
		want string
	}{
		{"a key of another leaf", replaceBy("talos/apid.key", "talos/trustd.key"), "key does not match"},
		{"a leaf of another profile", replaceBy("talos/apid.crt", "talos/trustd.crt"), "keyUsage"},
		{"a leaf of another authority", replaceBy("talos/apid.crt", "kubernetes/pki/etcd/server.crt"), "unknown authority"},
		{"a wrong label", relabel("talos/apid.key", "EC PRIVATE KEY"), `label: "EC PRIVATE KEY"`},
		{"PKCS#8 where SEC1 belongs", pkcs8("kubernetes/pki/etcd/server.key"), "PEM body"},
		{"CRLF", substitute("talos/trustd.key", "\n", "\r\n"), "line ends"},
		{"text before the PEM", substitute("talos/trustd.crt", "-----BEGIN", "subject=x\n-----BEGIN"), "columns or line ends"},
		{"a chain where only the leaf belongs", appendFile("talos/apid.crt", "talos/ca.crt"), "want the leaf only"},
		{"a chain with a foreign issuer", appendFile("kubernetes/pki/apiserver.crt", "talos/ca.crt"), "perhaps its issuer"},
		{"another authority in ca.crt", replaceBy("talos/ca.crt", "kubernetes/pki/ca.crt"), "not the"},
		{"another public key", replaceBy("kubernetes/pki/sa.pub", "talos/ca.crt"), "sa.pub"},
		{"a key of an authority", replaceBy("talos/ca.key", "talos/apid.key"), "must not be written"},
		{"a key that the group may read", chmod("talos/apid.key", 0o640), "mode 0640"},
		{"a kubeconfig without its context", substitute("kubernetes/admin.conf", "current-context: c", "current-context: d"), "leads to no context"},
		{"a kubeconfig of somebody else", replaceBy("kubernetes/admin.conf", "kubernetes/scheduler.conf"), "subject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, f := t.TempDir(), demoFacts(t)
			writeTree(t, root, f)
			c.edit(t, root)

			var problems []error
			for _, p := range profiles {
				for _, a := range aspects {
					problems = append(problems, a.examine(root, f, p)...)
				}
			}

			problems = append(problems, checkRoots(root, f)...)
			problems = append(problems, checkTree(root)...)
			mustFind(t, problems, c.want)
		})
	}
}

func TestRefereeFindsFaultsInCertificates(t *testing.T) {
	f := demoFacts(t)
	p := profiles[0] // apid-server

	issuer, err := f.issuer(p.issuer)
	if err != nil {
		t.Fatal(err)
	}

	right, err := issueTwin(issuer, p.twin(f)...)
	if err != nil {
		t.Fatal(err)
	}

	ca5 := asn1.ObjectIdentifier{2, 5, 29, 19}

	for _, c := range []struct {
		name string
		edit func(template *stdx509.Certificate)
		want string // nothing: it must be found right
	}{
		{"nothing changed", func(*stdx509.Certificate) {}, ""},
		{"a key usage more", func(c *stdx509.Certificate) { c.KeyUsage |= stdx509.KeyUsageKeyEncipherment }, "keyUsage: ours 0x"},
		{"an extended usage more", func(c *stdx509.Certificate) { c.ExtKeyUsage = both }, "extKeyUsage: ours 0x"},
		{"basicConstraints on a leaf", func(c *stdx509.Certificate) { c.BasicConstraintsValid = true }, "basicConstraints critical"},
		{"a key identifier on a leaf", func(c *stdx509.Certificate) { c.SubjectKeyId = []byte{1} }, "extensions, order and critical"},
		{"another authority's key identifier", func(c *stdx509.Certificate) { c.AuthorityKeyId = make([]byte, 20) }, "authorityKeyIdentifier"},
		{"a name less", func(c *stdx509.Certificate) { c.DNSNames = c.DNSNames[1:] }, "names in order"},
		{"names in another order", func(c *stdx509.Certificate) { slices.Reverse(c.DNSNames) }, "names in order"},
		{"addresses in another order", func(c *stdx509.Certificate) { slices.Reverse(c.IPAddresses) }, "addresses in order"},
		{"an e-mail address", func(c *stdx509.Certificate) { c.EmailAddresses = []string{"a@example.test"} }, "subjectAltName"},
		{"the short name as CN", func(c *stdx509.Certificate) { c.Subject.CommonName = f.hostname }, "subject: ours 0x"},
		{"an organization", func(c *stdx509.Certificate) { c.Subject.Organization = []string{"talos"} }, "subject: ours 0x"},
		{"UTF8String", func(c *stdx509.Certificate) { c.RawSubject = utf8Name(t, f.fqdn) }, "subject: ours 0x"},
		{"another order of extensions", func(c *stdx509.Certificate) {
			c.KeyUsage = 0
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 7, 0x80}}}
		}, "order and critical"},
		{"critical set the other way", func(c *stdx509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: ca5, Critical: false, Value: []byte{0x30, 0}}}
		}, "order and critical"},
		{"a life of 25 hours", func(c *stdx509.Certificate) { c.NotAfter = c.NotAfter.Add(time.Hour) }, "want 24h0m0s"},
		{"a life of 23 hours", func(c *stdx509.Certificate) { c.NotAfter = c.NotAfter.Add(-time.Hour) }, "want 24h0m0s"},
		{"backdated by a quarter of an hour", func(c *stdx509.Certificate) { c.NotBefore = c.NotBefore.Add(-backdate) }, ""},
		{"an end after the issuer's", func(c *stdx509.Certificate) { c.NotAfter = issuer.Crt.NotAfter.Add(time.Hour) }, "after the issuer's"},
		{"a serial number of 20 bytes", func(c *stdx509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 150) }, "serialNumber"},
	} {
		t.Run(c.name, func(t *testing.T) {
			template := &stdx509.Certificate{
				SerialNumber: big.NewInt(1),
				Subject:      right.Subject, NotBefore: right.NotBefore, NotAfter: right.NotAfter,
				KeyUsage: right.KeyUsage, ExtKeyUsage: slices.Clone(right.ExtKeyUsage),
				DNSNames: slices.Clone(right.DNSNames), IPAddresses: slices.Clone(right.IPAddresses),
			}
			c.edit(template)

			parent := *issuer.Crt
			if template.AuthorityKeyId != nil { // CreateCertificate takes it from the parent
				parent.SubjectKeyId = template.AuthorityKeyId
			}

			der, err := stdx509.CreateCertificate(rand.Reader, template, &parent, right.PublicKey, issuer.Key)
			if err != nil {
				t.Fatal(err)
			}

			leaf, err := parseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}

			problems := differencesAsErrors(compareLeaf(leaf, issuer, p.twin(f)))
			problems = append(problems, compact(checkLife(leaf, issuer.Crt, p.life))...)

			if c.want == "" {
				report(t, problems)
			} else {
				mustFind(t, problems, c.want)
			}
		})
	}
}

func TestRefereeFindsFaultsInUse(t *testing.T) {
	f := demoFacts(t)

	issuer, err := f.issuer(osAuthority)
	if err != nil {
		t.Fatal(err)
	}

	leaf, err := issueTwin(issuer, profiles[0].twin(f)...)
	if err != nil {
		t.Fatal(err)
	}

	mustFind(t, checkUse(leaf.Certificate, issuer.Crt, both, time.Now()), "verify for clientAuth")

	foreign, err := f.issuer(kubernetesAuthority)
	if err != nil {
		t.Fatal(err)
	}

	mustFind(t, checkUse(leaf.Certificate, foreign.Crt, both[:1], time.Now()), "unknown authority")
}

func report(t *testing.T, problems []error) {
	t.Helper()

	for _, problem := range problems {
		t.Error(problem)
	}
}

func mustFind(t *testing.T, problems []error, want string) {
	t.Helper()

	for _, problem := range problems {
		if strings.Contains(problem.Error(), want) {
			return
		}
	}

	t.Errorf("no problem contains %q; found: %v", want, problems)
}

func utf8Name(t *testing.T, commonName string) []byte {
	t.Helper()

	attribute := struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"utf8"`
	}{asn1.ObjectIdentifier{2, 5, 4, 3}, commonName}

	value, err := asn1.Marshal(attribute)
	if err != nil {
		t.Fatal(err)
	}

	rdn, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value})
	if err != nil {
		t.Fatal(err)
	}

	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: rdn})
	if err != nil {
		t.Fatal(err)
	}

	return der
}
