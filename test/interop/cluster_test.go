package interop

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	talos "github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
)

// nodeCluster is three control planes as processes on this machine, with one configuration.
type nodeCluster struct {
	t         *testing.T
	addresses []string
	port      string
	// trustdPort is where trustd of each of them listens.
	trustdPort string
	config     string
	directory  string
	running    map[string]*launched
}

// startCluster starts the nodes with the configuration of the node that run.ts started.
func startCluster(t *testing.T, addresses ...string) *nodeCluster {
	t.Helper()

	node, _ := runningNode(t)
	c := &nodeCluster{
		t:          t,
		addresses:  addresses,
		port:       freePort(t, addresses[0]),
		trustdPort: freePort(t, addresses[0]),
		config:     node.Config,
		directory:  t.TempDir(),
		running:    map[string]*launched{},
	}

	t.Cleanup(func() {
		for address := range c.running {
			c.kill(address)
		}
	})

	for _, address := range addresses {
		c.start(address)
	}

	return c
}

func (c *nodeCluster) stateDir(address string) string { return filepath.Join(c.directory, address) }

var isUp = regexp.MustCompile(`apid-server .* Valid`)

// start starts a node, and waits until it says that it serves; one that was killed goes on with its state.
func (c *nodeCluster) start(address string) {
	c.t.Helper()

	args := []string{
		"up", "--config", c.config, "--state-dir", c.stateDir(address), "--api-address", address,
		"--api-port", c.port, "--trustd-port", c.trustdPort, "--hostname", "cp-" + address[strings.LastIndexAny(address, ".:")+1:],
		"--time-source", "none",
	}

	for _, other := range c.addresses {
		if other != address {
			args = append(args, "--member", other)
		}
	}

	node, err := launch(filepath.Join(c.directory, "log-"+strings.ReplaceAll(address, ":", "-")), isUp, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", address, err)
	}

	c.running[address] = node
}

// kill ends a node as a power failure does.
func (c *nodeCluster) kill(address string) {
	node, there := c.running[address]
	if !there {
		return
	}

	delete(c.running, address)
	node.kill()
}

// restart kills a node and starts it again.
func (c *nodeCluster) restart(address string) {
	c.t.Helper()
	c.kill(address)
	c.start(address)
}

func (c *nodeCluster) endpoint(address string) string { return net.JoinHostPort(address, c.port) }

// admin is the talosconfig that the first node wrote.
func (c *nodeCluster) admin() *clientconfig.Config {
	c.t.Helper()

	file, err := clientconfig.Open(filepath.Join(c.stateDir(c.addresses[0]), "talosconfig"))
	if err != nil {
		c.t.Fatal(err)
	}

	return file
}

// dial connects to these nodes, as one who has them all as endpoints.
func (c *nodeCluster) dial(file *clientconfig.Config, addresses ...string) (*talos.Client, context.Context) {
	c.t.Helper()

	var endpoints []string
	for _, address := range addresses {
		endpoints = append(endpoints, c.endpoint(address))
	}

	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	c.t.Cleanup(cancel)

	client, err := talos.New(ctx, talos.WithConfig(file), talos.WithEndpoints(endpoints...))
	if err != nil {
		c.t.Fatal(err)
	}

	c.t.Cleanup(func() { client.Close() }) //nolint:errcheck

	return client, ctx
}

func freePort(t *testing.T, address string) string {
	t.Helper()

	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}

	defer listener.Close() //nolint:errcheck

	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

// ended waits until a node ends by itself.
func (c *nodeCluster) ended(address string) error {
	node := c.running[address]
	delete(c.running, address)

	return node.ended()
}
