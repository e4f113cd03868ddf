package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	stdx509 "crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/siderolabs/crypto/x509"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// nodeLifetime is how long what a node serves is good for.
const nodeLifetime = 24 * time.Hour

// trustd signs as Talos' does, with Talos' library: no record, no policy, no limits.
type trustd struct {
	ca, key []byte
	token   [sha256.Size]byte
}

// serveTrustd is Go's side of SecurityService/Certificate; ours is a whole node.
func serveTrustd(ctx context.Context, size Size) error {
	files := map[string][]byte{"ca.crt": nil, "ca.key": nil, "token": nil, "server.crt": nil, "server.key": nil}

	for name := range files {
		text, err := os.ReadFile(filepath.Join(size.Directory, name))
		if err != nil {
			return err
		}

		files[name] = text
	}

	certificate, err := tls.X509KeyPair(files["server.crt"], files["server.key"])
	if err != nil {
		return err
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", size.Address)
	if err != nil {
		return err
	}

	signer := &trustd{ca: files["ca.crt"], key: files["ca.key"], token: sha256.Sum256(files["token"])}
	grpcServer := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
	})))
	grpcServer.RegisterService(signer.service(), nil)
	context.AfterFunc(ctx, grpcServer.Stop)

	return grpcServer.Serve(listener)
}

func (t *trustd) service() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "securityapi.SecurityService",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Certificate",
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				request := &emptypb.Empty{}
				if err := decode(request); err != nil {
					return nil, err
				}

				if err := t.authenticate(ctx); err != nil {
					return nil, err
				}

				crt, err := t.sign(bytesOf(request.ProtoReflect().GetUnknown()))
				if err != nil {
					return nil, err
				}

				reply := &emptypb.Empty{}
				reply.ProtoReflect().SetUnknown(appendText(appendText(nil, 1, string(t.ca)), 2, string(crt)))

				return reply, nil
			},
		}},
	}
}

func (t *trustd) authenticate(ctx context.Context) error {
	tokens := metadata.ValueFromIncomingContext(ctx, "token")
	if len(tokens) != 1 {
		return status.Error(codes.Unauthenticated, "missing token")
	}

	given := sha256.Sum256([]byte(tokens[0]))
	if subtle.ConstantTimeCompare(given[:], t.token[:]) != 1 {
		return status.Error(codes.Unauthenticated, "invalid token")
	}

	if _, ok := peer.FromContext(ctx); !ok {
		return status.Error(codes.PermissionDenied, "peer not found")
	}

	return nil
}

// sign reads the request for itself, and the library reads it again.
func (t *trustd) sign(csr []byte) ([]byte, error) {
	block, _ := pem.Decode(csr)
	if block == nil {
		return nil, status.Error(codes.InvalidArgument, "failed to decode CSR")
	}

	request, err := stdx509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "failed to parse CSR: %s", err)
	}

	certificate, err := x509.NewCertificateFromCSRBytes(t.ca, t.key, csr,
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth}),
		x509.NotAfter(time.Now().Add(nodeLifetime)),
		x509.OverrideSubject(func(subject *pkix.Name) { subject.Organization = nil }),
	)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to sign CSR: %s", err)
	}

	if len(request.DNSNames) == 0 {
		return nil, fmt.Errorf("the benchmark asks for names")
	}

	return certificate.X509CertificatePEM, nil
}

// bytesOf is the first field of a message.
func bytesOf(message []byte) []byte {
	_, _, length := protowire.ConsumeTag(message)
	if length < 0 {
		return nil
	}

	value, _ := protowire.ConsumeBytes(message[length:])

	return value
}
