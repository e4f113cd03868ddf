package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	stdx509 "crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"

	"github.com/siderolabs/crypto/x509"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/siderolabs/talos/pkg/grpc/middleware/auth/basic"
	securityapi "github.com/siderolabs/talos/pkg/machinery/api/security"
)

// talosTrustd signs as trustd of Talos does (internal/app/trustd/internal/reg, which only Talos itself can
// import), behind the interceptors of Talos.
type talosTrustd struct {
	securityapi.UnimplementedSecurityServiceServer

	issuer *x509.PEMEncodedCertificateAndKey
	// signed has every request with the certificate that it was answered with.
	signed chan signedRequest
}

type signedRequest struct {
	request *stdx509.CertificateRequest
	crt     []byte
}

// serveTalosTrustd serves until the listener is closed.
func serveTalosTrustd(listener net.Listener, issuer *x509.PEMEncodedCertificateAndKey, token string) (*talosTrustd, error) {
	ca, err := x509.NewCertificateAuthorityFromCertificateAndKey(issuer)
	if err != nil {
		return nil, err
	}

	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}

	made, err := x509.NewKeyPair(ca,
		x509.CommonName("trustd"),
		x509.IPAddresses([]net.IP{net.ParseIP(host)}),
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth}),
	)
	if err != nil {
		return nil, err
	}

	credential := basic.NewTokenCredentials(token)
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{*made.Certificate}, MinVersion: tls.VersionTLS12})),
		grpc.UnaryInterceptor(credential.UnaryInterceptor()),
		grpc.StreamInterceptor(credential.StreamInterceptor()),
	)

	trustd := &talosTrustd{issuer: issuer, signed: make(chan signedRequest, 100)}
	securityapi.RegisterSecurityServiceServer(server, trustd)

	go server.Serve(listener) //nolint:errcheck

	return trustd, nil
}

// Certificate answers step by step as Talos does.
func (s *talosTrustd) Certificate(ctx context.Context, in *securityapi.CertificateRequest) (*securityapi.CertificateResponse, error) {
	if _, ok := peer.FromContext(ctx); !ok {
		return nil, grpcstatus.Error(codes.PermissionDenied, "peer not found")
	}

	block, _ := pem.Decode(in.Csr)
	if block == nil {
		return nil, grpcstatus.Errorf(codes.InvalidArgument, "failed to decode CSR")
	}

	request, err := stdx509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, grpcstatus.Errorf(codes.InvalidArgument, "failed to parse CSR: %s", err)
	}

	signed, err := x509.NewCertificateFromCSRBytes(s.issuer.Crt, s.issuer.Key, in.Csr, trustdOptions(request)...)
	if err != nil {
		return nil, grpcstatus.Errorf(codes.Internal, "failed to sign CSR: %s", err)
	}

	s.signed <- signedRequest{request, signed.X509CertificatePEM}

	return &securityapi.CertificateResponse{Ca: bytes.Clone(s.issuer.Crt), Crt: signed.X509CertificatePEM}, nil
}

// trustdOptions are what trustd of Talos forces on a certificate, whatever was asked for.
func trustdOptions(request *stdx509.CertificateRequest) []x509.Option {
	options := []x509.Option{
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth}),
	}

	if len(request.Subject.Organization) > 0 {
		options = append(options, x509.OverrideSubject(func(subject *pkix.Name) { subject.Organization = nil }))
	}

	return options
}
