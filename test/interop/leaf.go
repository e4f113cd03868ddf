package interop

import (
	"bytes"
	"crypto/rsa"
	stdx509 "crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/siderolabs/crypto/x509"
	"go.yaml.in/yaml/v4"
)

// pair is a leaf as it lies on disk.
type pair struct {
	crt, key []byte
	// authorities is what a kubeconfig trusts; nil for plain files.
	authorities []byte
}

// readPair reads a certificate and the key beside it, or both out of a kubeconfig.
func readPair(root, file string) (pair, error) {
	path := filepath.Join(root, file)

	crt, err := os.ReadFile(path)
	if err != nil {
		return pair{}, err
	}

	if strings.HasSuffix(file, ".conf") {
		return parseKubeconfig(crt)
	}

	key, err := os.ReadFile(strings.TrimSuffix(path, ".crt") + ".key")

	return pair{crt: crt, key: key}, err
}

// parseKubeconfig follows the current context of a kubeconfig to its cluster and its user.
func parseKubeconfig(text []byte) (pair, error) {
	var file struct {
		APIVersion     string `yaml:"apiVersion"`
		Kind           string `yaml:"kind"`
		CurrentContext string `yaml:"current-context"`
		Clusters       []struct {
			Name    string `yaml:"name"`
			Cluster struct {
				Server      string `yaml:"server"`
				Authorities string `yaml:"certificate-authority-data"`
			} `yaml:"cluster"`
		} `yaml:"clusters"`
		Contexts []struct {
			Name    string `yaml:"name"`
			Context struct {
				Cluster string `yaml:"cluster"`
				User    string `yaml:"user"`
			} `yaml:"context"`
		} `yaml:"contexts"`
		Users []struct {
			Name string `yaml:"name"`
			User struct {
				Crt string `yaml:"client-certificate-data"`
				Key string `yaml:"client-key-data"`
			} `yaml:"user"`
		} `yaml:"users"`
	}

	if err := yaml.Unmarshal(text, &file); err != nil {
		return pair{}, err
	}

	if file.APIVersion != "v1" || file.Kind != "Config" {
		return pair{}, fmt.Errorf("apiVersion %q, kind %q, want v1, Config", file.APIVersion, file.Kind)
	}

	for _, c := range file.Contexts {
		if c.Name != file.CurrentContext {
			continue
		}

		for _, u := range file.Users {
			for _, cl := range file.Clusters {
				if u.Name != c.Context.User || cl.Name != c.Context.Cluster {
					continue
				}

				if !strings.HasPrefix(cl.Cluster.Server, "https://") {
					return pair{}, fmt.Errorf("server %q is no https URL", cl.Cluster.Server)
				}

				return decodePair(u.User.Crt, u.User.Key, cl.Cluster.Authorities)
			}
		}
	}

	return pair{}, fmt.Errorf("current-context %q leads to no context with a user and a cluster", file.CurrentContext)
}

func decodePair(crt, key, authorities string) (p pair, err error) {
	for _, field := range []struct {
		name string
		text string
		into *[]byte
	}{{"certificate", crt, &p.crt}, {"key", key, &p.key}, {"authorities", authorities, &p.authorities}} {
		if *field.into, err = base64.StdEncoding.DecodeString(field.text); err != nil {
			return p, fmt.Errorf("%s: %w", field.name, err)
		}
	}

	return p, nil
}

// leaf reads the certificate of a profile; only a chained one may carry its issuer too, and nothing else.
func (p profile) leaf(held pair, issuer *x509.CertificateAuthority) (*certificate, error) {
	chain, err := parseChain(held.crt)
	if err != nil {
		return nil, err
	}

	switch {
	case len(chain) == 1:
	case !p.chained:
		return nil, fmt.Errorf("%d certificates, want the leaf only", len(chain))
	case len(chain) > 2 || !bytes.Equal(chain[1].Raw, issuer.Crt.Raw):
		return nil, fmt.Errorf("%d certificates, want the leaf and perhaps its issuer", len(chain))
	}

	return chain[0], nil
}

// rsaKey is shared by all RSA twins: key bits are not compared, and a key of 4096 bits takes its time.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) {
	made, err := x509.NewRSAKey()
	if err != nil {
		return nil, err
	}

	key, err := readKey(made.KeyPEM, rsaForm)
	if err != nil {
		return nil, err
	}

	return key.(*rsa.PrivateKey), nil
})

// issueTwin has siderolabs/crypto issue a leaf under the authority that issued ours.
func issueTwin(issuer *x509.CertificateAuthority, options ...x509.Option) (*certificate, error) {
	if issuer.Crt.PublicKeyAlgorithm != stdx509.RSA {
		made, err := x509.NewKeyPair(issuer, options...)
		if err != nil {
			return nil, err
		}

		return parseCertificate(made.Certificate.Certificate[0])
	}

	key, err := rsaKey()
	if err != nil {
		return nil, err
	}

	csr, err := x509.NewCertificateSigningRequest(key, options...) // what NewKeyPair does
	if err != nil {
		return nil, err
	}

	made, err := x509.NewCertificateFromCSRBytes(issuer.CrtPEM, issuer.KeyPEM, csr.X509CertificateRequestPEM, options...)
	if err != nil {
		return nil, err
	}

	return parseCertificate(made.X509Certificate.Raw)
}

// compareLeaf holds a leaf against the twin that the same authority gives.
func compareLeaf(leaf *certificate, issuer *x509.CertificateAuthority, options []x509.Option) ([]difference, error) {
	twin, err := issueTwin(issuer, options...)
	if err != nil {
		return nil, fmt.Errorf("the twin: %w", err)
	}

	d := differences(compare(leaf, twin))
	d.bytes("authorityKeyIdentifier, keyid", leaf.AuthorityKeyId, twin.AuthorityKeyId)

	return d, nil
}

// checkLife asks for the nominal life. A leaf may begin up to a quarter of an hour before it was issued,
// and ends with its issuer at the latest.
func checkLife(leaf *certificate, issuer *stdx509.Certificate, life time.Duration) error {
	got := leaf.NotAfter.Sub(leaf.NotBefore)

	switch {
	case leaf.NotAfter.After(issuer.NotAfter):
		return fmt.Errorf("notAfter: %s, after the issuer's %s", stamp(leaf.NotAfter), stamp(issuer.NotAfter))
	case got >= life && got <= life+backdate:
		return nil
	case got < life && leaf.NotAfter.Equal(issuer.NotAfter):
		return nil
	default:
		return fmt.Errorf("notAfter - notBefore: %s (%s to %s), want %s and at most %s more, or the issuer's end at %s",
			got, stamp(leaf.NotBefore), stamp(leaf.NotAfter), life, backdate, stamp(issuer.NotAfter))
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkUse has crypto/x509 verify the leaf, at one moment, for each of its usages and each of its names.
func checkUse(leaf, issuer *stdx509.Certificate, usages []stdx509.ExtKeyUsage, now time.Time) []error {
	var problems []error

	roots := stdx509.NewCertPool()
	roots.AddCert(issuer)

	for _, usage := range usages {
		options := stdx509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []stdx509.ExtKeyUsage{usage}}
		if _, err := leaf.Verify(options); err != nil {
			problems = append(problems, fmt.Errorf("verify for %s: %w", usageName(usage), err))
		}
	}

	hosts := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, net.IP.String(ip))
	}

	for _, host := range hosts {
		if err := leaf.VerifyHostname(host); err != nil {
			problems = append(problems, fmt.Errorf("verify name %q: %w", host, err))
		}
	}

	return problems
}

func usageName(usage stdx509.ExtKeyUsage) string {
	if usage == server {
		return "serverAuth"
	}

	return "clientAuth"
}
