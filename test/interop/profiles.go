package interop

import (
	stdx509 "crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/siderolabs/crypto/x509"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
	"github.com/siderolabs/talos/pkg/machinery/role"
)

const (
	authorityLife  = 87600 * time.Hour
	talosLife      = 24 * time.Hour
	etcdLife       = 87600 * time.Hour
	kubernetesLife = 8760 * time.Hour
	clientLife     = 8760 * time.Hour
	// backdate is how much earlier than the moment of issue a leaf of ours may begin.
	backdate = 15 * time.Minute
)

const (
	signature    = stdx509.KeyUsageDigitalSignature
	encipherment = stdx509.KeyUsageDigitalSignature | stdx509.KeyUsageKeyEncipherment
	server       = stdx509.ExtKeyUsageServerAuth
	client       = stdx509.ExtKeyUsageClientAuth
)

// authority names one of the four authorities of a cluster.
type authority string

const (
	osAuthority         authority = "os"
	kubernetesAuthority authority = "k8s"
	etcdAuthority       authority = "etcd"
	aggregatorAuthority authority = "aggregator"
)

// twinAuthority makes an authority as Talos does (spec §2.3, first four rows).
func twinAuthority(of authority, now time.Time) (*x509.CertificateAuthority, error) {
	switch of {
	case osAuthority:
		return x509.NewSelfSignedCertificateAuthority(authorityOptions(now, x509.Organization("talos"))...)
	case kubernetesAuthority:
		return x509.NewSelfSignedCertificateAuthority(authorityOptions(now, x509.Organization("kubernetes"), x509.ECDSA(true))...)
	case etcdAuthority:
		return x509.NewSelfSignedCertificateAuthority(authorityOptions(now, x509.Organization("etcd"), x509.ECDSA(true))...)
	case aggregatorAuthority:
		return x509.NewSelfSignedCertificateAuthority(authorityOptions(now, x509.CommonName("front-proxy"), x509.ECDSA(true))...)
	default:
		return nil, fmt.Errorf("unknown authority %q", of)
	}
}

func authorityOptions(now time.Time, options ...x509.Option) []x509.Option {
	return append(options, x509.NotBefore(now), x509.NotAfter(now.Add(authorityLife)))
}

// facts are what a node's leaves depend on besides the roots.
type facts struct {
	config   config.Provider
	hostname string
	fqdn     string
	address  netip.Addr
}

// factsOf splits a fully qualified name at its first dot, as Talos does.
func factsOf(provider config.Provider, fqdn string, address netip.Addr) facts {
	hostname, _, _ := strings.Cut(fqdn, ".")

	return facts{config: provider, hostname: hostname, fqdn: fqdn, address: address}
}

// issuer gives certificate and key of an authority as they stand in the machine configuration.
func (f facts) issuer(of authority) (*x509.CertificateAuthority, error) {
	var pair *x509.PEMEncodedCertificateAndKey

	switch of {
	case osAuthority:
		pair = f.config.Machine().Security().IssuingCA()
	case kubernetesAuthority:
		pair = f.config.Cluster().IssuingCA()
	case etcdAuthority:
		pair = f.config.Cluster().Etcd().CA()
	case aggregatorAuthority:
		pair = f.config.Cluster().AggregatorCA()
	}

	if pair == nil {
		return nil, fmt.Errorf("the configuration has no %s authority", of)
	}

	return x509.NewCertificateAuthorityFromCertificateAndKey(pair)
}

// apiNames are the names of apid and trustd (spec §6.4, `api`).
func (f facts) apiNames() *secrets.CertSANSpec {
	names := &secrets.CertSANSpec{}
	names.Append(f.config.Machine().Security().CertSANs()...)
	names.AppendIPs(f.address, netip.MustParseAddr("127.0.0.1"))
	names.AppendDNSNames(f.hostname, f.fqdn)

	if f.config.Machine().Features().KubernetesTalosAPIAccess().Enabled() {
		names.AppendDNSNames("talos", "talos.default")
	}

	names.Sort()

	return names
}

// kubernetesNames are the names of kube-apiserver (spec §6.4, `k8s`).
func (f facts) kubernetesNames() *secrets.CertSANSpec {
	cluster := f.config.Cluster()

	names := &secrets.CertSANSpec{}
	names.Append(cluster.Endpoint().Hostname())
	names.Append(cluster.CertSANs()...)
	names.AppendDNSNames(
		"kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc."+cluster.Network().DNSDomain(), "localhost", f.hostname, f.fqdn,
	)

	// a service CIDR that does not parse has been refused by Validate
	if addresses, err := cluster.Network().APIServerIPs(); err == nil {
		names.AppendIPs(addresses...)
	}

	names.AppendIPs(f.address, netip.MustParseAddr("127.0.0.1"))
	names.Sort()

	return names
}

// etcdNames are the names of etcd in Talos' order: unlike the others they are not sorted. A node that
// lives on a loopback address has that address once.
func (f facts) etcdNames(local bool) *secrets.CertSANSpec {
	names := &secrets.CertSANSpec{}
	names.AppendIPs(f.address)
	names.AppendDNSNames(f.hostname, f.fqdn)

	if local {
		names.AppendIPs(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"))
		names.AppendDNSNames("localhost")
	}

	return names
}

// profile is one row of spec §2.3 that a node issues by itself.
type profile struct {
	id      string // as in CertificateStatuses
	file    string // below the PKI directory: a .crt, or a .conf that holds the pair
	issuer  authority
	life    time.Duration
	usages  []stdx509.ExtKeyUsage
	options func(facts) []x509.Option
	// chained says that the issuer may follow in the same file.
	chained bool
}

// twin gives the options that Talos would issue this leaf with.
func (p profile) twin(f facts) []x509.Option {
	return append(p.options(f), append(lasting(p.life), x509.ExtKeyUsage(p.usages))...)
}

func subject(usage stdx509.KeyUsage, name string, organizations ...string) func(facts) []x509.Option {
	return func(facts) []x509.Option { return subjectOptions(usage, name, organizations...) }
}

func subjectOptions(usage stdx509.KeyUsage, name string, organizations ...string) []x509.Option {
	return []x509.Option{x509.KeyUsage(usage), x509.CommonName(name), x509.Organization(organizations...)}
}

func named(names *secrets.CertSANSpec, options []x509.Option) []x509.Option {
	addresses := make([]net.IP, 0, len(names.IPs))
	for _, ip := range names.IPs {
		addresses = append(addresses, ip.AsSlice())
	}

	return append(options, x509.DNSNames(slices.Clone(names.DNSNames)), x509.IPAddresses(addresses))
}

var both = []stdx509.ExtKeyUsage{server, client}

// profiles is spec §2.3, without the rows that are not a control plane's own leaves.
var profiles = []profile{
	{
		id: "apid-server", file: "talos/apid.crt", issuer: osAuthority, life: talosLife, usages: both[:1],
		options: func(f facts) []x509.Option { return named(f.apiNames(), subjectOptions(signature, f.fqdn)) },
	},
	{
		id: "apid-client", file: "talos/apid-client.crt", issuer: osAuthority, life: talosLife, usages: both[1:],
		options: func(f facts) []x509.Option { return subjectOptions(signature, f.fqdn, string(role.Impersonator)) },
	},
	{
		id: "trustd-server", file: "talos/trustd.crt", issuer: osAuthority, life: talosLife, usages: both[:1],
		options: func(f facts) []x509.Option { return named(f.apiNames(), subjectOptions(encipherment, f.fqdn)) },
	},
	{
		id: "etcd-server", file: "kubernetes/pki/etcd/server.crt", issuer: etcdAuthority, life: etcdLife, usages: both,
		options: func(f facts) []x509.Option { return named(f.etcdNames(true), subjectOptions(encipherment, f.hostname)) },
	},
	{
		id: "etcd-peer", file: "kubernetes/pki/etcd/peer.crt", issuer: etcdAuthority, life: etcdLife, usages: both,
		options: func(f facts) []x509.Option {
			return named(f.etcdNames(false), subjectOptions(encipherment, f.hostname))
		},
	},
	{
		id: "etcd-admin", file: "kubernetes/pki/etcd/healthcheck-client.crt", issuer: etcdAuthority, life: etcdLife,
		usages: both[1:], options: subject(encipherment, "talos"),
	},
	{
		id: "etcd-apiserver-client", file: "kubernetes/pki/apiserver-etcd-client.crt", issuer: etcdAuthority, life: etcdLife,
		usages: both[1:], options: subject(encipherment, "kube-apiserver"),
	},
	{
		id: "kube-apiserver", file: "kubernetes/pki/apiserver.crt", issuer: kubernetesAuthority, life: kubernetesLife,
		usages: both[:1], chained: true,
		options: func(f facts) []x509.Option {
			return named(f.kubernetesNames(), subjectOptions(encipherment, "kube-apiserver", "kube-master"))
		},
	},
	{
		id: "apiserver-kubelet-client", file: "kubernetes/pki/apiserver-kubelet-client.crt", issuer: kubernetesAuthority,
		life: kubernetesLife, usages: both[1:], options: subject(encipherment, "apiserver-kubelet-client", "system:masters"),
	},
	{
		id: "front-proxy-client", file: "kubernetes/pki/front-proxy-client.crt", issuer: aggregatorAuthority,
		life: kubernetesLife, usages: both[1:], options: subject(encipherment, "front-proxy-client"),
	},
	{
		id: "controller-manager", file: "kubernetes/controller-manager.conf", issuer: kubernetesAuthority,
		life: kubernetesLife, usages: both[1:],
		options: subject(encipherment, "system:kube-controller-manager", "system:kube-controller-manager"),
	},
	{
		id: "scheduler", file: "kubernetes/scheduler.conf", issuer: kubernetesAuthority, life: kubernetesLife,
		usages: both[1:], options: subject(encipherment, "system:kube-scheduler", "system:kube-scheduler"),
	},
	{
		id: "admin", file: "kubernetes/admin.conf", issuer: kubernetesAuthority, life: kubernetesLife,
		usages: both[1:], options: subject(encipherment, "talos:admin", "system:masters"),
	},
}

// authorityFiles are the authorities' certificates below the PKI directory.
var authorityFiles = []struct {
	file string
	of   authority
}{
	{"talos/ca.crt", osAuthority},
	{"kubernetes/pki/ca.crt", kubernetesAuthority},
	{"kubernetes/pki/etcd/ca.crt", etcdAuthority},
	{"kubernetes/pki/front-proxy-ca.crt", aggregatorAuthority},
}

// talosClient are the options of a talosctl client certificate with these roles.
func talosClient(life time.Duration, roles ...string) []x509.Option {
	set, _ := role.Parse(roles)

	return append(subjectOptions(signature, "", set.Strings()...), append(lasting(life), x509.ExtKeyUsage(both[1:]))...)
}

// lasting reads the clock once, so that the life is exact.
func lasting(life time.Duration) []x509.Option {
	now := time.Now()

	return []x509.Option{x509.NotBefore(now), x509.NotAfter(now.Add(life))}
}
