package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
)

// operation does something to a store and tells how often in which time.
type operation func(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error)

// onStore runs an operation to warm up, and then to measure.
func onStore(op operation) Workload {
	return func(ctx context.Context, size Size) (float64, error) {
		if err := registerNotes(); err != nil {
			return 0, err
		}

		st, done, err := open(ctx, size)
		if err != nil {
			return 0, err
		}
		defer done()

		if size.Warmup > 0 {
			small := size
			small.Count = size.Warmup
			small.Items = min(size.Items, size.Warmup)

			if _, _, err = op(ctx, st, warmup, small); err != nil {
				return 0, err
			}
		}

		runtime.GC()

		count, elapsed, err := op(ctx, st, namespace, size)

		return rate(count, elapsed), err
	}
}

func rate(count int, elapsed time.Duration) float64 { return float64(count) / elapsed.Seconds() }

// each calls work for 0 to count-1, so many at a time.
func each(inFlight, count int, work func(i int) error) error {
	if inFlight <= 1 {
		for i := range count {
			if err := work(i); err != nil {
				return err
			}
		}

		return nil
	}

	var (
		next  atomic.Int64
		group sync.WaitGroup
		first atomic.Pointer[error]
	)

	for range inFlight {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= count || first.Load() != nil {
					return
				}

				if err := work(i); err != nil {
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}

	group.Wait()

	if err := first.Load(); err != nil {
		return *err
	}

	return nil
}

func fill(ctx context.Context, st state.State, ns resource.Namespace, size Size, items int) error {
	return each(max(size.InFlight, 32), items, func(i int) error {
		return st.Create(ctx, newNote(ns, noteID(i), noteSpec(i)))
	})
}

// scattered visits the items in another order than that of their ids.
func scattered(i, items int) int { return (i * 7919) % items }

func pointer(ns resource.Namespace, id resource.ID) resource.Metadata {
	return resource.NewMetadata(ns, noteType, id, resource.VersionUndefined)
}

func create(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	specs := noteSpecs(size.Count)
	start := time.Now()
	err := each(size.InFlight, size.Count, func(i int) error {
		return st.Create(ctx, newNote(ns, noteID(i), specs[i]))
	})

	return size.Count, time.Since(start), err
}

func get(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	if err := fill(ctx, st, ns, size, size.Items); err != nil {
		return 0, 0, err
	}

	start := time.Now()
	err := each(size.InFlight, size.Count, func(i int) error {
		_, err := safe.StateGet[*Note](ctx, st, pointer(ns, noteID(scattered(i, size.Items))))

		return err
	})

	return size.Count, time.Since(start), err
}

func update(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	if err := fill(ctx, st, ns, size, size.Items); err != nil {
		return 0, 0, err
	}

	start := time.Now()
	err := each(size.InFlight, size.Count, func(i int) error {
		return touch(ctx, st, ns, scattered(i, size.Items))
	})

	return size.Count, time.Since(start), err
}

// touch reads, changes and writes one note unless somebody else was faster.
func touch(ctx context.Context, st state.State, ns resource.Namespace, i int) error {
	_, err := safe.StateUpdateWithConflicts(ctx, st, pointer(ns, noteID(i)), func(note *Note) error {
		note.TypedSpec().Revision++

		return nil
	})

	return err
}

func list(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	if err := fill(ctx, st, ns, size, size.Items); err != nil {
		return 0, 0, err
	}

	listed := 0
	start := time.Now()

	for range size.Count {
		found, err := safe.StateList[*Note](ctx, st, pointer(ns, ""))
		if err != nil {
			return 0, 0, err
		}

		revisions := int64(0)
		for note := range found.All() {
			revisions += note.TypedSpec().Revision
		}

		if revisions != int64(size.Items*firstRevision) {
			return 0, 0, errors.New("not all notes were listed")
		}

		listed += found.Len()
	}

	return listed, time.Since(start), nil
}
