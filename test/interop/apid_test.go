package interop

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	talos "github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
)

// apid: the client library of Talos, with the talosconfig that the running node wrote.
// run.ts sets TRUSTPLANE_ENDPOINT (host:port) and TRUSTPLANE_TALOSCONFIG while the node runs.

func running(t *testing.T) (endpoint, talosconfig string) {
	t.Helper()

	endpoint, talosconfig = os.Getenv("TRUSTPLANE_ENDPOINT"), os.Getenv("TRUSTPLANE_TALOSCONFIG")
	if endpoint != "" && talosconfig != "" {
		return endpoint, talosconfig
	}

	made, _ := artifacts(t)
	onlyOurs(t, made, false, "running node: TRUSTPLANE_ENDPOINT and TRUSTPLANE_TALOSCONFIG are not set")

	return "", ""
}

// dial connects as talosctl does, with the node of the talosconfig in every request.
func dial(t *testing.T, endpoint string, file *clientconfig.Config) (*talos.Client, context.Context) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)

	c, err := talos.New(ctx, talos.WithConfig(file), talos.WithEndpoints(endpoint))
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { c.Close() }) //nolint:errcheck

	host, _, _ := strings.Cut(endpoint, ":")
	if nodes := file.Contexts[file.Context].Nodes; len(nodes) > 0 {
		host = nodes[0]
	}

	return c, talos.WithNode(ctx, host)
}

func connect(t *testing.T) (*talos.Client, context.Context) {
	t.Helper()

	endpoint, talosconfig := running(t)

	file, err := clientconfig.Open(talosconfig)
	if err != nil {
		t.Fatal(err)
	}

	return dial(t, endpoint, file)
}

// runningNode is the node behind the endpoint, with what its leaves depend on.
func runningNode(t *testing.T) (nodeArtifact, facts) {
	t.Helper()

	_, talosconfig := running(t)
	made, _ := artifacts(t)

	for _, node := range made.Nodes {
		if node.Talosconfig != talosconfig {
			continue
		}

		f, err := nodeFacts(node.PKI, node.Config, node.Hostname, node.Address)
		if err != nil {
			t.Fatal(err)
		}

		return node, f
	}

	t.Fatalf("the manifest has no node with the talosconfig %s", talosconfig)

	return nodeArtifact{}, facts{}
}

func TestApidVersion(t *testing.T) {
	c, ctx := connect(t)

	for name, ctx := range map[string]context.Context{
		"with `node`":  ctx,
		"with `nodes`": talos.WithNodes(ctx, "127.0.0.1"),
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := c.Version(ctx)
			if err != nil {
				t.Fatal(err)
			}

			if len(reply.Messages) != 1 || reply.Messages[0].Version == nil {
				t.Fatalf("messages: %v, want one with a version", reply.Messages)
			}

			if tag := reply.Messages[0].Version.Tag; !strings.HasPrefix(tag, "v") {
				t.Errorf("version.tag: %q, want vX.Y.Z", tag)
			}
		})
	}
}

func TestApidGenerateClientConfiguration(t *testing.T) {
	c, ctx := connect(t)
	_, f := runningNode(t)

	issuer, err := f.issuer(osAuthority)
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []struct {
		roles   []string
		life    time.Duration
		context string
	}{
		{[]string{"os:reader"}, time.Hour, "reader@" + f.config.Cluster().Name()},
		{[]string{"os:reader", "os:admin"}, 8760 * time.Hour, f.config.Cluster().Name()},
	} {
		t.Run(strings.Join(want.roles, ","), func(t *testing.T) {
			made := issueClient(t, ctx, c, want.life, want.roles...)
			equal(t, "ca", string(made.Ca), string(issuer.CrtPEM))
			clientPair(t, issuer, string(made.Crt), string(made.Key), want.life, want.roles, time.Now())

			file, err := clientconfig.FromBytes(made.Talosconfig)
			if err != nil {
				t.Fatal(err)
			}

			equal(t, "talosconfig: context", file.Context, want.context)

			if held, there := file.Contexts[file.Context]; !there {
				t.Error("talosconfig: the context is none of its contexts")
			} else {
				equal(t, "talosconfig: crt", decode(t, held.Crt), string(made.Crt))
				equal(t, "talosconfig: key", decode(t, held.Key), string(made.Key))
				equal(t, "talosconfig: ca", decode(t, held.CA), string(made.Ca))
			}
		})
	}

	t.Run("without a life", func(t *testing.T) {
		_, err := c.GenerateClientConfiguration(ctx, &machineapi.GenerateClientConfigurationRequest{
			Roles: []string{"os:reader"}, CrtTtl: durationpb.New(0),
		})
		if talos.StatusCode(err) != codes.InvalidArgument {
			t.Errorf("status %s (%v), want InvalidArgument", talos.StatusCode(err), err)
		}
	})
}

// A reader sees the status of every certificate, and no secret.
func TestApidReader(t *testing.T) {
	c, ctx := connect(t)
	endpoint, _ := running(t)

	file, err := clientconfig.FromBytes(issueClient(t, ctx, c, time.Hour, "os:reader").Talosconfig)
	if err != nil {
		t.Fatal(err)
	}

	reader, ctx := dial(t, endpoint, file)

	if _, err := reader.Version(ctx); err != nil {
		t.Errorf("Version: %v", err)
	}

	list, err := reader.COSI.List(ctx, resource.NewMetadata(secrets.NamespaceName, certificateStatuses, "", resource.VersionUndefined),
		state.WithListUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
	if err != nil || len(list.Items) == 0 {
		t.Errorf("CertificateStatuses: %d items, %v", len(list.Items), err)
	}

	if _, err := safe.StateGetByID[*secrets.OSRoot](ctx, reader.COSI, secrets.OSRootID); talos.StatusCode(err) != codes.PermissionDenied ||
		!strings.Contains(err.Error(), "not authorized") {
		t.Errorf("OSRootSecrets: %v, want PermissionDenied, not authorized", err)
	}

	_, err = reader.GenerateClientConfiguration(ctx, &machineapi.GenerateClientConfigurationRequest{
		Roles: []string{"os:admin"}, CrtTtl: durationpb.New(time.Hour),
	})
	if talos.StatusCode(err) != codes.PermissionDenied {
		t.Errorf("GenerateClientConfiguration: %v, want PermissionDenied", err)
	}
}

func issueClient(t *testing.T, ctx context.Context, c *talos.Client, life time.Duration, roles ...string) *machineapi.GenerateClientConfiguration {
	t.Helper()

	reply, err := c.GenerateClientConfiguration(ctx, &machineapi.GenerateClientConfigurationRequest{
		Roles: roles, CrtTtl: durationpb.New(life),
	})
	if err != nil {
		t.Fatal(err)
	}

	if len(reply.Messages) != 1 {
		t.Fatalf("%d messages, want 1", len(reply.Messages))
	}

	return reply.Messages[0]
}
