package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"
)

// apiLoad asks something of a node, to warm it up and then to measure, and tells how often in which time.
type apiLoad func(ctx context.Context, conn *grpc.ClientConn, size Size, isWarm bool) (int, time.Duration, error)

// onAPI runs a load over one connection. It is on the stubs, below the client of COSI, so that it costs
// the client less than either server.
func onAPI(load apiLoad) Workload {
	return func(ctx context.Context, size Size) (float64, error) {
		conn, err := dialAPI(size)
		if err != nil {
			return 0, err
		}
		defer conn.Close() //nolint:errcheck

		warmUp := size
		warmUp.Count = size.Warmup

		if _, _, err = load(ctx, conn, warmUp, false); err != nil {
			return 0, err
		}

		count, elapsed, err := load(ctx, conn, size, true)

		return rate(count, elapsed), err
	}
}

func dialAPI(size Size) (*grpc.ClientConn, error) {
	tlsConfig, err := apiTLS(size.Directory, "client")
	if err != nil {
		return nil, err
	}

	return grpc.NewClient(size.Address, grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig)))
}

func apiGet(ctx context.Context, conn *grpc.ClientConn, size Size, _ bool) (int, time.Duration, error) {
	client := v1alpha1.NewStateClient(conn)
	start := time.Now()
	err := each(size.InFlight, size.Count, func(i int) error {
		_, err := client.Get(ctx, &v1alpha1.GetRequest{
			Namespace: namespace, Type: noteType, Id: noteID(scattered(i, size.Items)),
		})

		return err
	})

	return size.Count, time.Since(start), err
}

func apiVersion(ctx context.Context, conn *grpc.ClientConn, size Size, _ bool) (int, time.Duration, error) {
	start := time.Now()
	err := each(size.InFlight, size.Count, func(int) error {
		reply := &emptypb.Empty{}
		if err := conn.Invoke(ctx, "/machine.MachineService/Version", &emptypb.Empty{}, reply); err != nil {
			return err
		}

		if len(reply.ProtoReflect().GetUnknown()) == 0 {
			return fmt.Errorf("the version is empty")
		}

		return nil
	})

	return size.Count, time.Since(start), err
}

// openWatch is open when it says that all of the kind was there.
func openWatch(ctx context.Context, conn *grpc.ClientConn, ns string) (v1alpha1.State_WatchClient, error) {
	stream, err := v1alpha1.NewStateClient(conn).Watch(ctx, &v1alpha1.WatchRequest{
		Namespace: ns, Type: noteType, ApiVersion: 1,
		Options: &v1alpha1.WatchOptions{BootstrapContents: true},
	})

	return stream, err
}

// await reads until it has seen so many events of a type.
func await(stream v1alpha1.State_WatchClient, kind v1alpha1.EventType, count int) error {
	for seen := 0; seen < count; {
		message, err := stream.Recv()
		if err != nil {
			return err
		}

		for _, event := range message.GetEvent() {
			if event.GetEventType() == kind {
				seen++
			}
		}
	}

	return nil
}

func apiWatchContents(ctx context.Context, conn *grpc.ClientConn, size Size, _ bool) (int, time.Duration, error) {
	start := time.Now()

	for range size.Count {
		watch, end := context.WithCancel(ctx)

		stream, err := openWatch(watch, conn, namespace)
		if err == nil {
			err = await(stream, v1alpha1.EventType_CREATED, size.Items)
		}

		end()

		if err != nil {
			return 0, 0, err
		}
	}

	return size.Count * size.Items, time.Since(start), nil
}

func apiWatchLive(ctx context.Context, conn *grpc.ClientConn, size Size, isWarm bool) (int, time.Duration, error) {
	ns := "burst-0"
	if isWarm {
		ns = "burst-1"
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	conns := make([]*grpc.ClientConn, size.Watchers)
	for i := range conns {
		conns[i] = conn
	}

	streams, err := openWatches(ctx, conns, ns)
	if err != nil {
		return 0, 0, err
	}

	start := time.Now()
	err = burstThrough(streams, size.PID, size.Count)

	return size.Count * size.Watchers, time.Since(start), err
}

func openWatches(ctx context.Context, conns []*grpc.ClientConn, ns string) ([]v1alpha1.State_WatchClient, error) {
	streams := make([]v1alpha1.State_WatchClient, len(conns))

	for i, conn := range conns {
		var err error
		if streams[i], err = openWatch(ctx, conn, ns); err != nil {
			return nil, err
		}

		if err = await(streams[i], v1alpha1.EventType_BOOTSTRAPPED, 1); err != nil {
			return nil, err
		}
	}

	return streams, nil
}

// burstThrough has the server make its next burst, and waits until every watch has seen it.
func burstThrough(streams []v1alpha1.State_WatchClient, pid, count int) error {
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		return err
	}

	return each(len(streams), len(streams), func(i int) error {
		return await(streams[i], v1alpha1.EventType_CREATED, count)
	})
}

// watchesBefore is how many watches come and go before the memory of a server is looked at.
const watchesBefore = 20

const mb = 1e6

// apiWatchMemory tells by how many MB a server grows with its watches, each of which saw some events.
func apiWatchMemory(ctx context.Context, size Size) (float64, error) {
	conn, err := dialAPI(size)
	if err != nil {
		return 0, err
	}
	defer conn.Close() //nolint:errcheck

	early, end := context.WithCancel(ctx)
	for range watchesBefore {
		if _, err = openWatches(early, []*grpc.ClientConn{conn}, "burst-1"); err != nil {
			break
		}
	}

	end()

	if err != nil {
		return 0, err
	}

	before, err := residentBytes(ctx, size.PID)
	if err != nil {
		return 0, err
	}

	conns := make([]*grpc.ClientConn, size.Watchers)
	for i := range conns {
		conns[i] = conn

		if size.IsApart {
			if conns[i], err = dialAPI(size); err != nil {
				return 0, err
			}
			defer conns[i].Close() //nolint:errcheck
		}
	}

	streams, err := openWatches(ctx, conns, "burst-0")
	if err != nil {
		return 0, err
	}

	if err = burstThrough(streams, size.PID, size.Warmup); err != nil {
		return 0, err
	}

	after, err := residentBytes(ctx, size.PID)

	return (after - before) / mb, err
}

func residentBytes(ctx context.Context, pid int) (float64, error) {
	text, err := exec.CommandContext(ctx, "ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("ps: %w", err)
	}

	kib, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)

	return kib * 1024, err
}
