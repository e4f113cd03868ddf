package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/siderolabs/crypto/x509"

	talos "github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/role"
)

const (
	trustdAddress = "127.0.0.7"
	workerAddress = "127.0.0.8"
)

// TestWorkerOfTalosTrustd has workers of ours join through trustd as Talos has it, with configurations that
// trustplane and talosctl made. It has no NodeService, so the workers fall back to Talos' own call.
func TestWorkerOfTalosTrustd(t *testing.T) {
	running(t)

	made, _ := artifacts(t)

	for _, artifact := range made.Configs {
		if artifact.Name == "config worker" || artifact.Name == "talos-demo worker" {
			t.Run(artifact.Name, func(t *testing.T) { joinTalosTrustd(t, artifact.File) })
		}
	}
}

func joinTalosTrustd(t *testing.T, file string) {
	security := readConfig(t, filepath.Join(filepath.Dir(file), "controlplane.yaml")).Machine().Security()

	listener, err := net.Listen("tcp", net.JoinHostPort(trustdAddress, "0"))
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { listener.Close() }) //nolint:errcheck

	trustd, err := serveTalosTrustd(listener, security.IssuingCA(), security.Token())
	if err != nil {
		t.Fatal(err)
	}

	_, trustdPort, _ := net.SplitHostPort(listener.Addr().String())
	text := regexp.MustCompile(`(?m)endpoint: https://\S+`).ReplaceAll(mustRead(t, file), []byte("endpoint: https://"+trustdAddress+":6443"))
	w := &worker{t: t, config: filepath.Join(t.TempDir(), "worker.yaml"), trustdPort: trustdPort, port: freePort(t, workerAddress)}
	w.write(text)

	t.Run("gets nothing with a wrong token", func(t *testing.T) {
		w.write(bytes.Replace(text, []byte(security.Token()), []byte("aaaaaa.bbbbbbbbbbbbbbbb"), 1))
		w.start(regexp.MustCompile(`invalid token`))

		if connection, err := net.Dial("tcp", w.endpoint()); err == nil {
			connection.Close() //nolint:errcheck
			t.Error("its API listens")
		}

		w.stop()
		os.RemoveAll(w.stateDir()) //nolint:errcheck
		w.write(text)
	})

	w.start(listens)

	var signed signedRequest
	select {
	case signed = <-trustd.signed:
	default:
		t.Fatal("nobody has asked for a certificate")
	}

	t.Run("asks as workers of Talos do", func(t *testing.T) {
		request := signed.request
		if request.Subject.CommonName != "worker-8" || len(request.Subject.Organization) > 0 {
			t.Errorf("subject: %s", request.Subject)
		}

		if !slices.Contains(request.DNSNames, "worker-8") || !slices.ContainsFunc(request.IPAddresses, net.ParseIP(workerAddress).Equal) {
			t.Errorf("names %v, addresses %v", request.DNSNames, request.IPAddresses)
		}
	})

	t.Run("serves its API with what it got", func(t *testing.T) { w.examine(t, security.IssuingCA(), signed.crt) })

	t.Run("asks nobody when it starts again", func(t *testing.T) {
		w.stop()
		w.start(listens)
		w.examine(t, security.IssuingCA(), signed.crt)

		if len(trustd.signed) > 0 {
			t.Errorf("%d certificates more were signed", len(trustd.signed))
		}
	})
}

var listens = regexp.MustCompile(`"msg":"apid listens"`)

// worker is a worker of ours.
type worker struct {
	t          *testing.T
	config     string
	port       string
	trustdPort string
	running    *launched
}

func (w *worker) stateDir() string { return filepath.Join(filepath.Dir(w.config), "state") }

func (w *worker) endpoint() string { return net.JoinHostPort(workerAddress, w.port) }

func (w *worker) write(config []byte) {
	w.t.Helper()

	if err := os.WriteFile(w.config, config, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// start waits until it says a line.
func (w *worker) start(line *regexp.Regexp) {
	w.t.Helper()

	node, err := launch(filepath.Join(filepath.Dir(w.config), "log"), line,
		"up", "--config", w.config, "--state-dir", w.stateDir(), "--hostname", "worker-8", "--api-address", workerAddress,
		"--api-port", w.port, "--trustd-port", w.trustdPort, "--time-source", "none",
	)
	if err != nil {
		w.t.Fatal(err)
	}

	w.running = node
	w.t.Cleanup(w.stop)
}

func (w *worker) stop() {
	if w.running != nil {
		w.running.kill()
		w.running = nil
	}
}

// examine asks its API as an administrator whom nobody but the authority knows.
func (w *worker) examine(t *testing.T, issuer *x509.PEMEncodedCertificateAndKey, serves []byte) {
	t.Helper()

	admin, err := secrets.NewAdminCertificateAndKey(time.Now(), issuer, role.MakeSet(role.Admin), time.Hour)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	client, err := talos.New(ctx, talos.WithConfig(clientconfig.NewConfig("admin", nil, issuer.Crt, admin)), talos.WithEndpoints(w.endpoint()))
	if err != nil {
		t.Fatal(err)
	}

	defer client.Close() //nolint:errcheck

	if _, err := client.Version(talos.WithNode(ctx, workerAddress)); err != nil {
		t.Error(err)
	}

	authority, err := x509.NewCertificateAuthorityFromCertificateAndKey(issuer)
	if err != nil {
		t.Fatal(err)
	}

	identity, err := tls.X509KeyPair(admin.Crt, admin.Key)
	if err != nil {
		t.Fatal(err)
	}

	connection, err := tls.Dial("tcp", w.endpoint(), &tls.Config{RootCAs: poolOf(authority), Certificates: []tls.Certificate{identity}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}

	defer connection.Close() //nolint:errcheck

	if block, _ := pem.Decode(serves); !bytes.Equal(connection.ConnectionState().PeerCertificates[0].Raw, block.Bytes) {
		t.Error("it serves another certificate than it got")
	}
}
