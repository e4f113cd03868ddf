package interop

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"

	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/role"
)

// metal is the runtime mode that the machinery validates for.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

// Machine configurations: Go loads and validates them for metal, and reads from them the bundle that
// they were made with.

func TestMachineConfigurations(t *testing.T) {
	made, _ := artifacts(t)
	onlyOurs(t, made, len(made.Configs) > 0, "machine configuration")

	for _, artifact := range made.Configs {
		t.Run(artifact.Name, func(t *testing.T) {
			provider, err := configloader.NewFromFile(artifact.File)
			if err != nil {
				t.Fatal(err)
			}

			t.Run("validates for metal", func(t *testing.T) {
				warnings, err := provider.Validate(metal{})
				if err != nil {
					t.Error(err)
				}

				for _, warning := range warnings {
					t.Errorf("warning: %s", warning)
				}
			})

			if kind := provider.Machine().Type().String(); kind != artifact.Type {
				t.Errorf("machine.type: %q, want %q", kind, artifact.Type)
			}

			bundle := load(t, artifact.Bundle)

			if artifact.Type == "controlplane" {
				t.Run("holds the bundle", func(t *testing.T) {
					sameBundle(t, secrets.NewBundleFromConfig(secrets.NewClock(), provider), bundle)
				})

				return
			}

			t.Run("holds the bundle's certificates and no key", func(t *testing.T) {
				os, kubernetes := provider.Machine().Security(), provider.Cluster()
				withoutKey(t, "machine.ca", os.IssuingCA(), os.AcceptedCAs(), bundle.Certs.OS.Crt)
				withoutKey(t, "cluster.ca", kubernetes.IssuingCA(), kubernetes.AcceptedCAs(), bundle.Certs.K8s.Crt)

				if os.Token() != bundle.TrustdInfo.Token {
					t.Error("machine.token: not the bundle's trustdinfo.token")
				}
			})
		})
	}
}

// withoutKey asks for the certificate in either of the places where the machinery may put it.
func withoutKey(t *testing.T, field string, issuing *x509.PEMEncodedCertificateAndKey, accepted []*x509.PEMEncodedCertificate, want []byte) {
	t.Helper()

	if issuing != nil && len(issuing.Key) > 0 {
		t.Errorf("%s.key: %d bytes, want none", field, len(issuing.Key))
	}

	held := issuing != nil && string(issuing.Crt) == string(want)
	for _, ca := range accepted {
		held = held || string(ca.Crt) == string(want)
	}

	if !held {
		t.Errorf("%s.crt: not the bundle's certificate", field)
	}
}

// Client configurations: Go loads them, the certificate verifies under the OS authority for clientAuth,
// carries its roles, and equals the one that Go issues.

func TestTalosconfigs(t *testing.T) {
	made, _ := artifacts(t)
	onlyOurs(t, made, len(made.Talosconfigs) > 0, "talosconfig")

	for _, artifact := range made.Talosconfigs {
		t.Run(artifact.Name, func(t *testing.T) {
			file, err := clientconfig.Open(artifact.File)
			if err != nil {
				t.Fatal(err)
			}

			context, there := file.Contexts[file.Context]
			if !there {
				t.Fatalf("context: %q is none of the contexts", file.Context)
			}

			if !slices.Equal(context.Endpoints, artifact.Endpoints) {
				t.Errorf("endpoints: %q, want %q", context.Endpoints, artifact.Endpoints)
			}

			if !slices.Equal(context.Nodes, artifact.Nodes) {
				t.Errorf("nodes: %q, want %q", context.Nodes, artifact.Nodes)
			}

			issuer := osIssuer(t, load(t, artifact.Bundle).Certs.OS)

			if decode(t, context.CA) != string(issuer.CrtPEM) {
				t.Error("ca: not the OS authority of the bundle")
			}

			now := time.Now()
			if artifact.ByTalos { // nobody renews a fixture
				now = parse(t, []byte(decode(t, context.Crt))).NotBefore
			}

			clientPair(t, issuer, decode(t, context.Crt), decode(t, context.Key), clientLife, artifact.Roles, now)

			if !artifact.ByTalos {
				report(t, compact(checkPrivate(artifact.File)))
			}
		})
	}
}

// clientPair examines the certificate and key of a client of apid.
func clientPair(
	t *testing.T, issuer *x509.CertificateAuthority, crt, key string, life time.Duration, roles []string, now time.Time,
) {
	t.Helper()

	leaf, err := parseOne([]byte(crt))
	if err != nil {
		t.Fatalf("crt: %v", err)
	}

	t.Run("equals one of siderolabs-crypto", func(t *testing.T) {
		report(t, differencesAsErrors(compareLeaf(leaf, issuer, talosClient(life, roles...))))
	})
	t.Run("verifies for clientAuth", func(t *testing.T) {
		report(t, checkUse(leaf.Certificate, issuer.Crt, both[1:], now))
	})
	t.Run("lives as long as it should", func(t *testing.T) {
		report(t, compact(checkLife(leaf, issuer.Crt, life)))
	})
	t.Run("has its key in the form of Talos", func(t *testing.T) {
		report(t, compact(checkKey([]byte(key), leaf.PublicKey)))
		report(t, compact(checkPEM([]byte(crt))))
	})
	t.Run("has its roles", func(t *testing.T) {
		got, unknown := role.Parse(leaf.Subject.Organization)
		want, _ := role.Parse(roles)

		if !slices.Equal(got.Strings(), want.Strings()) || len(unknown) > 0 {
			t.Errorf("subject.O: %q, want %q", leaf.Subject.Organization, roles)
		}
	})
}

func osIssuer(t *testing.T, held *x509.PEMEncodedCertificateAndKey) *x509.CertificateAuthority {
	t.Helper()

	issuer, err := x509.NewCertificateAuthorityFromCertificateAndKey(held)
	if err != nil {
		t.Fatal(err)
	}

	return issuer
}

func decode(t *testing.T, text string) string {
	t.Helper()

	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}

	return string(decoded)
}
