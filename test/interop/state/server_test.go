// Package state holds our bare server to what COSI's own client and conformance suite ask of a state.
package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/conformance"
	"github.com/cosi-project/runtime/pkg/state/protobuf/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const launcher = "../../../bin/trustplane"

func init() {
	if err := protobuf.RegisterResource(conformance.PathResourceType, &conformance.PathResource{}); err != nil {
		panic(err)
	}
}

// server is a bare server of ours in a process of its own.
type server struct {
	store, socket string
	process       *exec.Cmd
}

// stores says what is served, by the name of the test.
func stores(t *testing.T) map[string]string {
	t.Helper()

	return map[string]string{
		"memory": "memory",
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "state.db"),
	}
}

// serve starts a server that ends with the test.
func serve(t *testing.T, store string) *server {
	t.Helper()

	if _, err := os.Stat(launcher); err != nil {
		t.Skipf("no trustplane to examine: %v", err)
	}

	s := &server{store: store, socket: filepath.Join(socketDirectory(t), "s")}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })

	return s
}

// socketDirectory makes a directory with a short path, whatever the name of the test.
func socketDirectory(t *testing.T) string {
	t.Helper()

	directory, err := os.MkdirTemp("", "tp-state-")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { os.RemoveAll(directory) }) //nolint:errcheck

	return directory
}

// start runs the server and waits until it says that it listens.
func (s *server) start(t *testing.T) {
	t.Helper()

	s.process = exec.Command(launcher, "store", "serve", "--store", s.store, "--listen", "unix:"+s.socket)
	s.process.Stderr = os.Stderr
	s.process.Env = append(os.Environ(), "TRUSTPLANE_LOG_LEVEL=warn")

	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Error(err)

		return
	}

	if err := s.process.Start(); err != nil {
		s.process = nil
		t.Error(err)

		return
	}

	line, err := bufio.NewReader(out).ReadString('\n')
	if want := fmt.Sprintf("serving %s on unix:%s\n", s.store, s.socket); err != nil || line != want {
		t.Errorf("it said %q (%v), want %q", line, err, want)
	}
}

// stop ends the server with SIGTERM and asks for status 0.
func (s *server) stop(t *testing.T) {
	t.Helper()

	if s.process != nil {
		s.end(t, syscall.SIGTERM)
	}
}

// end ends the server with a signal; status 0 is asked for where it can be given.
func (s *server) end(t *testing.T, signal syscall.Signal) {
	t.Helper()

	ending := s.process
	s.process = nil

	if err := ending.Process.Signal(signal); err != nil {
		t.Error(err)
	}

	if err := ending.Wait(); err != nil && signal != syscall.SIGKILL {
		t.Errorf("after %s: %v, want status 0", signal, err)
	}
}

// connect dials a socket.
func connect(t *testing.T, socket string, options ...grpc.DialOption) grpc.ClientConnInterface {
	t.Helper()

	connection, err := grpc.NewClient("unix://"+socket, append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(32<<20)))...)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { connection.Close() }) //nolint:errcheck

	return connection
}

// remote is COSI's own client of a server.
func remote(t *testing.T, socket string, options ...grpc.DialOption) state.State {
	t.Helper()

	return state.WrapCore(client.NewAdapter(v1alpha1.NewStateClient(connect(t, socket, options...))))
}

// within bounds what a test waits for.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errors.New("it took more than "+limit.String()))
	t.Cleanup(cancel)

	return ctx
}
