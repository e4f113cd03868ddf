package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/siderolabs/crypto/x509"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

// aspect is one thing that is asked of every leaf of a node.
type aspect struct {
	name  string
	check func(p profile, held pair, issuer *x509.CertificateAuthority, f facts) []error
}

var aspects = []aspect{
	{"equals one of siderolabs-crypto", func(p profile, held pair, issuer *x509.CertificateAuthority, f facts) []error {
		return p.withLeaf(held, issuer, func(leaf *certificate) []error {
			return differencesAsErrors(compareLeaf(leaf, issuer, p.twin(f)))
		})
	}},
	{"verifies for its usages and names", func(p profile, held pair, issuer *x509.CertificateAuthority, _ facts) []error {
		return p.withLeaf(held, issuer, func(leaf *certificate) []error {
			return checkUse(leaf.Certificate, issuer.Crt, p.usages, time.Now())
		})
	}},
	{"lives as long as it should", func(p profile, held pair, issuer *x509.CertificateAuthority, _ facts) []error {
		return p.withLeaf(held, issuer, func(leaf *certificate) []error {
			return compact(checkLife(leaf, issuer.Crt, p.life))
		})
	}},
	{"has its key in the form of Talos", func(p profile, held pair, issuer *x509.CertificateAuthority, _ facts) []error {
		return p.withLeaf(held, issuer, func(leaf *certificate) []error {
			problems := compact(checkKeyFile(held.key, leaf.PublicKey))
			if !p.chained {
				problems = append(problems, compact(checkPEM(held.crt))...)
			}

			if strings.HasSuffix(p.file, ".conf") && !bytes.Equal(held.authorities, issuer.CrtPEM) {
				problems = append(problems, errors.New("certificate-authority-data is not the authority of the configuration"))
			}

			return problems
		})
	}},
}

func (p profile) withLeaf(held pair, issuer *x509.CertificateAuthority, check func(*certificate) []error) []error {
	leaf, err := p.leaf(held, issuer)
	if err != nil {
		return []error{err}
	}

	return check(leaf)
}

// examine asks one aspect of one leaf below the PKI directory.
func (a aspect) examine(root string, f facts, p profile) []error {
	issuer, err := f.issuer(p.issuer)
	if err != nil {
		return []error{err}
	}

	held, err := readPair(root, p.file)
	if err != nil {
		return []error{fmt.Errorf("%s: %w", p.file, err)}
	}

	return of(p.file, a.check(p, held, issuer, f))
}

// of says where problems are.
func of(place string, problems []error) []error {
	for i, problem := range problems {
		problems[i] = fmt.Errorf("%s: %w", place, problem)
	}

	return problems
}

// checkRoots asks that what is not a leaf lies below the PKI directory as the configuration has it.
func checkRoots(root string, f facts) []error {
	var problems []error

	same := func(file string, want []byte) {
		if got, err := os.ReadFile(filepath.Join(root, file)); err != nil {
			problems = append(problems, err)
		} else if !bytes.Equal(got, want) {
			problems = append(problems, fmt.Errorf("%s: %d bytes, not the %d bytes of the configuration", file, len(got), len(want)))
		}
	}

	for _, a := range authorityFiles {
		issuer, err := f.issuer(a.of)
		if err != nil {
			return append(problems, err)
		}

		same(a.file, issuer.CrtPEM)
	}

	same("kubernetes/pki/ca.key", f.config.Cluster().IssuingCA().Key)
	same("kubernetes/pki/sa.key", f.config.Cluster().ServiceAccount().Key)

	public, err := os.ReadFile(filepath.Join(root, "kubernetes/pki/sa.pub"))
	if err != nil {
		return append(problems, err)
	}

	return append(problems, compact(checkServiceAccount(f.config.Cluster().ServiceAccount().Key, public))...)
}

// checkTree asks that files with a private key are for their owner alone, and that the keys of the
// authorities stay out, save the one that kube-controller-manager signs with.
func checkTree(root string) []error {
	var problems []error

	for _, forbidden := range []string{"talos/ca.key", "kubernetes/pki/etcd/ca.key", "kubernetes/pki/front-proxy-ca.key"} {
		if _, err := os.Stat(filepath.Join(root, forbidden)); !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("%s: the key of this authority must not be written", forbidden))
		}
	}

	for _, directory := range []string{"talos", "kubernetes", "kubernetes/pki", "kubernetes/pki/etcd"} {
		entries, err := os.ReadDir(filepath.Join(root, directory))
		if err != nil {
			return append(problems, err)
		}

		for _, entry := range entries {
			if name := entry.Name(); strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".conf") {
				problems = append(problems, compact(checkPrivate(filepath.Join(root, directory, name)))...)
			}
		}
	}

	return problems
}

// checkPrivate asks for mode 0600 of the file that a path leads to.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}

	if mode := info.Mode().Perm(); mode != 0o600 {
		return fmt.Errorf("%s: mode %04o, want 0600", path, mode)
	}

	return nil
}

// nodeFacts reads what a node's leaves depend on. Where the host name was not given, apid's CN says it,
// and everything else is then held against it.
func nodeFacts(root, configFile, fqdn, address string) (facts, error) {
	provider, err := configloader.NewFromFile(configFile)
	if err != nil {
		return facts{}, err
	}

	ip, err := netip.ParseAddr(address)
	if err != nil {
		return facts{}, err
	}

	if fqdn == "" {
		leaf, err := readOne(filepath.Join(root, "talos/apid.crt"))
		if err != nil {
			return facts{}, fmt.Errorf("talos/apid.crt: %w", err)
		}

		if fqdn = leaf.Subject.CommonName; fqdn == "" {
			return facts{}, errors.New("talos/apid.crt: subject: no CN, want the node's name")
		}
	}

	return factsOf(provider, fqdn, ip), nil
}

func differencesAsErrors(found []difference, err error) []error {
	if err != nil {
		return []error{err}
	}

	problems := make([]error, 0, len(found))
	for _, d := range found {
		problems = append(problems, errors.New(d.String()))
	}

	return problems
}

func compact(err error) []error {
	if err == nil {
		return nil
	}

	return []error{err}
}
