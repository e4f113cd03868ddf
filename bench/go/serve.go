package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"google.golang.org/grpc"
)

// serve is Go's own server over its memory store. It knows no kinds, so that it stores and sends
// both forms of a spec as they came, which is the fastest it can do.
func serve(ctx context.Context, address string) error {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return fmt.Errorf("not the address of a socket: %s", address)
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return err
	}

	grpcServer := grpc.NewServer()
	v1alpha1.RegisterStateServer(grpcServer, server.NewState(openRaised()))
	context.AfterFunc(ctx, grpcServer.Stop)

	return grpcServer.Serve(listener)
}
