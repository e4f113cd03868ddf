package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/impl/inmem"
	"github.com/cosi-project/runtime/pkg/state/impl/namespaced"
	"github.com/cosi-project/runtime/pkg/state/impl/store"
	"github.com/cosi-project/runtime/pkg/state/protobuf/client"
	"github.com/cosi-project/state-sqlite/pkg/sqlitexx"
	"github.com/cosi-project/state-sqlite/pkg/state/impl/sqlite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// historyCapacity lets a watcher fall behind by a burst of 100,000 without the runtime ending.
const historyCapacity = 200_000

func openRaised() state.State { return openMemory(inmem.WithHistoryMaxCapacity(historyCapacity)) }

// poolSize is what served 64 writers best; the default of 10, two of them kept, was slower.
const poolSize = 16

func open(ctx context.Context, size Size) (state.State, func(), error) {
	switch size.Store {
	case "memory":
		return openRaised(), func() {}, nil
	case "sqlite":
		return openSQLite(ctx, size.Directory)
	case "remote":
		return openRemote(size.Address)
	default:
		return nil, nil, fmt.Errorf("no store is called %q", size.Store)
	}
}

func openMemory(opts ...inmem.StateOption) state.State {
	build := inmem.NewStateWithOptions(opts...)

	return state.WrapCore(namespaced.NewState(func(ns resource.Namespace) state.CoreState { return build(ns) }))
}

func openSQLite(ctx context.Context, directory string) (state.State, func(), error) {
	inner, err := sqlitexx.NewPool("file:"+filepath.Join(directory, "go.db"),
		sqlitexx.PoolOptions{LowWatermark: poolSize, HighWatermark: poolSize})
	if err != nil {
		return nil, nil, err
	}

	pool := &durablePool{inner: inner, seen: map[*zombie.Conn]bool{}}

	core, err := sqlite.NewState(ctx, pool, store.ProtobufMarshaler{})
	if err != nil {
		return nil, nil, err
	}

	return state.WrapCore(core), func() {
		core.Close()
		inner.Close() //nolint:errcheck
	}, nil
}

// durablePool sees to WAL and synchronous=FULL on every connection.
type durablePool struct {
	inner *sqlitexx.Pool
	seen  map[*zombie.Conn]bool
	mu    sync.Mutex
}

func (pool *durablePool) Take(ctx context.Context) (*zombie.Conn, error) {
	conn, err := pool.inner.Take(ctx)
	if err != nil {
		return nil, err
	}

	pool.mu.Lock()
	seen := pool.seen[conn]
	pool.seen[conn] = true
	pool.mu.Unlock()

	if seen {
		return conn, nil
	}

	if err = makeDurable(conn); err != nil {
		pool.inner.Put(conn)

		return nil, err
	}

	return conn, nil
}

func (pool *durablePool) Put(conn *zombie.Conn) { pool.inner.Put(conn) }

func makeDurable(conn *zombie.Conn) error {
	if err := sqlitex.ExecuteTransient(conn, "PRAGMA synchronous=FULL", nil); err != nil {
		return err
	}

	for pragma, wanted := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		err := sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, &sqlitex.ExecOptions{
			ResultFunc: func(stmt *zombie.Stmt) error {
				if found := stmt.ColumnText(0); found != wanted {
					return fmt.Errorf("PRAGMA %s is %s", pragma, found)
				}

				return nil
			},
		})
		if err != nil {
			return err
		}
	}

	return nil
}

func openRemote(address string) (state.State, func(), error) {
	conn, err := grpc.NewClient("unix://"+strings.TrimPrefix(address, "unix:"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}

	return state.WrapCore(client.NewAdapter(v1alpha1.NewStateClient(conn))), func() { conn.Close() }, nil //nolint:errcheck
}
