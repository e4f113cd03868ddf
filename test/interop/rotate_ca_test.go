package interop

import (
	"context"
	stdx509 "crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/siderolabs/crypto/x509"
	"google.golang.org/grpc/codes"

	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	talos "github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
	"github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	secretsres "github.com/siderolabs/talos/pkg/machinery/resources/secrets"
	"github.com/siderolabs/talos/pkg/machinery/role"
)

// `talosctl rotate-ca --kubernetes=false --dry-run=false`, call by call (talosctl-wire.md §2.7), against
// three control planes, one of which is killed and started again before each step.
func TestRotateCA(t *testing.T) {
	c := startCluster(t, "127.0.0.2", "127.0.0.3", "127.0.0.4")
	old := c.admin()
	current, ctx := c.dial(old, c.addresses...)

	nodes := controlPlanes(t, talos.WithNode(ctx, c.addresses[0]), current)
	if !slices.Equal(nodes, c.addresses) {
		t.Fatalf("Members: control planes %v, want %v", nodes, c.addresses)
	}

	root, err := safe.StateGetByID[*secretsres.OSRoot](talos.WithNode(ctx, nodes[0]), current.COSI, secretsres.OSRootID)
	if err != nil {
		t.Fatal(err)
	}

	oldCA := root.TypedSpec().IssuingCA

	made, err := secrets.NewTalosCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}

	newCA := &x509.PEMEncodedCertificateAndKey{Crt: made.CrtPEM, Key: made.KeyPEM}

	admin, err := secrets.NewAdminCertificateAndKey(time.Now(), newCA, role.MakeSet(role.Admin), time.Hour)
	if err != nil {
		t.Fatal(err)
	}

	reachable(t, ctx, current, nodes)
	t.Log("note: old client, before anything: all nodes answer")

	c.restart(nodes[0])
	patchAll(t, ctx, current, nodes, func(config *v1alpha1.Config) {
		config.MachineConfig.MachineAcceptedCAs = append(config.MachineConfig.MachineAcceptedCAs, certificateOf(newCA))
	})

	c.restart(nodes[1])

	intermediate, ctx2 := c.dial(clientconfig.NewConfig("intermediate", nil, oldCA.Crt, admin), c.addresses...)
	reachable(t, ctx2, intermediate, nodes)
	t.Log("note: new client certificate, old server authority: all nodes answer")

	c.restart(nodes[2])
	patchAll(t, ctx2, intermediate, nodes, func(config *v1alpha1.Config) {
		m := config.MachineConfig
		m.MachineCA = newCA
		m.MachineAcceptedCAs = append(without(m.MachineAcceptedCAs, newCA), certificateOf(oldCA))
	})

	c.restart(nodes[0])

	rotated, ctx3 := c.dial(clientconfig.NewConfig("new", nil, newCA.Crt, admin), c.addresses...)
	reachable(t, ctx3, rotated, nodes)
	t.Log("note: new client, which trusts the new authority alone: all nodes answer")

	c.restart(nodes[1])
	patchAll(t, ctx3, rotated, nodes, func(config *v1alpha1.Config) {
		config.MachineConfig.MachineAcceptedCAs = without(config.MachineConfig.MachineAcceptedCAs, oldCA)
	})

	c.restart(nodes[2])
	reachable(t, ctx3, rotated, nodes)
	t.Log("note: the old authority is dropped: all nodes answer")

	for _, node := range nodes {
		stale, ctx4 := c.dial(old, node)
		if _, err := stale.Version(talos.WithNode(ctx4, node)); talos.StatusCode(err) != codes.Unavailable {
			t.Errorf("%s: the old client: %v, want Unavailable", node, err)
		}
	}
}

// controlPlanes lists the addresses of the members that are control planes.
func controlPlanes(t *testing.T, ctx context.Context, c *talos.Client) []string {
	t.Helper()

	members, err := safe.StateListAll[*cluster.Member](ctx, c.COSI)
	if err != nil {
		t.Fatal(err)
	}

	var addresses []string

	for member := range members.All() {
		spec := member.TypedSpec()
		if spec.MachineType == machine.TypeControlPlane && len(spec.Addresses) > 0 {
			addresses = append(addresses, spec.Addresses[0].String())
		}
	}

	slices.Sort(addresses)

	return addresses
}

// retried calls again while nobody answers, every 100 ms for 10 s, as talosctl does.
func retried(call func() error, codesToRetry ...codes.Code) error {
	var err error

	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = call(); err == nil || !slices.Contains(codesToRetry, talos.StatusCode(err)) {
			return err
		}
	}

	return err
}

func reachable(t *testing.T, ctx context.Context, c *talos.Client, nodes []string) {
	t.Helper()

	for _, node := range nodes {
		if err := retried(func() error {
			_, err := c.Version(talos.WithNode(ctx, node))

			return err
		}, codes.Unavailable); err != nil {
			t.Fatalf("%s: Version: %v", node, err)
		}
	}
}

func patchAll(t *testing.T, ctx context.Context, c *talos.Client, nodes []string, patch func(*v1alpha1.Config)) {
	t.Helper()

	for _, node := range nodes {
		if err := retried(func() error { return patchNode(talos.WithNode(ctx, node), c, patch) }, codes.Unavailable, codes.Canceled); err != nil {
			t.Fatalf("%s: %v", node, err)
		}
	}
}

func patchNode(ctx context.Context, c *talos.Client, patch func(*v1alpha1.Config)) error {
	held, err := safe.StateGetByID[*configres.MachineConfig](ctx, c.COSI, configres.ActiveID)
	if err != nil {
		return err
	}

	patched, err := held.Provider().PatchV1Alpha1(func(config *v1alpha1.Config) error {
		patch(config)

		return nil
	})
	if err != nil {
		return err
	}

	data, err := patched.EncodeBytes()
	if err != nil {
		return err
	}

	reply, err := c.ApplyConfiguration(ctx, &machineapi.ApplyConfigurationRequest{
		Data: data, Mode: machineapi.ApplyConfigurationRequest_NO_REBOOT,
	})
	if err == nil && len(reply.Messages) != 1 {
		return errors.New("ApplyConfiguration: want one message")
	}

	return err
}

func certificateOf(ca *x509.PEMEncodedCertificateAndKey) *x509.PEMEncodedCertificate {
	return &x509.PEMEncodedCertificate{Crt: ca.Crt}
}

// without drops an authority from a list; they are compared by their bytes, as talosctl does.
func without(list []*x509.PEMEncodedCertificate, ca *x509.PEMEncodedCertificateAndKey) []*x509.PEMEncodedCertificate {
	return slices.DeleteFunc(slices.Clone(list), func(one *x509.PEMEncodedCertificate) bool {
		return slices.Equal(derOf(one.Crt), derOf(ca.Crt))
	})
}

func derOf(text []byte) []byte {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}

	certificate, err := stdx509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}

	return certificate.Raw
}
