package interop

import (
	"bytes"
	stdx509 "crypto/x509"
	"encoding/pem"
	"fmt"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"
	"go.yaml.in/yaml/v4"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

// Secrets bundles: Go loads and validates them, makes configurations from them, and finds in them
// authorities like its own.

func TestBundles(t *testing.T) {
	made, _ := artifacts(t)
	onlyOurs(t, made, len(made.Bundles) > 0, "secrets bundle")

	for _, artifact := range made.Bundles {
		t.Run(artifact.Name, func(t *testing.T) {
			bundle, err := secrets.LoadBundle(artifact.File)
			if err != nil {
				t.Fatal(err)
			}

			t.Run("validates", func(t *testing.T) {
				if err := bundle.Validate(); err != nil {
					t.Error(err)
				}
			})
			t.Run("is written as Go writes it", func(t *testing.T) {
				again, err := yaml.Marshal(bundle)
				if err != nil {
					t.Fatal(err)
				}

				if text := mustRead(t, artifact.File); !bytes.Equal(again, text) {
					t.Errorf("%s: text is not that of Go: first difference %s", artifact.File, firstDifference(text, again))
				}
			})
			t.Run("has tokens of the form of Talos", func(t *testing.T) { tokens(t, bundle) })
			t.Run("makes configurations in Go", func(t *testing.T) { makesConfigurations(t, bundle) })
			t.Run("authorities", func(t *testing.T) { bundleAuthorities(t, bundle, artifact) })

			if artifact.ByTalos {
				return // a fixture has the mode that git gives it
			}

			t.Run("is for its owner alone", func(t *testing.T) { report(t, compact(checkPrivate(artifact.File))) })
		})
	}
}

func TestBundlesFromAConfiguration(t *testing.T) {
	made, _ := artifacts(t)

	var found bool

	for _, artifact := range made.Bundles {
		if artifact.ControlPlaneConfig == "" {
			continue
		}

		found = true

		t.Run(artifact.Name+" equals the one that Go makes of it", func(t *testing.T) {
			provider, err := configloader.NewFromFile(artifact.ControlPlaneConfig)
			if err != nil {
				t.Fatal(err)
			}

			sameBundle(t, load(t, artifact.File), secrets.NewBundleFromConfig(secrets.NewClock(), provider))
		})
	}

	onlyOurs(t, made, found, "bundle made from a configuration")
}

func TestBundlesFromKubernetesPKI(t *testing.T) {
	made, _ := artifacts(t)

	var found bool

	for _, artifact := range made.Bundles {
		if artifact.KubernetesPKI == "" {
			continue
		}

		found = true

		t.Run(artifact.Name+" has the files as they are", func(t *testing.T) {
			certs, directory := load(t, artifact.File).Certs, artifact.KubernetesPKI

			for _, c := range []struct {
				field string
				got   []byte
				file  string
			}{
				{"certs.k8s.crt", certs.K8s.Crt, "ca.crt"},
				{"certs.k8s.key", certs.K8s.Key, "ca.key"},
				{"certs.etcd.crt", certs.Etcd.Crt, "etcd/ca.crt"},
				{"certs.etcd.key", certs.Etcd.Key, "etcd/ca.key"},
				{"certs.k8saggregator.crt", certs.K8sAggregator.Crt, "front-proxy-ca.crt"},
				{"certs.k8saggregator.key", certs.K8sAggregator.Key, "front-proxy-ca.key"},
				{"certs.k8sserviceaccount.key", certs.K8sServiceAccount.Key, "sa.key"},
			} {
				if want := mustRead(t, directory, c.file); !bytes.Equal(c.got, want) {
					t.Errorf("%s: %s: %d bytes, not the %d bytes of %s", artifact.File, c.field, len(c.got), len(want), c.file)
				}
			}
		})
	}

	onlyOurs(t, made, found, "bundle made from a Kubernetes PKI")
}

func load(t *testing.T, file string) *secrets.Bundle {
	t.Helper()

	bundle, err := secrets.LoadBundle(file)
	if err != nil {
		t.Fatal(err)
	}

	return bundle
}

// sameBundle compares two bundles field by field and prints no secret.
func sameBundle(t *testing.T, got, want *secrets.Bundle) {
	t.Helper()

	for _, c := range []struct {
		field     string
		got, want any
	}{
		{"cluster", got.Cluster, want.Cluster},
		{"secrets", got.Secrets, want.Secrets},
		{"trustdinfo", got.TrustdInfo, want.TrustdInfo},
		{"certs.etcd", got.Certs.Etcd, want.Certs.Etcd},
		{"certs.k8s", got.Certs.K8s, want.Certs.K8s},
		{"certs.k8saggregator", got.Certs.K8sAggregator, want.Certs.K8sAggregator},
		{"certs.k8sserviceaccount", got.Certs.K8sServiceAccount, want.Certs.K8sServiceAccount},
		{"certs.os", got.Certs.OS, want.Certs.OS},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: not the same value", c.field)
		}
	}
}

func tokens(t *testing.T, bundle *secrets.Bundle) {
	t.Helper()

	form := regexp.MustCompile(`^[0-9a-z]{6}\.[0-9a-z]{16}$`)

	for field, token := range map[string]string{
		"secrets.bootstraptoken": bundle.Secrets.BootstrapToken, "trustdinfo.token": bundle.TrustdInfo.Token,
	} {
		if !form.MatchString(token) {
			t.Errorf("%s: not of the form 6.16", field)
		}
	}

	if bundle.Secrets.BootstrapToken == bundle.TrustdInfo.Token {
		t.Error("secrets.bootstraptoken and trustdinfo.token are the same")
	}

	if bundle.Cluster.ID == bundle.Cluster.Secret {
		t.Error("cluster.id and cluster.secret are the same")
	}
}

func makesConfigurations(t *testing.T, bundle *secrets.Bundle) {
	t.Helper()

	input, err := generate.NewInput("demo", "https://127.0.0.1:6443", constants.DefaultKubernetesVersion,
		generate.WithSecretsBundle(bundle), generate.WithVersionContract(config.TalosVersion1_13), generate.WithInstallDisk("/dev/sda"))
	if err != nil {
		t.Fatal(err)
	}

	for _, kind := range []machine.Type{machine.TypeControlPlane, machine.TypeWorker} {
		provider, err := input.Config(kind)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}

		if _, err := provider.Validate(metal{}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}

	if _, err := input.Talosconfig(); err != nil {
		t.Errorf("talosconfig: %v", err)
	}
}

// bundleAuthorities holds every authority that was issued here against one that Go issues.
func bundleAuthorities(t *testing.T, bundle *secrets.Bundle, artifact bundleArtifact) {
	t.Helper()

	imported := artifact.KubernetesPKI != ""

	for _, c := range []struct {
		of       authority
		pair     *x509.PEMEncodedCertificateAndKey
		imported bool
	}{
		{osAuthority, bundle.Certs.OS, false},
		{kubernetesAuthority, bundle.Certs.K8s, imported},
		{etcdAuthority, bundle.Certs.Etcd, imported},
		{aggregatorAuthority, bundle.Certs.K8sAggregator, imported},
	} {
		t.Run(string(c.of), func(t *testing.T) {
			ca, err := parseOne(c.pair.Crt)
			if err != nil {
				t.Fatalf("%s: %s: %v", artifact.File, c.of, err)
			}

			if c.imported {
				return // somebody else's certificate: TestBundlesFromKubernetesPKI asks for its bytes
			}

			twin, err := twinAuthority(c.of, time.Now())
			if err != nil {
				t.Fatal(err)
			}

			report(t, checkAuthority(ca, c.pair, twin, authorityLife))
		})
	}

	if imported {
		return
	}

	t.Run("begin at the same second", func(t *testing.T) {
		begin := parse(t, bundle.Certs.OS.Crt).NotBefore
		for of, crt := range map[authority][]byte{
			kubernetesAuthority: bundle.Certs.K8s.Crt, etcdAuthority: bundle.Certs.Etcd.Crt, aggregatorAuthority: bundle.Certs.K8sAggregator.Crt,
		} {
			if other := parse(t, crt).NotBefore; !other.Equal(begin) {
				t.Errorf("%s: notBefore: %s, want that of the OS authority, %s", of, stamp(other), stamp(begin))
			}
		}
	})
	t.Run("service account", func(t *testing.T) {
		block, _ := pem.Decode(bundle.Certs.K8sServiceAccount.Key)
		if block == nil || block.Type != rsaForm.label {
			t.Fatalf("certs.k8sserviceaccount.key: PEM label: want %q", rsaForm.label)
		}

		key, err := stdx509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}

		if key.N.BitLen() != 4096 {
			t.Errorf("certs.k8sserviceaccount.key: %d bits, want 4096", key.N.BitLen())
		}

		report(t, compact(checkKey(bundle.Certs.K8sServiceAccount.Key, key.Public())))
	})
}

// checkAuthority holds one self-signed authority and its key against a twin.
func checkAuthority(ca *certificate, held *x509.PEMEncodedCertificateAndKey, madeByGo *x509.CertificateAuthority, life time.Duration) []error {
	twin, err := parseCertificate(madeByGo.Crt.Raw)
	if err != nil {
		return []error{err}
	}

	problems := differencesAsErrors(compare(ca, twin), nil)
	problems = append(problems, compact(checkPEM(held.Crt))...)
	problems = append(problems, compact(checkKey(held.Key, ca.PublicKey))...)
	problems = append(problems, compact(ca.CheckSignature(ca.SignatureAlgorithm, ca.RawTBSCertificate, ca.Signature))...)

	d := differences{}
	d.values("notAfter - notBefore", ca.NotAfter.Sub(ca.NotBefore), life)

	return append(problems, differencesAsErrors(d, nil)...)
}

func parse(t *testing.T, text []byte) *certificate {
	t.Helper()

	c, err := parseOne(text)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// firstDifference names the first line that differs, by number only: the lines are secrets.
func firstDifference(got, want []byte) string {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))

	for i := range a {
		if i >= len(b) || !bytes.Equal(a[i], b[i]) {
			return fmt.Sprintf("in line %d, key %q", i+1, keyOf(a[i]))
		}
	}

	return fmt.Sprintf("after line %d", len(a))
}

func keyOf(line []byte) []byte {
	key, _, _ := bytes.Cut(line, []byte(":"))

	return key
}
