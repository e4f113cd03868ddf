package interop

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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
	config    string
	directory string
	running   map[string]*exec.Cmd
}

// startCluster starts the nodes with the configuration of the node that run.ts started.
func startCluster(t *testing.T, addresses ...string) *nodeCluster {
	t.Helper()

	node, _ := runningNode(t)
	c := &nodeCluster{
		t:         t,
		addresses: addresses,
		port:      freePort(t, addresses[0]),
		config:    node.Config,
		directory: t.TempDir(),
		running:   map[string]*exec.Cmd{},
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

	launcher, err := filepath.Abs("../../bin/trustplane")
	if err != nil {
		c.t.Fatal(err)
	}

	args := []string{
		"up", "--config", c.config, "--state-dir", c.stateDir(address), "--api-address", address,
		"--api-port", c.port, "--hostname", "cp-" + address[strings.LastIndexAny(address, ".:")+1:],
		"--time-source", "none",
	}

	for _, other := range c.addresses {
		if other != address {
			args = append(args, "--member", other)
		}
	}

	command := exec.Command(launcher, args...)
	logs, err := os.OpenFile(filepath.Join(c.directory, "log-"+strings.ReplaceAll(address, ":", "-")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}

	defer logs.Close() //nolint:errcheck

	command.Stderr = logs

	out, err := command.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}

	if err := command.Start(); err != nil {
		c.t.Fatal(err)
	}

	c.running[address] = command

	up := make(chan bool, 1)

	go func() {
		found := false

		for lines := bufio.NewScanner(out); lines.Scan(); {
			if !found && isUp.MatchString(lines.Text()) {
				found = true
				up <- true
			}
		}

		if !found {
			up <- false
		}
	}()

	select {
	case ok := <-up:
		if !ok {
			c.t.Fatalf("%s ended while it started: %s", address, c.log(address))
		}
	case <-time.After(60 * time.Second):
		c.t.Fatalf("%s does not come up: %s", address, c.log(address))
	}
}

func (c *nodeCluster) log(address string) string {
	text, _ := os.ReadFile(filepath.Join(c.directory, "log-"+strings.ReplaceAll(address, ":", "-")))

	return string(text)
}

// kill ends a node as a power failure does.
func (c *nodeCluster) kill(address string) {
	command, there := c.running[address]
	if !there {
		return
	}

	delete(c.running, address)
	command.Process.Signal(syscall.SIGKILL) //nolint:errcheck
	command.Wait()                          //nolint:errcheck
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
