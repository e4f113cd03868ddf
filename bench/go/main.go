// Command bench runs one workload of the Go side and prints what it measured as a line of JSON.
//
//	bench WORKLOAD '{"store":"memory","count":1000}'
//	bench serve unix:PATH
//	bench serve-api '{"directory":"/tmp/x","items":1000}'
//	bench serve-trustd '{"directory":"/tmp/x","address":"127.0.0.1:50001"}'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Size says how much a workload does; the harness decides.
type Size struct {
	// Store is "memory", "sqlite" (in Directory) or "remote" (at Address).
	Store     string `json:"store"`
	Directory string `json:"directory"`
	Address   string `json:"address"`
	// Count is how many operations are measured.
	Count int `json:"count"`
	// Items is how many resources are there before.
	Items int `json:"items"`
	// Warmup is how many operations are done before, in another namespace.
	Warmup int `json:"warmup"`
	// InFlight is how many operations are under way at once.
	InFlight int `json:"inFlight"`
	// Watchers is how many watches there are while the operations are done.
	Watchers int `json:"watchers"`
	// IsApart says whether each watch has a connection of its own.
	IsApart bool `json:"isApart"`
	// PID is the process of the server.
	PID int `json:"pid"`
}

// Workload measures one thing: operations per second, or bytes.
type Workload func(ctx context.Context, size Size) (float64, error)

var workloads = map[string]Workload{
	"create":            onStore(create),
	"get":               onStore(get),
	"update":            onStore(update),
	"list":              onStore(list),
	"destroy-watched":   onStore(destroyWatched),
	"watch-contents":    onStore(watchContents),
	"watch-live":        onStore(watchLive),
	"burst":             burst,
	"burst-at-start":    burstAtStart,
	"single-update":     singleUpdate,
	"leaf":              leaf,
	"leaf-through-gate": leaf,
	"leaf-from-csr":     leafFromCSR,
	"memory":            memory,

	"api-get":            onAPI(apiGet),
	"api-version":        onAPI(apiVersion),
	"api-watch-contents": onAPI(apiWatchContents),
	"api-watch-live":     onAPI(apiWatchLive),
	"api-watch-memory":   apiWatchMemory,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: bench WORKLOAD SIZE | bench serve unix:PATH")
	}

	if args[0] == "serve" {
		return serve(ctx, args[1])
	}

	size := Size{InFlight: 1}
	if err := json.Unmarshal([]byte(args[1]), &size); err != nil {
		return fmt.Errorf("size: %w", err)
	}

	if args[0] == "serve-api" {
		return serveAPI(ctx, size)
	}

	if args[0] == "serve-trustd" {
		return serveTrustd(ctx, size)
	}

	workload, ok := workloads[args[0]]
	if !ok {
		return fmt.Errorf("no workload is called %q", args[0])
	}

	value, err := workload(ctx, size)
	if err != nil {
		return err
	}

	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"value": value})
}
