package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	clusterapi "github.com/siderolabs/talos/pkg/machinery/api/cluster"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	talos "github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/container"
	"github.com/siderolabs/talos/pkg/machinery/formatters"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
)

// What talosctl calls, command by command (talosctl-wire.md §2), through the client library that it is
// made of; a line for each says that it works, or what is missing.

type connected struct {
	*talos.Client

	node string
}

type command struct {
	name string
	run  func(ctx context.Context, c connected) error
}

func TestTalosctl(t *testing.T) {
	nodes := startCluster(t, "127.0.0.2")
	node := nodes.addresses[0]

	c, ctx := nodes.dial(nodes.admin(), node)

	for _, command := range slices.Concat(reading, changing, ending) {
		t.Run(command.name, func(t *testing.T) {
			if err := command.run(talos.WithNode(ctx, node), connected{c, node}); err != nil {
				t.Fatalf("%s: %v", command.name, err)
			}

			t.Logf("note: talosctl %s: pass", command.name)
		})
	}
}

var reading = []command{
	{"version", func(ctx context.Context, c connected) error {
		reply, err := c.Version(ctx)
		if err != nil {
			return err
		}

		if m := reply.Messages; len(m) != 1 || m[0].Version == nil || !strings.HasPrefix(m[0].Version.Tag, "v") || !m[0].Features.GetRbac() {
			return fmt.Errorf("messages: %v", m)
		}

		return nil
	}},
	{"version (≤ 1.13, by `nodes`)", func(ctx context.Context, c connected) error {
		reply, err := c.Version(talos.WithNodes(context.Background(), c.node))
		if err == nil && reply.Messages[0].Metadata.GetHostname() != c.node {
			return fmt.Errorf("hostname %q", reply.Messages[0].Metadata.GetHostname())
		}

		return err
	}},
	{"get rd, and every kind in it", getAll},
	{"get certificatestatus apid-server", func(ctx context.Context, c connected) error {
		definition, err := resolved(ctx, c, "certificatestatus")
		if err != nil {
			return err
		}

		_, err = c.COSI.Get(ctx, resource.NewMetadata(definition.DefaultNamespace, definition.Type, "apid-server", resource.VersionUndefined),
			state.WithGetUnmarshalOptions(state.WithSkipProtobufUnmarshal()))

		return err
	}},
	{"get certificatestatus -w", func(ctx context.Context, c connected) error {
		definition, err := resolved(ctx, c, "certificatestatus")
		if err != nil {
			return err
		}

		events := make(chan state.Event)

		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		if err := c.COSI.WatchKind(ctx, resource.NewMetadata(definition.DefaultNamespace, definition.Type, "", resource.VersionUndefined), events,
			state.WithBootstrapContents(true), state.WithWatchKindUnmarshalOptions(state.WithSkipProtobufUnmarshal())); err != nil {
			return err
		}

		for event := range events {
			switch event.Type {
			case state.Errored:
				return event.Error
			case state.Bootstrapped:
				return nil
			case state.Created, state.Updated, state.Destroyed, state.Noop:
			}
		}

		return errors.New("the watch ended")
	}},
	{"get ns", byAlias("ns")},
	{"get members", byAlias("members")},
	{"get securitystatus", byAlias("securitystatus")},
	{"get services", byAlias("services")},
	{"get mc", byAlias("mc")},
	{"inspect dependencies", func(ctx context.Context, c connected) error {
		reply, err := c.Inspect.ControllerRuntimeDependencies(ctx)
		if err != nil {
			return err
		}

		return formatters.RenderGraph(ctx, c.Client, reply, io.Discard, false)
	}},
	{"inspect dependencies --with-resources", func(ctx context.Context, c connected) error {
		reply, err := c.Inspect.ControllerRuntimeDependencies(ctx)
		if err != nil {
			return err
		}

		return formatters.RenderGraph(ctx, c.Client, reply, io.Discard, true)
	}},
	{"services", func(ctx context.Context, c connected) error {
		reply, err := c.ServiceList(ctx)
		if err != nil {
			return err
		}

		for _, service := range reply.Messages[0].Services {
			if service.Events == nil || service.Health == nil {
				return fmt.Errorf("%s: events or health is missing: talosctl panics", service.Id)
			}
		}

		return nil
	}},
	{"service apid", func(ctx context.Context, c connected) error {
		infos, err := c.ServiceInfo(ctx, "apid")
		if err == nil && (len(infos) != 1 || infos[0].Service.State != "Running") {
			return fmt.Errorf("%v", infos)
		}

		return err
	}},
	{"logs apid", logsOf("apid")},
	{"logs trustd", logsOf("trustd")},
	{"logs machined", logsOf("machined")},
	{"logs controller-runtime", logsOf("controller-runtime")},
	{"logs apid -f", func(ctx context.Context, c connected) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		stream, err := c.Logs(ctx, "system", common.ContainerDriver_CONTAINERD, "apid", true, 1)
		if err != nil {
			return err
		}

		_, err = stream.Recv()

		return err
	}},
	{"logs (completion)", func(ctx context.Context, c connected) error {
		reply, err := c.LogsContainers(ctx)
		if err == nil && !slices.Contains(reply.Messages[0].Ids, "apid") {
			return fmt.Errorf("ids: %v", reply.Messages[0].Ids)
		}

		return err
	}},
	{"events --tail -1", func(ctx context.Context, c connected) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		found := make(chan talos.EventResult)

		go func() {
			c.EventsWatchV2(ctx, found, talos.WithTailEvents(-1)) //nolint:errcheck
		}()

		for {
			select {
			case event := <-found:
				if event.Error != nil {
					return event.Error
				}

				if status, is := event.Event.Payload.(*machineapi.MachineStatusEvent); is && status.Status == nil {
					return errors.New("MachineStatusEvent without status: talosctl panics")
				} else if is && status.Stage == machineapi.MachineStatusEvent_RUNNING && status.Status.Ready {
					return nil
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}},
	{"time", func(ctx context.Context, c connected) error {
		reply, err := c.Time(ctx)
		if err != nil {
			return err
		}

		m := reply.Messages[0]

		return errors.Join(m.Localtime.CheckValid(), m.Remotetime.CheckValid())
	}},
	{"health --server", func(ctx context.Context, c connected) error {
		stream, err := c.ClusterHealthCheck(ctx, time.Minute, &clusterapi.ClusterInfo{})
		if err != nil {
			return err
		}

		for {
			if _, err := stream.Recv(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}},
	{"read /proc/version", func(ctx context.Context, c connected) error {
		text, err := readFile(ctx, c, "/proc/version")
		if err == nil && len(text) == 0 {
			return errors.New("it is empty")
		}

		return err
	}},
	{"read of a file that is not there", func(ctx context.Context, c connected) error {
		_, err := readFile(ctx, c, "/no/such/file")

		return want(err, codes.NotFound)
	}},
	{"list / -r", func(ctx context.Context, c connected) error {
		stream, err := c.LS(ctx, &machineapi.ListRequest{Root: "/", Recurse: true})
		if err != nil {
			return err
		}

		for count := 0; ; count++ {
			info, err := stream.Recv()

			switch {
			case errors.Is(err, io.EOF) && count > 0:
				return nil
			case err != nil:
				return err
			case info.Error != "":
				return fmt.Errorf("%s: %s", info.RelativeName, info.Error)
			}
		}
	}},
	{"containers", func(ctx context.Context, c connected) error {
		reply, err := c.Containers(ctx, "k8s.io", common.ContainerDriver_CRI)
		if err == nil && len(reply.Messages) != 1 {
			return fmt.Errorf("%d messages", len(reply.Messages))
		}

		return err
	}},
	{"kubeconfig", func(ctx context.Context, c connected) error {
		text, err := c.Kubeconfig(ctx)
		if err == nil && !strings.Contains(string(text), "client-certificate-data") {
			return errors.New("it is no kubeconfig")
		}

		return err
	}},
	{"config new --roles os:reader", func(ctx context.Context, c connected) error {
		reply, err := c.GenerateClientConfiguration(ctx, &machineapi.GenerateClientConfigurationRequest{
			Roles: []string{"os:reader"}, CrtTtl: durationpb.New(time.Hour),
		})
		if err != nil {
			return err
		}

		file, err := clientconfig.FromBytes(reply.Messages[0].Talosconfig)
		if err == nil && (len(reply.Messages) != 1 || file.Contexts[file.Context] == nil) {
			return errors.New("the context is not in its contexts: talosctl panics")
		}

		return err
	}},
	{"etcd members, dmesg, memory, processes, mounts, netstat, disks, upgrade, rollback, bootstrap: not served", unserved},
}

const jsonPatch = `[{"op":"add","path":"/machine/certSANs","value":["json.example.test"]}]`

var changing = []command{
	{"apply-config --dry-run", applying(machineapi.ApplyConfigurationRequest_AUTO, true)},
	{"apply-config", applying(machineapi.ApplyConfigurationRequest_AUTO, false)},
	{"apply-config -m no-reboot", applying(machineapi.ApplyConfigurationRequest_NO_REBOOT, false)},
	{"apply-config -m staged", applying(machineapi.ApplyConfigurationRequest_STAGED, false)},
	{"apply-config -m try", applying(machineapi.ApplyConfigurationRequest_TRY, false)},
	{"patch mc (strategic merge)", patching("machine:\n  certSANs: [patched.example.test]\n", "patched.example.test")},
	{"patch mc (JSON6902) of several documents: refused by talosctl itself", func(ctx context.Context, c connected) error {
		if err := patching(jsonPatch, "json.example.test")(ctx, c); err == nil || !strings.Contains(err.Error(), "not supported for multi-document") {
			return fmt.Errorf("want the refusal of Talos, not %w", err)
		}

		return nil
	}},
	{"apply-config of a single document", func(ctx context.Context, c connected) error {
		held, err := safe.StateGetByID[*configres.MachineConfig](ctx, c.COSI, configres.ActiveID)
		if err != nil {
			return err
		}

		single, err := container.New(held.Container().RawV1Alpha1())
		if err != nil {
			return err
		}

		return apply(ctx, c, single)
	}},
	{"patch mc (JSON6902)", patching(jsonPatch, "json.example.test")},
	{"apply-config of nonsense", func(ctx context.Context, c connected) error {
		_, err := c.ApplyConfiguration(ctx, &machineapi.ApplyConfigurationRequest{
			Data: []byte("nonsense: true\n"), Mode: machineapi.ApplyConfigurationRequest_AUTO,
		})

		return want(err, codes.InvalidArgument)
	}},
}

var ending = []command{
	{"service apid restart", func(ctx context.Context, c connected) error {
		if _, err := c.ServiceRestart(ctx, "apid"); err != nil {
			return err
		}

		return retried(func() error {
			_, err := c.Version(ctx)

			return err
		}, codes.Unavailable)
	}},
	{"reboot", func(ctx context.Context, c connected) error {
		before, err := readFile(ctx, c, "/proc/sys/kernel/random/boot_id")
		if err != nil {
			return err
		}

		reply, err := c.RebootWithResponse(ctx)
		if err != nil {
			return err
		}

		if reply.Messages[0].ActorId == "" {
			return errors.New("no actor_id: nothing to follow the reboot by")
		}

		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if after, err := readFile(ctx, c, "/proc/sys/kernel/random/boot_id"); err == nil && after != before {
				return nil
			}
		}

		return errors.New("the boot id stays the same")
	}},
	{"reset of the only control plane: refused without --graceful=false", func(ctx context.Context, c connected) error {
		if err := c.Reset(ctx, true, false); talos.StatusCode(err) != codes.FailedPrecondition {
			return fmt.Errorf("error %v, want FailedPrecondition", err)
		}

		return nil
	}},
	{"shutdown", func(ctx context.Context, c connected) error {
		if err := retried(func() error { return c.Shutdown(ctx) }, codes.Unavailable); err != nil {
			return err
		}

		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if _, err := c.Version(ctx); talos.StatusCode(err) == codes.Unavailable {
				return nil
			}
		}

		return errors.New("it still answers")
	}},
}

func resolved(ctx context.Context, c connected, alias string) (*meta.ResourceDefinitionSpec, error) {
	namespace := ""

	definition, err := c.ResolveResourceKind(ctx, &namespace, alias)
	if err != nil {
		return nil, err
	}

	return definition.TypedSpec(), nil
}

func byAlias(alias string) func(context.Context, connected) error {
	return func(ctx context.Context, c connected) error {
		definition, err := resolved(ctx, c, alias)
		if err != nil {
			return err
		}

		list, err := c.COSI.List(ctx, resource.NewMetadata(definition.DefaultNamespace, definition.Type, "", resource.VersionUndefined),
			state.WithListUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
		if err == nil && len(list.Items) == 0 {
			return errors.New("there is none")
		}

		return err
	}
}

// getAll lists every kind, as `support` and the completion do, with the forms that talosctl knows.
func getAll(ctx context.Context, c connected) error {
	definitions, err := safe.StateListAll[*meta.ResourceDefinition](ctx, c.COSI)
	if err != nil {
		return err
	}

	for definition := range definitions.All() {
		spec := definition.TypedSpec()
		if _, err := c.COSI.List(ctx, resource.NewMetadata(spec.DefaultNamespace, spec.Type, "", resource.VersionUndefined)); err != nil {
			return fmt.Errorf("%s: %w", spec.Type, err)
		}
	}

	return nil
}

func logsOf(id string) func(context.Context, connected) error {
	return func(ctx context.Context, c connected) error {
		stream, err := c.Logs(ctx, "system", common.ContainerDriver_CONTAINERD, id, false, -1)
		if err != nil {
			return err
		}

		bytes := 0

		for {
			data, err := stream.Recv()

			switch {
			case errors.Is(err, io.EOF) && bytes > 0:
				return nil
			case errors.Is(err, io.EOF):
				return errors.New("not even a start line")
			case err != nil:
				return err
			}

			bytes += len(data.Bytes)
		}
	}
}

func readFile(ctx context.Context, c connected, path string) (string, error) {
	reader, err := c.Read(ctx, path)
	if err != nil {
		return "", err
	}

	defer reader.Close() //nolint:errcheck

	text, err := io.ReadAll(reader)

	return string(text), err
}

func want(err error, code codes.Code) error {
	if talos.StatusCode(err) == code {
		return nil
	}

	return fmt.Errorf("%w, want %s", err, code)
}

func unserved(ctx context.Context, c connected) error {
	m := c.MachineClient

	calls := map[string]func() error{
		"EtcdMemberList": func() error {
			_, err := m.EtcdMemberList(ctx, &machineapi.EtcdMemberListRequest{})

			return err
		},
		"Memory":    func() error { _, err := m.Memory(ctx, &emptypb.Empty{}); return err },
		"Processes": func() error { _, err := m.Processes(ctx, &emptypb.Empty{}); return err },
		"Mounts":    func() error { _, err := m.Mounts(ctx, &emptypb.Empty{}); return err },
		"Netstat":   func() error { _, err := m.Netstat(ctx, &machineapi.NetstatRequest{}); return err },
		"Disks":     func() error { _, err := c.Disks(ctx); return err },
		"Upgrade":   func() error { _, err := m.Upgrade(ctx, &machineapi.UpgradeRequest{}); return err },
		"Rollback":  func() error { _, err := m.Rollback(ctx, &machineapi.RollbackRequest{}); return err },
		"Bootstrap": func() error { _, err := m.Bootstrap(ctx, &machineapi.BootstrapRequest{}); return err },
		"Dmesg": func() error {
			stream, err := m.Dmesg(ctx, &machineapi.DmesgRequest{})
			if err != nil {
				return err
			}

			_, err = stream.Recv()

			return err
		},
	}

	for name, call := range calls {
		if err := want(call(), codes.Unimplemented); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}

	return nil
}

// applying hands the configuration in force to the node again.
func applying(mode machineapi.ApplyConfigurationRequest_Mode, dryRun bool) func(context.Context, connected) error {
	return func(ctx context.Context, c connected) error {
		held, err := safe.StateGetByID[*configres.MachineConfig](ctx, c.COSI, configres.ActiveID)
		if err != nil {
			return err
		}

		data, err := held.Provider().Bytes()
		if err != nil {
			return err
		}

		reply, err := c.ApplyConfiguration(ctx, &machineapi.ApplyConfigurationRequest{
			Data: data, Mode: mode, DryRun: dryRun, TryModeTimeout: durationpb.New(time.Minute),
		})
		if err == nil && len(reply.Messages) != 1 {
			return fmt.Errorf("%d messages", len(reply.Messages))
		}

		return err
	}
}

func apply(ctx context.Context, c connected, config config.Encoder) error {
	data, err := config.EncodeBytes()
	if err != nil {
		return err
	}

	_, err = c.ApplyConfiguration(ctx, &machineapi.ApplyConfigurationRequest{
		Data: data, Mode: machineapi.ApplyConfigurationRequest_AUTO,
	})

	return err
}

// patching patches what the node holds as talosctl does, and looks for what the patch adds.
func patching(text, added string) func(context.Context, connected) error {
	return func(ctx context.Context, c connected) error {
		held, err := safe.StateGetByID[*configres.MachineConfig](ctx, c.COSI, configres.ActiveID)
		if err != nil {
			return err
		}

		patch, err := configpatcher.LoadPatch([]byte(text))
		if err != nil {
			return err
		}

		patched, err := configpatcher.Apply(configpatcher.WithConfig(held.Provider()), []configpatcher.Patch{patch})
		if err != nil {
			return err
		}

		config, err := patched.Config()
		if err != nil {
			return err
		}

		if err := apply(ctx, c, config); err != nil {
			return err
		}

		now, err := safe.StateGetByID[*configres.MachineConfig](ctx, c.COSI, configres.ActiveID)
		if err != nil {
			return err
		}

		if !slices.Contains(now.Config().Machine().Security().CertSANs(), added) {
			return fmt.Errorf("%s is not in force", added)
		}

		return nil
	}
}
