package interop

import (
	"bytes"
	"context"
	stdx509 "crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/siderolabs/talos/pkg/grpc/gen"
	"github.com/siderolabs/talos/pkg/grpc/middleware/auth/basic"
	securityapi "github.com/siderolabs/talos/pkg/machinery/api/security"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

// TestTrustd has workers of Talos ask for their certificate: pkg/grpc/gen.RemoteGenerator is what their
// secrets.APIController calls. What holds for our trustd is first shown to hold for the code of Talos.
func TestTrustd(t *testing.T) {
	made, _ := artifacts(t)

	for _, artifact := range made.Configs {
		if artifact.Name != "talos-demo controlplane" {
			continue
		}

		security := readConfig(t, artifact.File).Machine().Security()

		listener, err := net.Listen("tcp", "127.0.0.6:0")
		if err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { listener.Close() }) //nolint:errcheck

		if _, err := serveTalosTrustd(listener, security.IssuingCA(), security.Token()); err != nil {
			t.Fatal(err)
		}

		t.Run("of Talos", func(t *testing.T) {
			examineTrustd(t, asked{endpoint: listener.Addr().String(), token: security.Token(), issuer: security.IssuingCA()})
		})
	}

	t.Run("of ours", func(t *testing.T) {
		nodes := startCluster(t, "127.0.0.6")
		security := readConfig(t, nodes.config).Machine().Security()
		endpoint := net.JoinHostPort("127.0.0.6", nodes.trustdPort)

		examineTrustd(t, asked{endpoint: endpoint, token: security.Token(), issuer: security.IssuingCA()})
	})
}

// asked is a trustd, and what its workers know.
type asked struct {
	endpoint string
	token    string
	issuer   *x509.PEMEncodedCertificateAndKey
}

func (a asked) accepted() []*x509.PEMEncodedCertificate {
	return []*x509.PEMEncodedCertificate{{Crt: a.issuer.Crt}}
}

// call asks once; the generator asks again for a minute, whatever the answer was.
func (a asked) call(t *testing.T, csr []byte, credential credentials.PerRPCCredentials) (*securityapi.CertificateResponse, error) {
	t.Helper()

	connection, err := basic.NewConnection(a.endpoint, credential, a.accepted())
	if err != nil {
		t.Fatal(err)
	}

	defer connection.Close() //nolint:errcheck

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	return securityapi.NewSecurityServiceClient(connection).Certificate(ctx, &securityapi.CertificateRequest{Csr: csr})
}

// nobody has no token at all.
type nobody struct{}

func (nobody) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, nil
}

func (nobody) RequireTransportSecurity() bool { return true }

func examineTrustd(t *testing.T, a asked) {
	issuer, err := x509.NewCertificateAuthorityFromCertificateAndKey(a.issuer)
	if err != nil {
		t.Fatal(err)
	}

	names := []x509.Option{
		x509.CommonName("worker-1.example.test"),
		x509.DNSNames([]string{"worker-1", "worker-1.example.test"}),
		x509.IPAddresses([]net.IP{net.ParseIP("127.0.0.61"), net.ParseIP("fd00::61")}),
	}
	request := requestOf(t, issuer, names...)
	valid := basic.NewTokenCredentials(a.token)

	t.Run("gives a certificate", func(t *testing.T) {
		leaf, authorities := issuedFor(t, a, request)
		report(t, checkUse(leaf.Certificate, issuer.Crt, []stdx509.ExtKeyUsage{server}, time.Now()))
		report(t, compact(checkLife(leaf, issuer.Crt, talosLife)))
		report(t, asTalosSigns(a, request, leaf))

		if !bytes.Equal(authorities, a.issuer.Crt) {
			t.Errorf("authorities: %q, want the one of the configuration", authorities)
		}

		if _, err := leaf.Verify(stdx509.VerifyOptions{Roots: poolOf(issuer), KeyUsages: []stdx509.ExtKeyUsage{client}}); err == nil {
			t.Error("it is good for a client")
		}
	})

	t.Run("leaves organizations out", func(t *testing.T) {
		asking := requestOf(t, issuer, append(names, x509.Organization("os:admin", "system:masters"))...)
		leaf, _ := issuedFor(t, a, asking)
		report(t, asTalosSigns(a, asking, leaf))

		if len(leaf.Subject.Organization) > 0 || leaf.Subject.CommonName != "worker-1.example.test" {
			t.Errorf("subject: %s", leaf.Subject)
		}
	})

	for name, c := range map[string]struct {
		csr        []byte
		credential credentials.PerRPCCredentials
		code       codes.Code
		message    string
	}{
		"refuses a wrong token":   {request, basic.NewTokenCredentials("aaaaaa.bbbbbbbbbbbbbbbb"), codes.Unauthenticated, "invalid token"},
		"refuses an empty token":  {request, basic.NewTokenCredentials(""), codes.Unauthenticated, "invalid token"},
		"refuses who has none":    {request, nobody{}, codes.Unauthenticated, "missing token"},
		"refuses what is no PEM":  {[]byte("certificate, please"), valid, codes.InvalidArgument, "failed to decode CSR"},
		"refuses one of no bytes": {nil, valid, codes.InvalidArgument, "failed to decode CSR"},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := a.call(t, c.csr, c.credential)
			if grpcstatus.Code(err) != c.code || grpcstatus.Convert(err).Message() != c.message {
				t.Errorf("reply %v, error %v, want %s: %s", reply, err, c.code, c.message)
			}
		})
	}

	t.Run("gives nothing to a generator with a wrong token", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()

		wrong := a
		wrong.token = "aaaaaa.bbbbbbbbbbbbbbbb"

		if _, crt, err := wrong.generate(ctx, request); err == nil || crt != nil {
			t.Errorf("certificate %q, error %v", crt, err)
		}
	})

	t.Run("is not trusted under another authority", func(t *testing.T) {
		other, err := twinAuthority(osAuthority, time.Now())
		if err != nil {
			t.Fatal(err)
		}

		foreign := a
		foreign.issuer = &x509.PEMEncodedCertificateAndKey{Crt: other.CrtPEM, Key: other.KeyPEM}

		if _, err := foreign.call(t, request, valid); grpcstatus.Code(err) != codes.Unavailable {
			t.Errorf("error %v, want Unavailable", err)
		}
	})
}

func (a asked) generate(ctx context.Context, csr []byte) (ca, crt []byte, err error) {
	generator, err := gen.NewRemoteGenerator(a.token, []string{a.endpoint}, a.accepted())
	if err != nil {
		return nil, nil, err
	}

	defer generator.Close() //nolint:errcheck

	return generator.IdentityContext(ctx, &x509.CertificateSigningRequest{X509CertificateRequestPEM: csr})
}

func issuedFor(t *testing.T, a asked, csr []byte) (leaf *certificate, authorities []byte) {
	t.Helper()

	authorities, crt, err := a.generate(t.Context(), csr)
	if err != nil {
		t.Fatal(err)
	}

	leaf, err = parseOne(crt)
	if err != nil {
		t.Fatal(err)
	}

	return leaf, authorities
}

// asTalosSigns holds a certificate against what Talos makes of the same request.
func asTalosSigns(a asked, csr []byte, leaf *certificate) []error {
	block, _ := pem.Decode(csr)

	request, err := stdx509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return []error{err}
	}

	twin, err := x509.NewCertificateFromCSRBytes(a.issuer.Crt, a.issuer.Key, csr, trustdOptions(request)...)
	if err != nil {
		return []error{err}
	}

	signed, err := parseOne(twin.X509CertificatePEM)
	if err != nil {
		return []error{err}
	}

	if !samePublic(leaf.PublicKey, request.PublicKey) {
		return []error{fmt.Errorf("the key is not that of the request")}
	}

	return differencesAsErrors(compare(leaf, signed), nil)
}

func requestOf(t *testing.T, issuer *x509.CertificateAuthority, options ...x509.Option) []byte {
	t.Helper()

	csr, _, err := x509.NewCSRAndIdentityFromCA(issuer.Crt, options...)
	if err != nil {
		t.Fatal(err)
	}

	return csr.X509CertificateRequestPEM
}

func poolOf(issuer *x509.CertificateAuthority) *stdx509.CertPool {
	pool := stdx509.NewCertPool()
	pool.AddCert(issuer.Crt)

	return pool
}

func readConfig(t *testing.T, file string) config.Provider {
	t.Helper()

	provider, err := configloader.NewFromFile(file)
	if err != nil {
		t.Fatal(err)
	}

	return provider
}
