package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdx509 "crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"
)

// A PKI directory as Talos would fill it, and the faults that are put into it.

// writeTree writes a PKI directory as Talos would fill it.
func writeTree(t *testing.T, root string, f facts) {
	t.Helper()

	write := func(file string, text []byte) {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}

		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	for _, p := range profiles {
		issuer, err := f.issuer(p.issuer)
		if err != nil {
			t.Fatal(err)
		}

		// Talos lets a leaf outlive its authority, trustplane does not.
		options := p.twin(f)
		if issuer.Crt.NotAfter.Before(time.Now().Add(p.life)) {
			options = append(options, x509.NotAfter(issuer.Crt.NotAfter))
		}

		made, err := x509.NewKeyPair(issuer, options...)
		if err != nil {
			t.Fatal(err)
		}

		switch {
		case strings.HasSuffix(p.file, ".conf"):
			write(p.file, kubeconfig(made, issuer.CrtPEM))
		case p.chained:
			write(p.file, append(append(made.CrtPEM, '\n'), issuer.CrtPEM...))
			write(strings.TrimSuffix(p.file, ".crt")+".key", made.KeyPEM)
		default:
			write(p.file, made.CrtPEM)
			write(strings.TrimSuffix(p.file, ".crt")+".key", made.KeyPEM)
		}
	}

	for _, a := range authorityFiles {
		issuer, err := f.issuer(a.of)
		if err != nil {
			t.Fatal(err)
		}

		write(a.file, issuer.CrtPEM)
	}

	for _, p := range profiles {
		if p.issuer == osAuthority {
			relabel(strings.TrimSuffix(p.file, ".crt")+".key", ed25519FileLabel)(t, root)
		}
	}

	account, err := f.config.Cluster().ServiceAccount().GetKey()
	if err != nil {
		t.Fatal(err)
	}

	write("kubernetes/pki/ca.key", f.config.Cluster().IssuingCA().Key)
	write("kubernetes/pki/sa.key", f.config.Cluster().ServiceAccount().Key)
	write("kubernetes/pki/sa.pub", account.GetPublicKeyPEM())
}

func kubeconfig(made *x509.KeyPair, authority []byte) []byte {
	encode := base64.StdEncoding.EncodeToString

	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: demo, user: u}}]
clusters: [{name: demo, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: %s}}]
users: [{name: u, user: {client-certificate-data: %s, client-key-data: %s}}]
`, encode(authority), encode(made.CrtPEM), encode(made.KeyPEM))
}

type edit = func(t *testing.T, root string)

func change(file string, by func(t *testing.T, root string, text []byte) []byte) edit {
	return func(t *testing.T, root string) {
		t.Helper()

		path := filepath.Join(root, file)

		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}

		if err := os.WriteFile(path, by(t, root, text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, root, file string) []byte {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}

	return text
}

func replaceBy(file, other string) edit {
	return change(file, func(t *testing.T, root string, _ []byte) []byte { return read(t, root, other) })
}

func appendFile(file, other string) edit {
	return change(file, func(t *testing.T, root string, text []byte) []byte {
		return append(text, read(t, root, other)...)
	})
}

func substitute(file, old, replacement string) edit {
	return change(file, func(t *testing.T, _ string, text []byte) []byte {
		if !strings.Contains(string(text), old) {
			t.Fatalf("%s has no %q", file, old)
		}

		return []byte(strings.ReplaceAll(string(text), old, replacement))
	})
}

func pkcs8(file string) edit {
	return change(file, func(t *testing.T, _ string, _ []byte) []byte {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}

		der, err := stdx509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}

		return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	})
}

func relabel(file, label string) edit {
	return change(file, func(t *testing.T, _ string, text []byte) []byte {
		block, _ := pem.Decode(text)

		return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: block.Bytes})
	})
}

func chmod(file string, mode os.FileMode) edit {
	return func(t *testing.T, root string) {
		t.Helper()

		if err := os.Chmod(filepath.Join(root, file), mode); err != nil {
			t.Fatal(err)
		}
	}
}
