package interop

import (
	"context"
	"math/big"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/crypto/x509"
	"go.yaml.in/yaml/v4"
	"google.golang.org/grpc/codes"

	talos "github.com/siderolabs/talos/pkg/machinery/client"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
)

const (
	certificateStatuses = "CertificateStatuses.secrets.talos.dev"
	securityStatuses    = "SecurityStatuses.secrets.talos.dev"
)

// What apid serves of the node's resources, as talosctl would read it.

func TestApidResourceDefinitions(t *testing.T) {
	c, ctx := connect(t)

	list, err := safe.StateListAll[*meta.ResourceDefinition](ctx, c.COSI)
	if err != nil {
		t.Fatal(err)
	}

	for rd := range list.All() {
		if spec := rd.TypedSpec(); rd.Metadata().ID() != strings.ToLower(spec.Type) || len(spec.AllAliases) == 0 {
			t.Errorf("definition %q: type %q, aliases %q", rd.Metadata().ID(), spec.Type, spec.AllAliases)
		}
	}

	for alias, want := range map[string]resource.Type{
		"certificatestatus": certificateStatuses, "certificatestatuses": certificateStatuses, "certstatus": certificateStatuses,
		"CertificateStatuses.secrets.talos.dev": certificateStatuses,
		"securitystatus":                        securityStatuses, "securitystatuses": securityStatuses,
		"rd": meta.ResourceDefinitionType, "resourcedefinition": meta.ResourceDefinitionType,
		"osrootsecret": secrets.OSRootType, "osrs": secrets.OSRootType, "etcdsecrets": secrets.EtcdType,
		"kdc": secrets.KubernetesDynamicCertsType, "csan": secrets.CertSANType, "tc": secrets.TrustdType,
		"nodeaddress": network.NodeAddressType, "hostname": network.HostnameStatusType,
	} {
		t.Run(alias, func(t *testing.T) {
			var namespace resource.Namespace

			rd, err := c.ResolveResourceKind(ctx, &namespace, alias)
			if err != nil {
				t.Fatal(err)
			}

			if rd.TypedSpec().Type != want {
				t.Errorf("type: %q, want %q", rd.TypedSpec().Type, want)
			}

			if namespace == "" {
				t.Error("defaultNamespace: none")
			}
		})
	}

	t.Run("an unknown one", func(t *testing.T) {
		var namespace resource.Namespace
		if _, err := c.ResolveResourceKind(ctx, &namespace, "nosuchthing"); talos.StatusCode(err) != codes.NotFound {
			t.Errorf("status %s (%v), want NotFound", talos.StatusCode(err), err)
		}
	})
}

func TestApidCertificateStatuses(t *testing.T) {
	c, ctx := connect(t)
	node, _ := runningNode(t)

	list, err := c.COSI.List(ctx, resource.NewMetadata(secrets.NamespaceName, certificateStatuses, "", resource.VersionUndefined),
		state.WithListUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
	if err != nil {
		t.Fatal(err)
	}

	if len(list.Items) < len(profiles)+len(authorityFiles) {
		t.Errorf("%d items, want one per certificate, %d at least", len(list.Items), len(profiles)+len(authorityFiles))
	}

	want := map[string]string{}
	for _, p := range profiles {
		want[p.id] = p.file
	}

	for _, a := range authorityFiles {
		want[string(a.of)+"-ca"] = a.file
	}

	for id, file := range want {
		t.Run(id, func(t *testing.T) {
			r, err := c.COSI.Get(ctx, resource.NewMetadata(secrets.NamespaceName, certificateStatuses, id, resource.VersionUndefined),
				state.WithGetUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
			if err != nil {
				t.Fatal(err)
			}

			// The node may have renewed meanwhile; it has not, as 24 hours are the shortest life.
			held, err := readPairOrAuthority(node.PKI, file)
			if err != nil {
				t.Fatal(err)
			}

			status(t, r, held)
		})
	}

	t.Run("decoded without knowing the kind", func(t *testing.T) {
		if _, err := c.COSI.Get(ctx, resource.NewMetadata(secrets.NamespaceName, certificateStatuses, "apid-server", resource.VersionUndefined)); err != nil {
			t.Error(err)
		}
	})
}

// status holds what the node reports of a certificate against the certificate.
func status(t *testing.T, r resource.Resource, held *certificate) {
	t.Helper()

	text, err := yaml.Marshal(r.Spec())
	if err != nil {
		t.Fatalf("spec.yaml: %v", err)
	}

	var spec struct {
		State        string   `yaml:"state"`
		SerialNumber string   `yaml:"serialNumber"`
		NotAfter     string   `yaml:"notAfter"`
		DNSNames     []string `yaml:"dnsNames"`
		Fingerprint  string   `yaml:"spkiFingerprint"`
	}

	if err := yaml.Unmarshal(text, &spec); err != nil {
		t.Fatalf("spec.yaml: %v", err)
	}

	if spec.State != "Valid" {
		t.Errorf("state: %q, want Valid", spec.State)
	}

	serial, ok := new(big.Int).SetString(strings.ReplaceAll(strings.TrimPrefix(spec.SerialNumber, "0x"), ":", ""), 16)
	if !ok || serial.Cmp(held.SerialNumber) != 0 {
		t.Errorf("serialNumber: %q, want %x", spec.SerialNumber, held.SerialNumber)
	}

	if end, err := time.Parse(time.RFC3339, spec.NotAfter); err != nil || !end.Equal(held.NotAfter) {
		t.Errorf("notAfter: %q, want %s", spec.NotAfter, stamp(held.NotAfter))
	}

	if !slices.Equal(spec.DNSNames, held.DNSNames) {
		t.Errorf("dnsNames: %q, want %q", spec.DNSNames, held.DNSNames)
	}

	if want := x509.SPKIFingerprint(held.Certificate).String(); spec.Fingerprint != want {
		t.Errorf("spkiFingerprint: %q, want %q", spec.Fingerprint, want)
	}
}

func TestApidSecurityStatuses(t *testing.T) {
	c, ctx := connect(t)

	list, err := c.COSI.List(ctx, resource.NewMetadata(secrets.NamespaceName, securityStatuses, "", resource.VersionUndefined),
		state.WithListUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
	if err != nil {
		t.Fatal(err)
	}

	if len(list.Items) == 0 {
		t.Error("no item")
	}

	for _, item := range list.Items {
		if _, err := yaml.Marshal(item.Spec()); err != nil {
			t.Errorf("%s: spec.yaml: %v", item.Metadata().ID(), err)
		}
	}
}

// Talos' own kinds: the machinery decodes `proto_spec` into its types, and they hold what is on disk.
func TestApidTypedResources(t *testing.T) {
	c, ctx := connect(t)
	node, f := runningNode(t)

	onDisk := func(file string) string { return string(mustRead(t, node.PKI, file)) }

	t.Run("ApiCertificates", func(t *testing.T) {
		r := typed[*secrets.API](t, ctx, c, secrets.APIID)
		equal(t, "server.crt", string(r.TypedSpec().Server.Crt), onDisk("talos/apid.crt"))
		report(t, of("server.key", compact(checkKey(r.TypedSpec().Server.Key, parse(t, r.TypedSpec().Server.Crt).PublicKey))))
		report(t, of("client.key", compact(checkKey(r.TypedSpec().Client.Key, parse(t, r.TypedSpec().Client.Crt).PublicKey))))
		equal(t, "client.crt", string(r.TypedSpec().Client.Crt), onDisk("talos/apid-client.crt"))

		if accepted := r.TypedSpec().AcceptedCAs; len(accepted) != 1 || string(accepted[0].Crt) != onDisk("talos/ca.crt") {
			t.Errorf("acceptedCAs: %d, want the OS authority alone", len(accepted))
		}
	})
	t.Run("TrustdCertificates", func(t *testing.T) {
		equal(t, "server.crt", string(typed[*secrets.Trustd](t, ctx, c, secrets.TrustdID).TypedSpec().Server.Crt), onDisk("talos/trustd.crt"))
	})
	t.Run("EtcdSecrets", func(t *testing.T) {
		spec := typed[*secrets.Etcd](t, ctx, c, secrets.EtcdID).TypedSpec()
		equal(t, "etcd.crt", string(spec.Etcd.Crt), onDisk("kubernetes/pki/etcd/server.crt"))
		equal(t, "etcdPeer.crt", string(spec.EtcdPeer.Crt), onDisk("kubernetes/pki/etcd/peer.crt"))
		equal(t, "etcdAdmin.crt", string(spec.EtcdAdmin.Crt), onDisk("kubernetes/pki/etcd/healthcheck-client.crt"))
		equal(t, "etcdAPIServer.crt", string(spec.EtcdAPIServer.Crt), onDisk("kubernetes/pki/apiserver-etcd-client.crt"))
	})
	t.Run("KubernetesDynamicCerts", func(t *testing.T) {
		spec := typed[*secrets.KubernetesDynamicCerts](t, ctx, c, secrets.KubernetesDynamicCertsID).TypedSpec()
		equal(t, "apiServer.key", string(spec.APIServer.Key), onDisk("kubernetes/pki/apiserver.key"))
		equal(t, "apiServerKubeletClient.crt", string(spec.APIServerKubeletClient.Crt), onDisk("kubernetes/pki/apiserver-kubelet-client.crt"))
		equal(t, "frontProxy.crt", string(spec.FrontProxy.Crt), onDisk("kubernetes/pki/front-proxy-client.crt"))
	})
	t.Run("KubernetesSecrets", func(t *testing.T) {
		spec := typed[*secrets.Kubernetes](t, ctx, c, secrets.KubernetesID).TypedSpec()
		equal(t, "schedulerKubeconfig", spec.SchedulerKubeconfig, onDisk("kubernetes/scheduler.conf"))
		equal(t, "controllerManagerKubeconfig", spec.ControllerManagerKubeconfig, onDisk("kubernetes/controller-manager.conf"))
		kubeconfigs(t, f, map[string][]string{
			"controller-manager": {spec.ControllerManagerKubeconfig}, "scheduler": {spec.SchedulerKubeconfig},
			"admin": {spec.AdminKubeconfig, spec.LocalhostAdminKubeconfig},
		})
	})
	t.Run("OSRootSecrets", func(t *testing.T) {
		spec := typed[*secrets.OSRoot](t, ctx, c, secrets.OSRootID).TypedSpec()
		equal(t, "issuingCA.crt", string(spec.IssuingCA.Crt), onDisk("talos/ca.crt"))
		equal(t, "token", spec.Token, f.config.Machine().Security().Token())
	})
	t.Run("EtcdRootSecrets", func(t *testing.T) {
		equal(t, "etcdCA.crt", string(typed[*secrets.EtcdRoot](t, ctx, c, secrets.EtcdRootID).TypedSpec().EtcdCA.Crt), onDisk("kubernetes/pki/etcd/ca.crt"))
	})
	t.Run("KubernetesRootSecrets", func(t *testing.T) {
		spec := typed[*secrets.KubernetesRoot](t, ctx, c, secrets.KubernetesRootID).TypedSpec()
		equal(t, "name", spec.Name, f.config.Cluster().Name())
		equal(t, "endpoint", spec.Endpoint.String(), f.config.Cluster().Endpoint().String())
		equal(t, "dnsDomain", spec.DNSDomain, f.config.Cluster().Network().DNSDomain())
		equal(t, "issuingCA.crt", string(spec.IssuingCA.Crt), onDisk("kubernetes/pki/ca.crt"))
		equal(t, "aggregatorCA.crt", string(spec.AggregatorCA.Crt), onDisk("kubernetes/pki/front-proxy-ca.crt"))
		equal(t, "serviceAccount.key", string(spec.ServiceAccount.Key), onDisk("kubernetes/pki/sa.key"))
	})
	t.Run("CertSANs api", func(t *testing.T) {
		sameNames(t, typed[*secrets.CertSAN](t, ctx, c, secrets.CertSANAPIID).TypedSpec(), f.apiNames(), f.fqdn)
	})
	t.Run("CertSANs k8s", func(t *testing.T) {
		sameNames(t, typed[*secrets.CertSAN](t, ctx, c, secrets.CertSANKubernetesID).TypedSpec(), f.kubernetesNames(), "")
	})
	t.Run("HostnameStatuses", func(t *testing.T) {
		equal(t, "fqdn", typed[*network.HostnameStatus](t, ctx, c, network.HostnameID).TypedSpec().FQDN(), f.fqdn)
	})
	t.Run("NodeAddresses", func(t *testing.T) {
		spec := typed[*network.NodeAddress](t, ctx, c, network.NodeAddressAccumulativeID).TypedSpec()
		if ips := spec.IPs(); !slices.Equal(ips, []netip.Addr{f.address}) {
			t.Errorf("addresses: %v, want %s alone", ips, f.address)
		}
	})
}

func typed[R interface {
	resource.Resource
	meta.ResourceDefinitionProvider
}](t *testing.T, ctx context.Context, c *talos.Client, id resource.ID) R {
	t.Helper()

	r, err := safe.StateGetByID[R](ctx, c.COSI, id)
	if err != nil {
		t.Fatal(err)
	}

	return r
}

// equal compares without printing the values: some of them are keys.
func equal(t *testing.T, field, got, want string) {
	t.Helper()

	switch {
	case got == want:
	case strings.Contains(got+want, "PRIVATE KEY") || strings.Contains(got+want, "client-key-data"):
		t.Errorf("%s: %d bytes, and not the %d bytes wanted", field, len(got), len(want))
	default:
		t.Errorf("%s: %q, want %q", field, got, want)
	}
}

func sameNames(t *testing.T, got, want *secrets.CertSANSpec, fqdn string) {
	t.Helper()

	equal(t, "fqdn", got.FQDN, fqdn)

	if !slices.Equal(got.DNSNames, want.DNSNames) {
		t.Errorf("dnsNames: %q, want %q", got.DNSNames, want.DNSNames)
	}

	if !slices.Equal(got.IPs, want.IPs) {
		t.Errorf("ips: %v, want %v", got.IPs, want.IPs)
	}
}

// kubeconfigs asks of kubeconfigs that are not on disk what is asked of those that are.
func kubeconfigs(t *testing.T, f facts, texts map[string][]string) {
	t.Helper()

	issuer, err := f.issuer(kubernetesAuthority)
	if err != nil {
		t.Fatal(err)
	}

	for _, p := range profiles {
		for i, text := range texts[p.id] {
			held, err := parseKubeconfig([]byte(text))
			if err != nil {
				t.Errorf("%s, %d: %v", p.id, i, err)

				continue
			}

			for _, a := range aspects {
				report(t, of(p.id, a.check(p, held, issuer, f)))
			}
		}
	}
}

func readPairOrAuthority(root, file string) (*certificate, error) {
	if strings.HasSuffix(file, "ca.crt") {
		return readOne(filepath.Join(root, file))
	}

	held, err := readPair(root, file)
	if err != nil {
		return nil, err
	}

	chain, err := parseChain(held.crt)
	if err != nil {
		return nil, err
	}

	return chain[0], nil
}
