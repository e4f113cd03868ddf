package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Place is where a server is; it says so in a file of this name.
type Place struct {
	Address string `json:"address"`
	PID     int    `json:"pid"`
}

const placeFile = "place.json"

// batch is after how many notes others have their turn.
const batch = 32

// serveAPI is Go's State service over mutual TLS; bench/ours/api-server.ts is ours. There are no
// roles and no routing. At each SIGUSR2 it creates notes: first Warmup of them, then Count.
func serveAPI(ctx context.Context, size Size) error {
	tlsConfig, err := apiTLS(size.Directory, "server")
	if err != nil {
		return err
	}

	st := openRaised()
	if err = createEncoded(ctx, st, namespace, size.Items); err != nil {
		return err
	}

	go bursts(ctx, st, size.Warmup, size.Count)

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}

	grpcServer := grpc.NewServer(grpc.Creds(credentials.NewTLS(tlsConfig)))
	v1alpha1.RegisterStateServer(grpcServer, server.NewState(st))
	grpcServer.RegisterService(&machineService, nil)
	context.AfterFunc(ctx, grpcServer.Stop)

	if err = announce(size.Directory, Place{Address: listener.Addr().String(), PID: os.Getpid()}); err != nil {
		return err
	}

	return grpcServer.Serve(listener)
}

func announce(directory string, place Place) error {
	text, err := json.Marshal(place)
	if err != nil {
		return err
	}

	path := filepath.Join(directory, placeFile)
	if err = os.WriteFile(path+"~", text, 0o600); err != nil {
		return err
	}

	return os.Rename(path+"~", path)
}

// apiTLS is how a server or a client presents itself, and whom it believes.
func apiTLS(directory, name string) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(
		filepath.Join(directory, name+".crt"), filepath.Join(directory, name+".key"))
	if err != nil {
		return nil, err
	}

	authority, err := os.ReadFile(filepath.Join(directory, "ca.crt"))
	if err != nil {
		return nil, err
	}

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("ca.crt has no certificate")
	}

	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		RootCAs:      pool,
		MinVersion:   tls.VersionTLS12,
	}, nil
}

func bursts(ctx context.Context, st state.State, counts ...int) {
	signals := make(chan os.Signal, len(counts))
	signal.Notify(signals, syscall.SIGUSR2)

	for i, count := range counts {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}

		if err := createEncoded(ctx, st, fmt.Sprintf("burst-%d", i), count); err != nil {
			fmt.Fprintln(os.Stderr, "bench: burst:", err)
			os.Exit(1)
		}
	}
}

// createEncoded stores notes with both forms of their spec, so that nothing is encoded when they are
// read: the fastest that Go's server can do.
func createEncoded(ctx context.Context, st state.State, ns resource.Namespace, count int) error {
	for i := range count {
		encoded, err := protobuf.FromResource(newNote(ns, noteID(i), noteSpec(i)))
		if err != nil {
			return err
		}

		if err = st.Create(ctx, encoded); err != nil {
			return err
		}

		if i%batch == batch-1 {
			runtime.Gosched()
		}
	}

	return nil
}

// machineService has one method, which answers with as many bytes as ours.
var machineService = grpc.ServiceDesc{
	ServiceName: "machine.MachineService",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Version",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			if err := decode(&emptypb.Empty{}); err != nil {
				return nil, err
			}

			reply := &emptypb.Empty{}
			reply.ProtoReflect().SetUnknown(versionReply())

			return reply, nil
		},
	}},
}

// versionReply is machine.VersionResponse with one message.
func versionReply() []byte {
	var version, platform []byte
	for i, text := range []string{"v1.14.0", "0123abc", "2030-01-01T00:00:00Z", runtime.Version(), runtime.GOOS, runtime.GOARCH} {
		version = appendText(version, protowire.Number(i+1), text)
	}

	for i, text := range []string{"trustplane", "container"} {
		platform = appendText(platform, protowire.Number(i+1), text)
	}

	message := appendText(nil, 2, string(version))
	message = appendText(message, 3, string(platform))
	message = appendText(message, 4, "\x08\x01")

	return appendText(nil, 1, string(message))
}

func appendText(buf []byte, number protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(buf, number, protowire.BytesType), text)
}
