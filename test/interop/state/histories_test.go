package state

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/impl/inmem"
	"github.com/cosi-project/runtime/pkg/state/impl/namespaced"
	protoserver "github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	histories = 1000
	// historiesOnDisk are the first of them: there each write waits for the disk.
	historiesOnDisk = 300
	// inFlight is how many histories run at once, each in a namespace of its own.
	inFlight    = 6
	defaultSeed = 20300101
)

// TestHistories does the same random things to a Go server and to ours, through COSI's client: each
// step has to have the same result and the same status on the wire, and each watch to tell of the
// same events in the same order. TRUSTPLANE_SEED draws others.
func TestHistories(t *testing.T) {
	seed := uint64(defaultSeed)

	if text := os.Getenv("TRUSTPLANE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("TRUSTPLANE_SEED: %v", err)
		}
	}

	theirs := tell(t, serveGo(t), seed, histories)

	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			count, lines := histories, 0
			if name == "sqlite" {
				count = historiesOnDisk
			}

			ours := tell(t, serve(t, store).socket, seed, count)

			for number := range ours {
				compare(t, seed, number, theirs[number], ours[number])
				lines += strings.Count(joined(ours[number]), "\n") + 1
			}

			t.Logf("note: seed %d: %d histories, %d results and events are as those of Go", seed, len(ours), lines)
		})
	}
}

// tell plays the first histories and returns what each step and watch of them came to.
func tell(t *testing.T, socket string, seed uint64, count int) [][]string {
	t.Helper()

	remote := remote(t, socket, grpc.WithChainUnaryInterceptor(record))
	transcripts := make([][]string, count)

	var (
		next  atomic.Int64
		group sync.WaitGroup
	)

	for range inFlight {
		group.Go(func() {
			for {
				number := int(next.Add(1)) - 1
				if number >= count {
					return
				}

				ctx, cancel := context.WithCancel(t.Context())
				transcripts[number] = play(ctx, remote, seed, number)

				cancel()
			}
		})
	}

	group.Wait()

	return transcripts
}

func play(ctx context.Context, remote state.State, seed uint64, number int) []string {
	s := &scene{state: remote, namespace: fmt.Sprint("history-", number)}
	lines := []string{}

	for _, step := range history(seed, uint64(number)) { //nolint:gosec
		calls := &calls{}
		result := step.do(context.WithValue(ctx, callsKey{}, calls), s)
		lines = append(lines, step.name+" "+strings.Join(calls.all, " ")+": "+result)
	}

	return lines
}

func compare(t *testing.T, seed uint64, number int, theirs, ours []string) {
	t.Helper()

	for i := range theirs {
		if theirs[i] != ours[i] {
			t.Fatalf("seed %d, history %d, step %d:\nbefore:\n%s\nGo:\n%s\nours:\n%s", seed, number, i,
				strings.Join(theirs[:i], "\n"), theirs[i], ours[i])
		}
	}
}

type callsKey struct{}

// calls are the statuses of the calls of a step; watches and lists are not among them.
type calls struct{ all []string }

func record(
	ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	err := invoke(ctx, method, request, reply, connection, options...)

	if calls, ok := ctx.Value(callsKey{}).(*calls); ok {
		calls.all = append(calls.all, filepath.Base(method)+"="+status.Code(err).String())
	}

	return err
}

// outcome is what a step came to: the kind of the error, or what it gave.
func outcome(err error, given ...any) string {
	switch {
	case err == nil:
		lines := make([]string, 0, len(given))
		for _, one := range given {
			lines = append(lines, fmt.Sprint(one))
		}

		return "ok " + joined(lines)
	case state.IsNotFoundError(err):
		return "not found"
	case state.IsOwnerConflictError(err):
		return "conflict of owners"
	case state.IsPhaseConflictError(err):
		return "conflict of phases"
	case state.IsConflictError(err):
		return "conflict"
	case state.IsInvalidWatchBookmarkError(err):
		return "no such bookmark"
	case status.Code(err) != codes.Unknown:
		return status.Code(err).String()
	default:
		return err.Error()
	}
}

func joined(lines []string) string {
	return strings.Join(lines, "\n    ")
}

// serveGo serves COSI's own store, with COSI's own server.
func serveGo(t *testing.T) string {
	t.Helper()

	socket := filepath.Join(socketDirectory(t), "go")

	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}

	server := grpc.NewServer()
	v1alpha1.RegisterStateServer(server, protoserver.NewState(namespaced.NewState(build)))

	go server.Serve(listener) //nolint:errcheck

	t.Cleanup(server.Stop)

	return socket
}

func build(namespace resource.Namespace) state.CoreState {
	return inmem.NewStateWithOptions(inmem.WithHistoryMaxCapacity(1000), inmem.WithHistoryGap(5))(namespace)
}
